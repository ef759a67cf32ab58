"""Exposure of entities to the growth of industries, with the shares and shocks it is made of."""

from monotowns.measures import exposure as measures
from monotowns.measures.entities import locate_industries
from monotowns.measures.industry import price_index
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(
    structure: str,
    grp: str,
    industries: str,
    towns: str,
    panel: str,
    deflator: dict,
    window: dict,
    outputs: dict,
):
    entities = read_table(panel).drop_duplicates("entity")
    located = locate_industries(
        check(read_table(industries), "monotown_industries"),
        read_table(towns),
        entities,
    )
    tables = measures.build_exposure(
        check(read_table(structure), "gva_structure"),
        check(read_table(grp), "grp"),
        price_index(deflator),
        located,
        entities,
        window,
    )
    for name, table in zip(("exposure", "shares", "shocks"), tables, strict=True):
        write_table(table, outputs[name])


if "snakemake" in globals():
    run(main, snakemake)
