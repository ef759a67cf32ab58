"""Spatial panels of the monotown gap over several weights, and tests of spatial dependence."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies import spatial
from monotowns.studies.facts import save_facts


def main(panel, settings: dict, list_year: int, draws: dict, seed: int, records, facts):
    rows = read_table(panel)
    estimates, numbers, _ = spatial.study(rows, settings, list_year, draws, seed)
    write_table(estimates, records)
    save_facts(numbers, facts)


if "snakemake" in globals():
    run(main, snakemake)
