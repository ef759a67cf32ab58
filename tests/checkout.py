"""A copy of the checkout, without what runs have written."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What the workflow reads; the rest of a checkout (tests, environment) it does not need.
NAMES = ("Snakefile", "config", "workflow", "data/snapshot", "data/corrections",
         "data/sources.yaml", "data/literature.csv", "paper", "results/expected",
         "envs", "LICENSE")  # fmt: skip


def checkout(folder: Path) -> Path:
    """Copy what the workflow reads into a folder and return it."""
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder
