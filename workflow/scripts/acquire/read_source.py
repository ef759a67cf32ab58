"""Read one table from its raw file, which is verified first."""

from pathlib import Path

from monotowns.acquire.readers import read
from monotowns.acquire.registry import load_registry, verify
from monotowns.run.stage import run


def main(registry: str, raw: str, outputs: dict):
    name = Path(outputs["table"]).stem
    source = next(s for s in load_registry(registry).values() if name in s.tables)
    read(name, verify(raw, source)).to_csv(outputs["table"], index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
