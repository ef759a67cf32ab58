"""Growth of monotowns 2023-2024 by the growth of their main industry's group, 2022-2024."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.groups import study


def main(
    places: str,
    growth: str,
    panel: str,
    exposure: str,
    shares: str,
    shocks: str,
    year: int,
    window: dict,
    draws: dict,
    seed: int,
    outputs: dict,
):
    frames = map(read_table, (places, growth, panel, exposure, shares, shocks))
    records, facts, tables = study(*frames, f"urban_{year}", window, draws, seed)
    for name, table in ({"records": records} | tables).items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
