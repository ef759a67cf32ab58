"""The registry of sources and their verified bytes."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from monotowns.run import schema
from monotowns.run.errors import SourceError

TRUNCATED = "the file ends early"


@dataclass(frozen=True)
class Source:
    """One entry of ``data/sources.yaml``.

    ``access`` is ``open`` (an address serves the file) or ``compiled`` (by the authors; no
    address). ``redistributed`` is ``whole``, ``facts`` (the tables made from the file, not the
    file) or ``none``. ``tables`` maps every table that is read from the file to the columns that
    identify its rows, ``digests`` to the sha256 of the table as it is committed; the other fields
    are what their names say.
    """

    id: str
    file: str
    publisher: str
    title: str
    citation: str
    licence: str
    access: str
    redistributed: str
    landing_page: str
    addresses: tuple[str, ...]
    sha256: str
    bytes: int
    retrieved: str
    serves: str
    tables: dict[str, list[str]]
    digests: dict[str, str] = field(default_factory=dict)


def load_registry(path) -> dict[str, Source]:
    """Load the registry: source by id, in the registry's order.

    Raises
    ------
    SourceError
        One error with every fault: a field that is unknown (with the nearest valid name),
        missing or not of its form, a file or a table that two sources claim.
    """
    entries = schema.read(path, SourceError)
    schema.check(entries, "sources", path, SourceError)
    owner = {}
    for key, entry in entries.items():
        for claim in (f"file {entry['file']}", *(f"table {t}" for t in entry["tables"])):
            owner.setdefault(claim, []).append(key)
    if shared := [f"{claim}: {', '.join(keys)}" for claim, keys in owner.items() if keys[1:]]:
        raise SourceError(path, "two sources claim the same", keys=shared)
    return {
        key: Source(id=key, **{**entry, "addresses": tuple(entry["addresses"])})
        for key, entry in entries.items()
    }


def fingerprint(path) -> tuple[int, str, bytes]:
    """Size, sha256 and the first bytes of a file."""
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        return size, digest, file.read(64)


def verify(path, source: Source) -> Path:
    """Compare a file with its registered digest before anything reads it.

    Raises
    ------
    SourceError
        Named by what the bytes are: an HTML page, a file that ends early, one that is too long,
        changed bytes.
    """
    size, digest, head = fingerprint(path)
    if digest == source.sha256:
        return Path(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        problem = f"an HTML page under the name of a {Path(source.file).suffix} file"
    elif size < source.bytes:
        problem = TRUNCATED
    elif size > source.bytes:
        problem = "the file is longer than registered"
    else:
        problem = "the bytes have changed"
    raise SourceError(
        path,
        problem,
        expected=f"{source.bytes} bytes, sha256 {source.sha256}",
        found=f"{size} bytes, sha256 {digest}, beginning {head[:16]!r}",
        remedy="remove it and the next run fetches it anew; a new vintage is registered in "
        "data/sources.yaml",
    )


def verify_tables(folder, sources, registry) -> None:
    """Compare the committed tables of a folder with the digests that the registry has of them.

    A table that is not there is not looked at: what needs it is left out of a run. One that no
    source claims is a fork's own.

    Raises
    ------
    SourceError
        One error with every table that is another one, or not signed.
    """
    odd = []
    for source in sources:
        for table in source.tables:
            path = Path(folder, f"{table}.csv")
            if not path.exists():
                continue
            expected, found = source.digests.get(table, "not signed"), fingerprint(path)[1]
            if expected != found:
                odd.append(f"{path}: expected {expected[:16]}, found {found[:16]}")
            elif source.access == "compiled" and found != source.sha256:
                odd.append(f"{path}: sha256 of the compiled source is {source.sha256[:16]}")
    if odd:
        raise SourceError(
            registry,
            "a table is not the registered one",
            keys=odd,
            remedy="make snapshot reads it anew from its raw file; make sign registers it as it "
            "is, after you have looked at what changed",
        )


def sign(path, folder, only=None) -> list[str]:
    """Write the digests of the tables of a folder into the registry, all else left as it is.

    Parameters
    ----------
    path, folder : path-like
        The registry and the folder of the tables.
    only : collection of str, optional
        Names of the sources that are signed; without it all.

    Returns
    -------
    list of str
        Names of the tables whose digest is a new one.
    """
    text, changed = Path(path).read_text(encoding="utf-8"), []
    for key, source in load_registry(path).items():
        if only is not None and key not in only:
            continue
        files = {table: Path(folder, f"{table}.csv") for table in source.tables}
        prints = {table: fingerprint(file) for table, file in files.items() if file.exists()}
        found = {table: digest for table, (_, digest, _) in prints.items()}
        changed += [table for table, digest in found.items() if source.digests.get(table) != digest]
        lines = [f"    {table}: {digest}\n" for table, digest in (source.digests | found).items()]
        entry = re.search(rf"^{key}:\n(?:(?:  .*|#.*)?\n)*?(?=^\S|\Z)", text, re.M)
        block = re.sub(r"^  digests:\n(?:    .*\n)*", "", entry[0], flags=re.M)
        block = block.rstrip("\n") + "\n" + "".join(["  digests:\n", *lines] if lines else [])
        if source.access == "compiled" and prints:
            # Its table is the original: the file is the table.
            size, digest, _ = prints[next(iter(prints))]
            block = re.sub(r"^  sha256: .*$", f"  sha256: {digest}", block, flags=re.M)
            block = re.sub(r"^  bytes: .*$", f"  bytes: {size}", block, flags=re.M)
        text = text[: entry.start()] + block + text[entry.end() :]
    Path(path).write_text(text, encoding="utf-8")
    return changed
