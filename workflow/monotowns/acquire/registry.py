"""The registry of sources and their verified bytes."""

import hashlib
from dataclasses import dataclass
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
    identify its rows; the other fields are what their names say.
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
