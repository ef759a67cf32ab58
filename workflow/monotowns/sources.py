"""The registry of sources and their verified bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from monotowns.errors import SourceError


@dataclass(frozen=True)
class Source:
    """One entry of ``data/sources.yaml``."""

    id: str
    file: str
    publisher: str
    title: str
    licence: str
    sha256: str
    bytes: int
    retrieved: str
    landing_page: str = ""
    addresses: tuple = ()
    serves: str = ""


def load_registry(path) -> dict[str, Source]:
    """Load the registry; an unknown or missing field is refused.

    Raises
    ------
    SourceError
    """
    entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    registry = {}
    for key, entry in entries.items():
        try:
            registry[key] = Source(id=key, **entry)
        except TypeError as error:
            raise SourceError(str(path), str(error).split("() ")[-1], keys=[key]) from None
        if Path(entry["file"]).name != entry["file"]:
            raise SourceError(str(path), "a file name holds a folder", keys=[key])
    return registry


def verify(path, source: Source) -> Path:
    """Hold a file to its registered digest before anything reads it.

    Raises
    ------
    SourceError
        With expected and observed size and digest and the first bytes.
    """
    body = Path(path).read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    if digest != source.sha256:
        raise SourceError(
            source.file, "these are not the registered bytes",
            expected=f"{source.bytes} bytes, sha256 {source.sha256}",
            found=f"{len(body)} bytes, sha256 {digest}, beginning {body[:16]!r}",
            remedy="fetch the file anew, or register the new vintage in data/sources.yaml",
        )  # fmt: skip
    return Path(path)


def fetch(source: Source, folder, mirrors=()) -> Path:
    """Bring a source's file into a folder: mirrors (folders) first, then its addresses.

    Raises
    ------
    SourceError
        When no place serves the registered bytes; nothing is left in ``folder``.
    """
    import shutil

    import pooch

    target = Path(folder) / source.file
    if target.exists():
        return verify(target, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    tried = []
    for mirror in mirrors:
        if (Path(mirror) / source.file).exists():
            verify(Path(mirror) / source.file, source)
            shutil.copyfile(Path(mirror) / source.file, target)
            return target
        tried.append(f"{mirror}: no such file")
    for address in source.addresses:
        try:
            found = pooch.retrieve(
                address, f"sha256:{source.sha256}", source.file, folder, progressbar=True
            )
            return Path(found)
        except Exception as error:
            tried.append(f"{address}: {type(error).__name__}: {error}")
    raise SourceError(
        source.file, "no place serves the registered bytes", found="; ".join(tried) or "no address",
        remedy="put the file into a folder and set MONOTOWNS_MIRROR to it",
    )  # fmt: skip
