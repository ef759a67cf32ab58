"""Rebuild the study in a temporary folder and say how far it agrees; run by `make verify`."""

#: What the workflow reads, of a checkout.
NEEDED = (
    "Snakefile",
    "config",
    "workflow",
    "data/snapshot",
    "data/corrections",
    "data/sources.yaml",
    "data/literature.csv",
    "data/row_counts.csv",
    "data/known_faults.csv",
    "envs",
    "paper",
    "results/expected",
    "LICENSE",
)
#: Exit codes: a caller can tell "within tolerance" from "every byte".
EXIT = {"full": 0, "partial": 1, "failed": 2}


def copy(root, folder):
    """Copy what the workflow reads into a folder."""
    import shutil
    from pathlib import Path

    for name in NEEDED:
        source, target = Path(root, name), Path(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "local.yaml")
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)


def snakemake(folder, source: str, cores: int) -> None:
    """Run the workflow of a folder with the folder's own library.

    Raises
    ------
    InputError
        The run stops; the last of what it says is quoted.
    """
    import os
    import subprocess
    import sys
    from pathlib import Path

    from monotowns.run.errors import InputError

    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        str(cores),
        "--config",
        f"acquisition={source}",
    ]
    env = os.environ | {"PYTHONPATH": str(Path(folder, "workflow"))}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        raise InputError("the rerun", "the workflow stopped", found=done.stderr[-6000:])


def main(root: str, source: str, cores: int, rebuilt: str | None) -> str:
    import json
    import tempfile
    from pathlib import Path

    import yaml
    from monotowns.audit.compare import compare, report
    from monotowns.audit.expected import compared, environment

    kept = Path(root, "results/expected")
    config = yaml.safe_load(Path(root, "config/config.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="verify ") as temporary:
        folder = Path(rebuilt) if rebuilt else Path(temporary)
        if not rebuilt:
            copy(root, folder)
            print(f"Rebuilding from {source} in {folder} ...", flush=True)
            snakemake(folder, source, cores)
        found = compare(kept, folder, config["draws"]["permutation"])
    grade, text = report(found, compared(kept))
    now, then = environment(root), json.loads((kept / "environment.json").read_text("utf-8"))
    for name, value in now.items():
        told = "as expected" if value == then[name] else f"expected {then[name]}"
        print(f"{name} {value} ({told})")
    print(text)
    return grade


if __name__ == "__main__":
    import argparse
    import sys

    from monotowns.run.stage import run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=["snapshot", "download"], default="snapshot")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rebuilt", help="a finished run to compare instead of a new one")
    given = parser.parse_args()
    run(lambda: sys.exit(EXIT[main(".", given.source, given.cores, given.rebuilt)]))
