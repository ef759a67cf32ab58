"""Growth of wages and spending of every entity from 2023 to 2024."""

from monotowns.panel import months
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(months_layer: str, growth: str):
    write_table(check(months.growth(read_table(months_layer)), "growth"), growth)


if "snakemake" in globals():
    run(main, snakemake)
