"""A copy of the checkout, without what runs have written or with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What the workflow reads; the rest of a checkout (tests, environment) it does not need.
NAMES = (
    "Snakefile",
    "config",
    "workflow",
    "data/snapshot",
    "data/corrections",
    "data/sources.yaml",
    "data/literature.csv",
    "data/plausible_effects.csv",
    "data/row_counts.csv",
    "data/known_faults.csv",
    "envs",
    "LICENSE",
    "paper",
    "results/expected",
)
#: What a run has written, and Snakemake's own account of it.
WRITTEN = ("results", "data/panel", "logs", ".snakemake/metadata")


def checkout(folder: Path, names=NAMES) -> Path:
    """Copy what the workflow reads into a folder and return it; time stamps stay."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def built_copy(folder: Path) -> Path | None:
    """Copy a finished run with what it read; none where nothing was built."""
    if not all((ROOT / name).exists() for name in (*WRITTEN, "results/paper.pdf")):
        return None
    return checkout(folder, NAMES + WRITTEN)


def snakemake(folder, *words, before=(), **environment):
    """Run Snakemake in a copy with the copy's own library; exit code and all that it said."""
    command = [*before, sys.executable, "-m", "snakemake", "--cores", "1", *words]
    own = {**os.environ, "PYTHONPATH": str(folder / "workflow"), "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, env=own | environment)
    return done.returncode, done.stderr.decode() + done.stdout.decode()


def edit(path, old, new):
    """Replace the one place of a file that has a text."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def git(folder, *words):
    """Call git as nobody in particular; what it says."""
    identity = ["-c", "user.name=test", "-c", "user.email=test"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
