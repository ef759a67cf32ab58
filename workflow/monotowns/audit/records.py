"""The records of the jobs, and whether the chain of their digests is whole."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from monotowns.run.errors import InputError
from monotowns.run.stage import digest


def load(folder) -> dict[str, dict]:
    """Read the records of all jobs.

    Parameters
    ----------
    folder : path-like
        The logs, see :func:`monotowns.run.stage.run`.

    Returns
    -------
    dict
        Output's path -> record of the job that wrote it; a record carries its own path as ``log``.
    """
    found = {}
    for path, record in _read(folder):
        record["log"] = path.relative_to(Path(folder).parent).as_posix()
        found |= dict.fromkeys(record["outputs"], record)
    return found


def _read(folder):
    """The records' paths and contents, in the order of the paths."""
    for path in sorted(Path(folder).rglob("*.json")):
        # A job that was killed while it wrote has left no record.
        with suppress(json.JSONDecodeError):
            yield path, json.loads(path.read_text(encoding="utf-8"))


def lay_out(target, here="", written="") -> None:
    """Lay what a run read and wrote into one folder under the names that a plain run gives.

    A run may read the study's files from another folder, write under the prefix of an importing
    workflow and read tables from anywhere; in the folder that is laid out there are links to all
    of them, and the records speak of these names.

    Parameters
    ----------
    target : path-like
        An empty folder.
    here : str
        Prefix that leads from the working folder to the study's own files.
    written : str
        Prefix under which this run writes.
    """
    target = Path(target)

    def name(path):
        path = path.removeprefix(here).removeprefix(written)
        parts = [part for part in Path(path).parts if part not in ("/", "..")]
        inside = not Path(path).is_absolute() and ".." not in Path(path).parts
        return Path(*parts).as_posix() if inside else Path("outside", *parts).as_posix()

    def link(path, place):
        place = target / place
        # A folder that is linked whole has the file already.
        if not place.exists() and Path(path).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(Path(path).resolve())

    for own in ("Snakefile", "LICENSE", "workflow", "config", "envs", "data/corrections"):
        link(f"{here}{own}", own)
    # Typst wants its document within the folder and follows links before it looks.
    shutil.copytree(f"{here}paper", target / "paper")
    for path, record in _read(f"{written}logs"):
        for side in ("inputs", "outputs"):
            for one in record[side]:
                link(one, name(one))
            record[side] = {name(one): sha256 for one, sha256 in record[side].items()}
        log = target / "logs" / path.relative_to(f"{written}logs")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(record), encoding="utf-8")


def altered(root=".") -> list[str]:
    """Files that a job wrote and whose bytes are no longer those that it left."""
    root = Path(root)
    return [
        path
        for path, record in load(root / "logs").items()
        if (root / path).is_file() and digest(root / path) != record["outputs"][path]
    ]


def set_aside(folder, paths: list[str]) -> Path:
    """Move altered files away, so that their jobs write them anew; nothing is lost.

    Returns
    -------
    pathlib.Path
        The folder they now lie in, under their own paths.
    """
    aside = Path(folder, ".snakemake/aside")
    target = aside / str(1 + sum(1 for _ in aside.glob("*")))
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(folder, path), target / path)
    return target


def broken(records: dict[str, dict], root=".") -> list[str]:
    """Say where the chain breaks; empty when every byte is accounted for.

    An output must be on disk as its job left it, and what a job read must be what the job before
    it wrote.
    """
    found = [f"{path}: not as {records[path]['rule']} wrote it" for path in altered(root)]
    for path, record in records.items():
        if not Path(root, path).exists():
            found.append(f"{path}: written by {record['rule']}, now missing")
    for record in {id(r): r for r in records.values()}.values():
        for path, sha256 in record["inputs"].items():
            before = records.get(path)
            if before and before["outputs"][path] != sha256:
                found.append(f"{path}: {record['log']} read other bytes than {before['log']} wrote")
    return found


def ancestry(path: str, records: dict[str, dict]) -> list[str]:
    """List the files that a file was made from, nearest first, down to those that no job wrote.

    Raises
    ------
    InputError
        No job left a record of the file.
    """
    if path not in records:
        raise InputError(
            "logs",
            "no job left a record of a file",
            keys=[path],
            remedy="snakemake --forcerun with the rule that writes it",
        )
    queue, found = [path], {}
    while queue:
        for one in records.get(queue.pop(0), {"inputs": {}})["inputs"]:
            if one not in found:
                found[one] = None
                queue.append(one)
    return list(found)
