"""Estimate one specification: its result records and the flow of its sample."""


def main(tables: list, name: str, spec: dict, draws: int, seed: int, records: str, flow: str):
    import pandas as pd
    from monotowns.models.specification import estimate, prepare

    frame = prepare(*(pd.read_csv(table, dtype={"entity": str}) for table in tables))
    fit, lost = estimate(frame, name, spec, draws, seed)
    # Written only once the fit stands: no half-written result stays behind.
    fit.to_csv(records, index=False, lineterminator="\n", float_format="%.10g")
    lost.to_csv(flow, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.stage import run

    tables = [snakemake.input[k] for k in ("panel", "measures", "exposure", "weights")]
    run(main, snakemake, tables=tables, **dict(snakemake.output.items()),
        name=snakemake.wildcards.specification, spec=snakemake.params.spec,
        draws=snakemake.params.draws, seed=snakemake.params.seed)  # fmt: skip
