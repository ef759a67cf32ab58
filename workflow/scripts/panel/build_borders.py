"""Dissolve the outlines of territories to entities and regions, and list what has none."""

from monotowns.panel import borders
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(inputs: dict, outputs: dict):
    tables = ("borders", "municipal_dictionary")
    both = [check(read_table(inputs[name]), name) for name in tables]
    entities, regions = borders.of_entities(*both), borders.of_regions(*both)
    write_table(borders.to_table(entities, regions), outputs["borders"])
    write_table(borders.without(*both), outputs["without"])


if "snakemake" in globals():
    run(main, snakemake)
