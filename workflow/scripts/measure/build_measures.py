"""Market potential, its scales and instrument, distance to cores and rings."""

import pandas as pd
from monotowns.measures.space import foreign_countries, measure
from monotowns.panel.contracts import check
from monotowns.run.stage import run


def main(
    panel: str, towns: str, settings: dict, contract: str, measures: str, regions: str | None = None
):
    published = pd.DataFrame(columns=["region", "year", "population"])
    if regions is not None:
        published = check(pd.read_csv(regions), "population_regions")
    frame = measure(
        pd.read_csv(panel, dtype={"entity": str}),
        check(pd.read_csv(towns), contract),
        published,
        settings,
        foreign_countries(settings["home"]),
    )
    table = check(frame, "measures")
    table.to_csv(measures, index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    run(main, snakemake)
