"""Fetch one source's raw file and verify it."""

import os
from pathlib import Path

from monotowns.acquire.download import fetch, from_environment
from monotowns.acquire.registry import load_registry
from monotowns.run.stage import run


def main(registry: str, file: str, quarantine: str, raw: str):
    source = next(s for s in load_registry(registry).values() if s.file == file)
    fetch(source, Path(raw).parent, quarantine, **from_environment(os.environ))


if "snakemake" in globals():
    run(main, snakemake)
