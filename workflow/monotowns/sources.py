"""The registry of sources and their verified bytes."""

import hashlib
import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from monotowns.errors import SourceError

SCHEMA = Path(__file__).parents[1] / "schemas" / "sources.schema.json"
TRUNCATED = "the file ends early"


@dataclass(frozen=True)
class Source:
    """One entry of ``data/sources.yaml``.

    ``access`` is ``open`` (an address serves the file) or ``compiled`` (by the authors; no
    address). ``tables`` maps every table that is read from the file to the columns that
    identify its rows; the other fields are what their names say.
    """

    id: str
    file: str
    publisher: str
    title: str
    citation: str
    licence: str
    access: str
    landing_page: str
    addresses: tuple[str, ...]
    sha256: str
    bytes: int
    retrieved: str
    serves: str
    tables: dict[str, list[str]]


def load_registry(path) -> dict[str, Source]:
    """Load the registry and hold it to its schema.

    Returns
    -------
    dict
        Source by id, in the registry's order.

    Raises
    ------
    SourceError
        One error with every fault: a field that is unknown (with the nearest valid name),
        missing or not of its form, a file or a table that two sources claim.
    """
    import jsonschema

    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(path, "not a YAML file", found=error) from None
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    found = jsonschema.Draft202012Validator(schema).iter_errors(entries)
    faults = [line for error in found for line in _lines(error)]
    if not faults:
        faults = _shared(entries)
    if faults:
        raise SourceError(path, f"{len(faults)} fault(s) in the registry of sources",
                          found="".join(f"\n    {fault}" for fault in faults),
                          remedy="correct each; the other entries show the form")  # fmt: skip
    return {
        key: Source(id=key, **{**entry, "addresses": tuple(entry["addresses"])})
        for key, entry in entries.items()
    }


def _lines(error):
    """Say a schema's complaint in words; the schema's descriptions tell what is right."""
    at = ".".join(map(str, error.absolute_path)) or "registry"
    if error.validator == "additionalProperties":
        valid = list(error.schema["properties"])
        for key in sorted(set(map(str, error.instance)) - set(valid)):
            near = get_close_matches(key, valid, 1, 0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"valid: {', '.join(valid)}"
            yield f"{at}: unknown field '{key}'; {hint}"
    elif error.validator == "required":
        yield f"{at}: {error.message.split()[0]} is missing"
    else:
        about = error.schema.get("description")
        shown = str(error.instance)
        shown = repr(error.instance) if len(shown) < 80 else f"{shown[:80]}..."
        yield f"{at}: {shown} is not {about}" if about else f"{at}: {error.message[:200]}"


def _shared(entries):
    """Find what two sources claim."""
    owner, faults = {}, []
    for key, entry in entries.items():
        for claim in (f"file {entry['file']}", *(f"table {t}" for t in entry["tables"])):
            if claim in owner:
                faults.append(f"{key}: {claim} belongs to '{owner[claim]}' already")
            owner.setdefault(claim, key)
    return faults


def fingerprint(path) -> tuple[int, str, bytes]:
    """Size, sha256 and the first bytes of a file."""
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        return size, digest, file.read(64)


def verify(path, source: Source) -> Path:
    """Hold a file to its registered digest before anything reads it.

    Raises
    ------
    SourceError
        Named by what the bytes are (an HTML page, a file that ends early, one that is too long,
        changed bytes), with expected and observed size and digest and the first bytes.
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
        path, problem,
        expected=f"{source.bytes} bytes, sha256 {source.sha256}",
        found=f"{size} bytes, sha256 {digest}, beginning {head[:16]!r}",
        remedy="remove it and the next run fetches it anew; a new vintage is registered in "
        "data/sources.yaml",
    )  # fmt: skip
