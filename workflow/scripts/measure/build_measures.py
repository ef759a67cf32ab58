"""Market potential, its scales and instrument, distance to cores and rings."""


def main(
    panel: str, towns: str, settings: dict, contract: str, measures: str, regions: str | None = None
):
    import pandas as pd
    from monotowns.measures.space import measure
    from monotowns.panel.contracts import check

    published = pd.DataFrame(columns=["region", "year", "population"])
    if regions is not None:
        published = check(pd.read_csv(regions), "population_regions")
    frame = measure(
        pd.read_csv(panel, dtype={"entity": str}),
        check(pd.read_csv(towns), contract),
        published,
        settings,
    )
    check(frame, "measures").to_csv(
        measures, index=False, lineterminator="\n", float_format="%.10g"
    )


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        settings=snakemake.params.settings,
        contract=snakemake.params.contract,
        **dict(snakemake.output.items()),
    )
