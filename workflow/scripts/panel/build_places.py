"""One row an entity: status, policy, industry, kind and place, for the panels of all layers."""

import pandas as pd
from monotowns.measures.entities import locate_industries
from monotowns.panel import places
from monotowns.panel.contracts import check
from monotowns.panel.territories import newest
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(inputs: dict, year: int, table: str):
    read = {name: read_table(path) for name, path in inputs.items()}
    codes = pd.read_csv(inputs["hand_crosswalk"], dtype=str)
    by_hand = pd.read_csv(inputs["hand_kinds"], dtype=str)
    versions = read["dictionary"]
    urban = places.urban_kind(read["kinds"], by_hand, read["incomes"], versions, codes)
    centre = newest(versions)
    located = locate_industries(read["industries"], read["towns"], centre.reset_index())
    groups = places.group_of_division(sorted(read["groups"]["group"].unique()))
    industry = places.main_industry(located, groups)
    built = places.build(centre, read["status"], urban, industry, read["measures"], year)
    write_table(check(built, "places"), table)


if "snakemake" in globals():
    run(main, snakemake)
