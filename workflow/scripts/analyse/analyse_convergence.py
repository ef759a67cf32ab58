"""Convergence of incomes, convergence clubs of regions, and the hierarchy of towns."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies import convergence
from monotowns.studies.facts import save_facts


def main(panel, towns, tails: list, seed: int, outputs: dict):
    rows = read_table(panel)
    sizes = read_table(towns)["population"]
    estimates, numbers, tables = convergence.study(rows, sizes, tails, seed)
    write_table(estimates, outputs["records"])
    save_facts(numbers, outputs["facts"])
    for name, table in tables.items():
        write_table(table, outputs[name], "%.6g")


if "snakemake" in globals():
    run(main, snakemake)
