"""Exposure of entities to the growth of industries, with the shares and shocks it is made of."""

import pandas as pd
from monotowns.measures import exposure as measures
from monotowns.measures.entities import locate_industries
from monotowns.measures.industry import price_index
from monotowns.panel.contracts import check
from monotowns.run.stage import run


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
    entities = pd.read_csv(panel, dtype={"entity": str}).drop_duplicates("entity")
    located = locate_industries(
        check(pd.read_csv(industries), "monotown_industries"),
        pd.read_csv(towns, dtype={"entity": str}),
        entities,
    )
    tables = measures.build_exposure(
        check(pd.read_csv(structure), "gva_structure"),
        check(pd.read_csv(grp), "grp"),
        price_index(deflator),
        located,
        entities,
        window,
    )
    for name, table in zip(("exposure", "shares", "shocks"), tables, strict=True):
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    run(main, snakemake)
