"""Market potential, its scales and instrument, distance to cores and rings."""

import pandas as pd
from monotowns.measures.space import foreign_countries, measure
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(
    panel: str,
    towns: str,
    countries: str,
    settings: dict,
    contract: str,
    measures: str,
    regions: str | list,
):
    published = pd.DataFrame(columns=["region", "year", "population"])
    if regions:
        published = check(read_table(regions), "population_regions")
    frame = measure(
        read_table(panel),
        check(read_table(towns), contract),
        published,
        settings,
        foreign_countries(check(read_table(countries), "countries"), settings["home"]),
    )
    table = check(frame, "measures")
    write_table(table, measures)


if "snakemake" in globals():
    run(main, snakemake)
