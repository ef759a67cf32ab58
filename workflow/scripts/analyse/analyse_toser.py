"""The status beyond single specifications: cohorts, overlap, pre-trends, sensitivity, placebos."""

import pandas as pd
from monotowns.estimate.specification import prepare
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts
from monotowns.studies.toser import study


def main(
    panel: str,
    measures: str,
    exposure: str,
    draws: dict,
    seed: int,
    rings_km: list,
    records: str,
    facts: str,
    means: str,
    overlap: str,
    left_out: str,
):
    tables = (pd.read_csv(path, dtype={"entity": str}) for path in (panel, measures, exposure))
    estimates, found, written = study(prepare(*tables), draws, seed, rings_km)
    written |= {"records": estimates}
    places = {"records": records, "means": means, "overlap": overlap, "left_out": left_out}
    for name, path in places.items():
        written[name].to_csv(path, index=False, lineterminator="\n", float_format="%.10g")
    save_facts(found, facts)


if "snakemake" in globals():
    run(main, snakemake)
