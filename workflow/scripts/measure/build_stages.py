"""Stages of regional manufacturing: table, grid of rules against chance, facts."""

import pandas as pd
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts
from monotowns.studies.stages import study


def main(
    structure: str, grp: str, deflator: dict, turn: dict, draws: int, seed: int, outputs: dict
):
    published = (
        check(pd.read_csv(structure), "gva_structure"),
        check(pd.read_csv(grp), "grp"),
    )
    records, facts, tables = study(*published, deflator, turn, draws, seed)
    for name, table in tables.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.8g")
    records.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
