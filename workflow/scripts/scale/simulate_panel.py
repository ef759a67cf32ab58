"""A simulated panel of some copies of every entity, written copy by copy."""


def main(panel: str, copies: int, seed: int, rows: str, record: str):
    from time import process_time

    import pandas as pd
    from monotowns.scale import datasets
    from monotowns.scale.simulation import draw_copy

    started, count, entities = process_time(), 0, 0
    frame = pd.read_csv(panel, dtype={"entity": str})
    with datasets.writing(rows) as append:
        for copy in range(copies):
            drawn = draw_copy(frame, copy, seed)
            append(drawn)
            count, entities = count + len(drawn), entities + drawn["entity"].nunique()
    datasets.save_record(record, started, stage="simulate", copies=copies, rows=count,
                       entities=entities)  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, panel=snakemake.input.panel, copies=int(snakemake.wildcards.copies),
        seed=snakemake.params.seed, **dict(snakemake.output.items()))  # fmt: skip
