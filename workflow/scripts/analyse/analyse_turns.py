"""Turns and falls of the volume of regional manufacturing, against chance."""

from monotowns.run import schema
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies import turns
from monotowns.studies.facts import save_facts

POPULATION = ["entity", "year", "region", "population"]


def main(
    regions: str,
    production: str,
    hand_volume: str,
    stages: str,
    places: str,
    panel: str,
    turn: dict,
    share: dict,
    draws: int,
    seed: int,
    outputs: dict,
):
    records, facts, tables = turns.study(
        read_table(regions),
        read_table(production),
        schema.read(hand_volume),
        hand_volume,
        read_table(stages),
        read_table(places),
        read_table(panel, POPULATION),
        turn,
        share,
        draws,
        seed,
    )
    for name, table in ({"records": records} | tables).items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
