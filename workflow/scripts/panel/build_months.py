"""The layer of months: wages by section and spending of entities, quarters of 2023 and 2024."""

from monotowns.panel import months
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(wages: str, consumption: str, ages: str, dictionary: str, layer: str):
    tables = map(read_table, (wages, consumption, ages, dictionary))
    write_table(check(months.build(*tables), "panel_months"), layer)


if "snakemake" in globals():
    run(main, snakemake)
