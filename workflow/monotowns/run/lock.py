"""One run at a time in a folder, and nothing altered by hand taken for what a job wrote."""

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from monotowns.audit.records import load
from monotowns.run.errors import InputError
from monotowns.run.stage import digest

#: Where Snakemake marks a folder as taken; the mark stays when the process is killed.
LOCKS = ".snakemake/locks"


@contextmanager
def hold(folder):
    """Take a folder for one run; yields the lock's file descriptor, for the child to inherit.

    The operating system frees the lock when the last process that holds it ends, however it ends.

    Raises
    ------
    InputError
        Another run is at work in the folder.
    """
    path = Path(folder) / ".snakemake/run.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.pread(descriptor, 1000, 0).decode() or "another run"
        os.close(descriptor)
        raise InputError(
            str(Path(folder).resolve()),
            "another run is at work here",
            found=told,
            remedy="wait for it, or end it first",
        ) from None
    try:
        os.truncate(descriptor, 0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, f"process {os.getpid()}, since {now}".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def free(folder) -> list[str]:
    """Remove the marks of runs that were killed; to be called by the run that holds the folder.

    Returns
    -------
    list of str
        The files removed.

    Raises
    ------
    InputError
        A run that was started otherwise is alive in the folder.
    """
    locks = Path(folder) / LOCKS
    marks = sorted(locks.glob("*.lock")) if locks.is_dir() else []
    if marks and (alive := others(folder)):
        raise InputError(
            str(Path(folder).resolve()),
            "another run is at work here",
            found=f"snakemake, process {alive[0]}",
            remedy="wait for it, or end it first",
        )
    for mark in marks:
        mark.unlink()
    return [mark.name for mark in marks]


def others(folder) -> list[int]:
    """Processes of Snakemake at work in a folder, but for this one and those above it."""
    import psutil

    folder, here = Path(folder).resolve(), psutil.Process()
    own = {here.pid, *(p.pid for p in here.parents())}
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        runs = any(Path(word).name == "snakemake" for word in words[:3])
        if runs and process.info["pid"] not in own and process.info["cwd"] == str(folder):
            found.append(process.info["pid"])
    return found


def altered(folder) -> list[str]:
    """Files that a job wrote and whose bytes are no longer those that it left."""
    folder = Path(folder)
    return [
        path
        for path, record in load(folder / "logs").items()
        if (folder / path).is_file() and digest(folder / path) != record["outputs"][path]
    ]


def set_aside(folder, paths: list[str]) -> Path | None:
    """Move altered files away, so that their jobs write them anew; nothing is lost.

    Returns
    -------
    pathlib.Path or None
        The folder they now lie in, under their own paths; None when there were none.
    """
    if not paths:
        return None
    folder = Path(folder)
    number = 1 + sum(1 for _ in (folder / ".snakemake/aside").glob("*"))
    target = folder / ".snakemake/aside" / str(number)
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / path, target / path)
    (target / "files.json").write_text(json.dumps(paths, indent=1), encoding="utf-8")
    return target
