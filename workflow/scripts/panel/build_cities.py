"""The layer of cities: the corrected book, its outcomes, its entities."""

import pandas as pd
from monotowns.panel import cities
from monotowns.panel.contracts import check
from monotowns.run import schema
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(inputs: dict, deflator: dict, layer: str):
    read = {name: read_table(inputs[name]) for name in ("cities", "dictionary", "panel")}
    codes = pd.read_csv(inputs["hand_crosswalk"], dtype=str)
    where = inputs["hand_cities"]
    repairs = schema.read(where)
    built = cities.build(
        read["cities"], read["dictionary"], codes, read["panel"], repairs, deflator, where
    )
    write_table(check(built, "panel_cities"), layer)


if "snakemake" in globals():
    run(main, snakemake)
