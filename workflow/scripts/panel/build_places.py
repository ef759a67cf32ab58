"""One row an entity: status, policy, industry, kind and place, for the panels of all layers."""

import pandas as pd
from monotowns.measures.agglomeration import core_entities
from monotowns.measures.entities import locate_industries
from monotowns.panel import places
from monotowns.panel.cities import entity_of
from monotowns.panel.contracts import check
from monotowns.panel.territories import newest
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table

#: Early outcome -> name of its classes, which the settings count.
CLASSED = {"log_taxable_pc": "income_class", "log_population": "size_class"}


def main(inputs: dict, year: int, core: int, classes: dict, table: str):
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
    counts = {column: (name, classes[name]) for column, name in CLASSED.items()}
    built = built.join(places.classes(read["panel"], counts, classes["years"]), on="entity")
    built["core"] = built["entity"].isin(core_entities(centre, read["towns_2020"], core)) * 1.0
    towns = read["town_codes"]
    seats = towns.loc[towns["capital"] == 1, "code"]
    built["capital"] = built["entity"].isin(entity_of(seats, versions, codes)) * 1.0
    built["district"] = built["entity"].str[:2].map(places.district_of(towns))
    write_table(check(built, "places"), table)


if "snakemake" in globals():
    run(main, snakemake)
