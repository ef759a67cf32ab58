"""Market potential, its scales and instrument, distance to cores and rings."""


def main(panel: str, towns: str, regions: str, settings: dict, measures: str):
    import pandas as pd
    from monotowns.contracts import check
    from monotowns.measures.space import measure

    frame = measure(
        pd.read_csv(panel, dtype={"entity": str}), check(pd.read_csv(towns), "towns_2020"),
        check(pd.read_csv(regions), "population_regions"), settings,
    )  # fmt: skip
    check(frame, "measures").to_csv(
        measures, index=False, lineterminator="\n", float_format="%.10g"
    )


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, **dict(snakemake.input.items()), settings=snakemake.params.settings,
        **dict(snakemake.output.items()))  # fmt: skip
