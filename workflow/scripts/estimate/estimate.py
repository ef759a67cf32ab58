"""Estimate one specification: its result records and the flow of its sample."""


def main(panel: str, measures: str, name: str, spec: dict, seed: int, records: str, flow: str):
    import pandas as pd
    from monotowns.models import estimate, prepare

    frame = prepare(*(pd.read_csv(table, dtype={"entity": str}) for table in (panel, measures)))
    fit, lost = estimate(frame, name, spec, seed)
    # Written only once the fit stands: no half-written result stays behind.
    fit.to_csv(records, index=False, lineterminator="\n", float_format="%.10g")
    lost.to_csv(flow, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, **dict(snakemake.input.items()), **dict(snakemake.output.items()),
        name=snakemake.wildcards.specification, spec=snakemake.params.spec,
        seed=snakemake.params.seed)  # fmt: skip
