"""Convergence of incomes, convergence clubs of regions, and the hierarchy of towns."""

import pandas as pd
from monotowns.run.stage import run
from monotowns.studies import convergence
from monotowns.studies.facts import save_facts


def main(panel, towns, tails: list, seed: int, outputs: dict):
    rows = pd.read_csv(panel, dtype={"entity": str})
    sizes = pd.read_csv(towns)["population"]
    estimates, numbers, tables = convergence.study(rows, sizes, tails, seed)
    estimates.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(numbers, outputs["facts"])
    for name, table in tables.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.6g")


if "snakemake" in globals():
    run(main, snakemake)
