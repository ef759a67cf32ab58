"""The status cohort by cohort: paths, effects, pool, overlap, sensitivity, placebos, spillovers."""

from monotowns.estimate.sample import prepare
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.toser import study


def main(
    panel: str,
    measures: str,
    exposure: str,
    settings: dict,
    draws: dict,
    seed: int,
    rings_km: list,
    outputs: dict,
):
    tables = map(read_table, (panel, measures, exposure))
    records, facts, tables = study(prepare(*tables), settings, draws, seed, rings_km)
    for name, table in ({"records": records} | tables).items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
