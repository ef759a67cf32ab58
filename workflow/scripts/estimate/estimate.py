"""Estimate one specification: its result records and the flow of its sample."""


def main(
    tables: list,
    joined: dict,
    keys: dict,
    name: str,
    spec: dict,
    draws: int,
    seed: int,
    absent: str,
    records: str,
    flow: str,
):
    import pandas as pd
    from monotowns.estimate.specification import estimate, estimate_or_say_why, prepare
    from monotowns.panel.contracts import check

    further = [
        (table, check(pd.read_csv(path, dtype={"entity": str}), table), keys[table])
        for table, path in joined.items()
    ]
    read = (pd.read_csv(table, dtype={"entity": str}) for table in tables)
    frame = prepare(*read, joined=further)
    # A fork's data may not carry a specification; the study's own must.
    work = {"stop": estimate, "report": estimate_or_say_why}[absent]
    fit, lost = work(frame, name, spec, draws, seed)
    # Written only once the fit stands: no half-written result stays behind.
    fit.to_csv(records, index=False, lineterminator="\n", float_format="%.10g")
    lost.to_csv(flow, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    keys = snakemake.params.joined
    tables = [path for name, path in snakemake.input.items() if name not in keys]
    run(
        main,
        snakemake,
        tables=tables,
        joined={k: snakemake.input[k] for k in keys},
        keys=keys,
        name=snakemake.wildcards.specification,
        spec=snakemake.params.spec,
        absent=snakemake.params.absent,
        **dict(snakemake.output.items()),
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
    )
