"""Fetch one source's raw file and verify it."""

import os


def main(registry: str, file: str, quarantine: str, raw: str):
    from pathlib import Path

    from monotowns.acquire.download import fetch, from_environment
    from monotowns.acquire.registry import load_registry

    source = next(s for s in load_registry(registry).values() if s.file == file)
    fetch(source, Path(raw).parent, quarantine, **from_environment(os.environ))


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        registry=snakemake.input.registry,
        file=snakemake.wildcards.file,
        quarantine=snakemake.params.quarantine,
        raw=snakemake.output.raw,
    )
