"""Stages of regional manufacturing: table, grid of rules against chance, facts."""

from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.stages import study


def main(
    structure: str, grp: str, deflator: dict, turn: dict, draws: int, seed: int, outputs: dict
):
    published = (
        check(read_table(structure), "gva_structure"),
        check(read_table(grp), "grp"),
    )
    records, facts, tables = study(*published, deflator, turn, draws, seed)
    for name, table in tables.items():
        write_table(table, outputs[name], "%.8g")
    write_table(records, outputs["records"])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
