"""First looks at the layers: outcomes by group, and how the groups moved."""

import pandas as pd
from monotowns.panel.cities import SINCE
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
REGIONS = ("log_volume", "log_investment", "log_employment", "unemployment_rate")
#: Share of residents in monotowns from which a region counts as one with monotowns.
LEAST = 0.1
MONTHS = ("log_wage_all", "log_wage_C", "log_wage_B", "log_consumption")


def main(
    places: str,
    panel: str,
    cities: str,
    months: str,
    regions: str,
    year: int,
    described: str,
    paths: str,
    book: str,
    groups: str,
    shocks: str,
):
    every = read_table(places)
    group = layers.group_of(every, year)
    town = group.where(group.isin([layers.MONOTOWN, layers.UNKNOWN]), "other cities")
    whole, large, quarters, provinces = map(read_table, (panel, cities, months, regions))
    write_table(layers.monotowns_in_book(large, every), book)
    industries = layers.industries_of_towns(every, whole, year)
    write_table(industries, groups)
    write_table(layers.effective_shocks(industries), shocks)
    # Workers are those of all but small organisations from this year on.
    large = large[large["year"] >= SINCE["workers"]]
    quarters["time"] = quarters["year"] + (quarters["quarter"] - 1) / 4
    of_region = layers.regions_by_monotowns(every, whole, year, LEAST)
    parts = (
        (whole, "entity", "year", group, MUNICIPALITIES, 2013, "municipalities"),
        (large, "city", "year", town, CITIES, 2013, "cities"),
        (quarters, "entity", "time", group, MONTHS, 2023, "months"),
        (provinces, "region", "year", of_region, REGIONS, 2013, "regions"),
    )
    means, drawn = [], []
    for frame, unit, time, known, outcomes, base, layer in parts:
        of = frame["region" if unit == "region" else "entity"].map(known).fillna(layers.UNKNOWN)
        means.append(layers.describe(frame, unit, of, outcomes, layer))
        drawn.append(layers.paths(frame, unit, time, of, outcomes, base, layer))
    write_table(pd.concat(means), described)
    write_table(pd.concat(drawn), paths)


if "snakemake" in globals():
    run(main, snakemake)
