"""Estimators on simulated panels with a planted effect, for the appendix."""

from monotowns.run.stage import run
from monotowns.run.tables import write_table
from monotowns.studies.planted import validate


def main(effect: float, draws: int, seed: int, table: str):
    found = validate(effect, draws, seed)
    found = found.round({"mean": 3, "coverage": 1, "power": 1, "mc_error": 1})
    write_table(found, table)


if "snakemake" in globals():
    run(main, snakemake)
