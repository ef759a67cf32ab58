"""First looks at the layers: outcomes by group, and how the groups moved."""

import pandas as pd
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies import layers

#: Outcomes of each layer that are described, and of these the ones whose paths are drawn.
MUNICIPALITIES = ("log_taxable_pc", "log_population", "transfer_share")
CITIES = (
    "log_population",
    "log_workers",
    "log_wage",
    "log_shipments",
    "log_investment",
    "log_firms_pc",
    "log_housing_pc",
)
MONTHS = ("log_wage_all", "log_wage_C", "log_wage_B", "log_consumption")


def main(
    places: str,
    panel: str,
    cities: str,
    months: str,
    year: int,
    table: str,
    paths: str,
):
    group = layers.group_of(read_table(places), year)
    town = group.where(group.isin([layers.MONOTOWN, layers.UNKNOWN]), "other cities")
    whole, book, quarters = map(read_table, (panel, cities, months))
    # Workers are those of all but small organisations from this year on.
    book = book[book["year"] >= 2006]
    quarters["time"] = quarters["year"] + (quarters["quarter"] - 1) / 4
    parts = (
        (whole, "entity", "year", group, MUNICIPALITIES, 2013, "municipalities"),
        (book, "city", "year", town, CITIES, 2013, "cities"),
        (quarters, "entity", "time", group, MONTHS, 2023, "months"),
    )
    described, drawn = [], []
    for frame, unit, time, groups, outcomes, base, layer in parts:
        of = frame["entity"].map(groups).fillna(layers.UNKNOWN)
        described.append(layers.describe(frame, unit, of, outcomes, layer))
        drawn.append(layers.paths(frame, unit, time, of, outcomes, base, layer))
    write_table(pd.concat(described), table)
    write_table(pd.concat(drawn), paths)


if "snakemake" in globals():
    run(main, snakemake)
