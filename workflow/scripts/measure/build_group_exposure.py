"""Exposure of entities to the growth of groups of divisions, with its shares and shocks."""

from monotowns.acquire.readers.regions import RUSSIA
from monotowns.measures.entities import locate_industries
from monotowns.measures.exposure import build_group_exposure
from monotowns.panel import places
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(groups: str, industries: str, towns: str, entities: str, window: dict, outputs: dict):
    shipments = check(read_table(groups), "regional_groups")
    located = locate_industries(
        check(read_table(industries), "monotown_industries"),
        read_table(towns),
        read_table(entities),
    )
    known = places.group_of_division(sorted(shipments["group"].unique()))
    located["group"] = places.group_of_rows(located, known)
    of_regions = shipments[shipments["region"] != RUSSIA]
    tables = build_group_exposure(of_regions, located, window)
    for name, table in zip(("exposure", "shares", "shocks"), tables, strict=True):
        write_table(table, outputs[name])


if "snakemake" in globals():
    run(main, snakemake)
