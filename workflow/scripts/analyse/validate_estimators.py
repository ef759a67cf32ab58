"""Estimators on simulated panels with a planted effect, for the appendix."""

from monotowns.run.stage import run
from monotowns.studies.planted import validate


def main(effect: float, draws: int, seed: int, table: str):
    found = validate(effect, draws, seed)
    found = found.round({"mean": 3, "coverage": 1, "power": 1, "mc_error": 1})
    found.to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
