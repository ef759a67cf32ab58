"""What the jobs left of what they did, and whether the chain of their digests is whole."""

import json
from pathlib import Path

from monotowns.errors import InputError
from monotowns.stage import digest


def load(folder) -> dict[str, dict]:
    """Read the records of all jobs.

    Parameters
    ----------
    folder : path-like
        The logs, see :func:`monotowns.stage.run`.

    Returns
    -------
    dict
        Output's path -> record of the job that wrote it; a record carries its own path as ``log``.
    """
    found = {}
    for path in sorted(Path(folder).rglob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8")) | {"log": path.as_posix()}
        except json.JSONDecodeError:
            continue  # a job that was killed while it wrote; its outputs have no record
        found |= dict.fromkeys(record["outputs"], record)
    return found


def broken(records: dict[str, dict], root=".") -> list[str]:
    """Say where the chain breaks; empty when every byte is accounted for.

    An output must be on disk as its job left it, and what a job read must be what the job before
    it wrote.
    """
    root, found = Path(root), []
    for path, record in records.items():
        if not (root / path).exists():
            found.append(f"{path}: written by {record['rule']}, now missing")
        elif digest(root / path) != record["outputs"][path]:
            found.append(f"{path}: not as {record['rule']} wrote it")
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
        raise InputError("logs", "no job left a record of a file", keys=[path],
                         remedy="snakemake --forcerun with the rule that writes it")  # fmt: skip
    queue, found = [path], {}
    while queue:
        for one in records.get(queue.pop(0), {"inputs": {}})["inputs"]:
            if one not in found:
                found[one] = None
                queue.append(one)
    return list(found)
