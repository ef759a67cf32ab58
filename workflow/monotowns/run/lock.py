"""One run at a time in a folder, also after a run that was killed."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from monotowns.run.errors import InputError

#: Environment variable that marks every process of a run with the folder it writes to.
MARK = "MONOTOWNS_RUN"
#: The C library's ``prctl`` asks Linux for a signal when the parent ends.
LIBC, PR_SET_PDEATHSIG = ctypes.CDLL(None), 1


@contextmanager
def hold(folder):
    """Take a folder for one run, and wait for what a killed run left at work there.

    The lock is this process's alone: no child inherits it, so it ends with its holder. Children
    that outlive a killed run are known by their mark instead. Snakemake's own lock files of a
    killed run are removed.

    Raises
    ------
    InputError
        Another run is at work in the folder.
    """
    path = Path(folder, ".snakemake/run.lock").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InputError(
                str(path.parents[1]),
                "another run is at work here",
                found=file.read() or "another run",
                remedy="wait for it, or end it first",
            ) from None
        file.truncate(0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        print(f"process {os.getpid()}, since {now}", end="", file=file, flush=True)
        wait_for_others(folder)
        for left in (path.parent / "locks").glob("*.lock"):
            left.unlink()
        yield


def wait_for_others(folder) -> None:
    """Wait until no process of another run is at work in a folder, saying which one is."""
    named = set()
    while found := at_work(folder):
        if new := set(found) - named:
            print(f"Waiting for an earlier run, still at work: process {new}", flush=True)
            named |= new
        time.sleep(0.1)


def at_work(folder) -> list[int]:
    """Processes of runs in a folder: those marked and any other Snakemake that works there.

    This process and those above it do not count, nor do dead ones that wait for their parent.
    """
    folder, here = str(Path(folder).resolve()), psutil.Process()
    own, found = {here.pid, *(p.pid for p in here.parents())}, []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            marked = process.environ().get(MARK) == folder
            by_hand = any(Path(word).name == "snakemake" for word in process.cmdline()[:3])
            if process.pid not in own and (marked or (by_hand and process.cwd() == folder)):
                found.append(process.pid)
    return found


def snakemake(folder, words, **options) -> subprocess.Popen:
    """Start Snakemake in a folder; on Linux it is killed when this process ends, however it ends.

    Killed, not asked: in version 9.27 a SIGTERM while it chooses its next jobs blocks it forever.
    Jobs that run end by themselves; the next run waits for them.
    """
    options["env"] = options.get("env", os.environ) | {MARK: str(Path(folder).resolve())}
    command = [sys.executable, "-m", "snakemake", *words]
    return subprocess.Popen(command, cwd=folder, preexec_fn=_end_with_parent, **options)


def _end_with_parent():
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_in_order() -> None:
    """Let a request to end this process run its clean-up: a temporary folder goes, a child too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
