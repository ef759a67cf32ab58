"""Monotowns around the turn of their region's manufacturing, and along its volume."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.turn_effects import OUTCOMES, study

PANEL = ["entity", "year", "region", *OUTCOMES]


def main(
    dated: str,
    places: str,
    panel: str,
    cities: str,
    turn: dict,
    draws: dict,
    seed: int,
    outputs: dict,
):
    frames = read_table(dated), read_table(places), read_table(panel, PANEL), read_table(cities)
    records, facts, tables = study(*frames, turn, draws, seed)
    for name, table in ({"records": records} | tables).items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
