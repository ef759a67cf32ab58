"""The status in further outcomes and layers, and the detectable beside published effects."""

from monotowns.estimate.sample import prepare
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.toser_layers import detectable, study


def main(
    panel: str,
    places: str,
    cities: str,
    growth: str,
    municipal: str,
    published: str,
    settings: dict,
    draws: int,
    seed: int,
    rings_km: list,
    records: str,
    facts: str,
    layers: str,
    beside: str,
):
    every = map(read_table, (places, cities, growth, municipal))
    found, written, table = study(
        prepare(read_table(panel)), *every, settings, draws, seed, rings_km
    )
    write_table(found, records)
    write_table(table, layers)
    write_table(detectable(table, read_table(published)), beside)
    save_facts(written, facts)


if "snakemake" in globals():
    run(main, snakemake)
