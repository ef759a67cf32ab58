"""The table of effects: the declared rows, all outcomes, from the collected records."""

from monotowns.manuscript.tables import effects, effects_print
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(estimates: str, declared: dict, cells: str, cells_print: str):
    table = effects(read_table(estimates), declared)
    write_table(table, cells)
    write_table(effects_print(table, declared["outcomes"]), cells_print)


if "snakemake" in globals():
    run(main, snakemake)
