"""Growth of towns and regions from 2020 on by their exposure to the growth of industries."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.reindustrialisation import study


def main(
    panel: str, exposure: str, shares: str, shocks: str, window: dict, seed: int, outputs: dict
):
    frames = [read_table(path) for path in (panel, exposure, shares, shocks)]
    records, facts, tables = study(*frames, window, seed)
    for name, table in ({"records": records} | tables).items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
