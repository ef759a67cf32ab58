"""What is kept of a run for others to compare theirs with, and how a run is made elsewhere.

Small tables are kept whole and, of everything else, the digest of every file; of the panel also
digests by row and by column, so that a row that differs can still be named.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd

from monotowns.audit.records import load
from monotowns.run.errors import InputError
from monotowns.run.lock import snakemake, wait_for_others
from monotowns.run.stage import digest
from monotowns.run.tables import read_table

#: Kept whole, below ``results``.
WHOLE = (
    "estimates.csv",
    "numbers.json",
    "claims.csv",
    "checklist.csv",
    "tables/*.csv",
    "facts/*.json",
)
#: Too large to keep whole: digests by row and column. Path -> the columns that identify a row.
BY_CELL = {
    "data/panel/panel.parquet": ["entity", "year"],
    "data/panel/measures.parquet": ["entity", "year"],
}
#: Kept as digests.
DIGESTED = ("data/snapshot/*.csv", "data/panel/*", "results/figures/*", "results/paper.pdf")
#: What the workflow reads, of a checkout, and the folders of ``data`` that runs have written.
READ = (
    "Snakefile",
    "LICENSE",
    "config",
    "data",
    "envs",
    "paper",
    "results/expected",
    "workflow",
)
WRITTEN = ("raw", "clean", "panel", "drift", "quarantine")


def keep(root, folder) -> None:
    """Write what a rerun is compared with.

    Parameters
    ----------
    root : path-like
        Folder of a finished run.
    folder : path-like
        Where it is kept; files of an earlier run that no longer exist are removed.
    """
    root, folder = Path(root), Path(folder)
    for old in [path for pattern in WHOLE for path in folder.glob(pattern)]:
        old.unlink()
    for path in [path for pattern in WHOLE for path in root.glob(f"results/{pattern}")]:
        target = folder / path.relative_to(root / "results")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    text = json.dumps(environment(root), indent=1, sort_keys=True)
    (folder / "environment.json").write_text(text + "\n", encoding="utf-8")
    paths = sorted(p for pattern in DIGESTED for p in root.glob(pattern) if p.is_file())
    rows = [(p.relative_to(root).as_posix(), p.stat().st_size, digest(p)) for p in paths]
    _write(pd.DataFrame(rows, columns=["path", "bytes", "sha256"]), folder / "digests.csv")
    for path, key in BY_CELL.items():
        table = read_table(root / path)
        table = table.astype(object).where(table.notna(), "").astype(str)
        rows = table[key].assign(digest=table.agg("\x1f".join, axis=1).map(_short))
        _write(rows, folder / f"cells/{Path(path).stem}.rows.csv")
        columns = [(name, _short("\x1f".join(table[name]))) for name in table]
        columns = pd.DataFrame(columns, columns=["column", "digest"])
        _write(columns, folder / f"cells/{Path(path).stem}.columns.csv")


def environment(root) -> dict:
    """What a run was made with: Python's version, the machine's kind, the lock's digest, and the
    digest of the code of every rule."""
    jobs = load(Path(root, "logs")).values()
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        "lock": digest(Path(root, "envs/requirements.lock"))[:16],
        "code": {job["rule"]: job["params"].get("code", "") for job in jobs},
    }


def _write(table, path):
    table.to_csv(path, index=False, lineterminator="\n")


def _short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def rebuild(root, folder, source: str, cores: int) -> None:
    """Run the workflow of a checkout in another folder, with that folder's own library.

    However this process is asked to end, its Snakemake is gone before it returns.

    Parameters
    ----------
    root, folder : path-like
        The checkout and an empty folder.
    source : str
        ``snapshot`` or ``download``.
    cores : int

    Raises
    ------
    InputError
        The run stops; the last of what it prints is quoted.
    """
    for name in READ:
        if Path(root, name).is_dir():
            beside = WRITTEN if name == "data" else ("local.yaml", "__pycache__")
            ignored = shutil.ignore_patterns(*beside)
            shutil.copytree(Path(root, name), Path(folder, name), ignore=ignored)
        else:
            shutil.copy(Path(root, name), Path(folder, name))
    words = ["--cores", str(cores), "--config", f"acquisition={source}"]
    env = os.environ | {"PYTHONPATH": str(Path(folder, "workflow"))}
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": env}
    child = snakemake(folder, words, start_new_session=True, **options)
    try:
        _, printed = child.communicate()
    except BaseException:
        # Nothing in this folder is worth finishing.
        os.killpg(child.pid, signal.SIGKILL)
        wait_for_others(folder)
        raise
    if child.returncode:
        raise InputError("the rerun", "the workflow stopped", found=printed[-6000:])
