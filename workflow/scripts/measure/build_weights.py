"""Entropy-balancing weights of the controls, and how far they balance."""

from monotowns.measures.balance import balance_panel
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(panel: str, settings: dict, weights: str, balance: str):
    frame = read_table(panel)
    tables = balance_panel(frame, "monotown", settings["columns"], settings["years"])
    for path, table in zip((weights, balance), tables, strict=True):
        write_table(table, path)


if "snakemake" in globals():
    run(main, snakemake)
