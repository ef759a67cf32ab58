"""Spatial panels of the monotown gap over several weights, and tests of spatial dependence."""

import pandas as pd
from monotowns.run.stage import run
from monotowns.studies import spatial
from monotowns.studies.facts import save_facts


def main(panel, settings: dict, list_year: int, draws: dict, seed: int, records, facts):
    rows = pd.read_csv(panel, dtype={"entity": str})
    estimates, numbers, _ = spatial.study(rows, settings, list_year, draws, seed)
    estimates.to_csv(records, index=False, lineterminator="\n", float_format="%.10g")
    save_facts(numbers, facts)


if "snakemake" in globals():
    run(main, snakemake)
