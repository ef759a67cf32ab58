"""Market potential, cores and rings of a simulated panel."""


def main(panel: str, towns: str, regions: str, copies: int, settings: dict, measures: str,
         record: str):  # fmt: skip
    from time import process_time

    import pandas as pd
    from monotowns.measures.space import measure
    from monotowns.scale import datasets

    started = process_time()
    columns = {"entity", "year", "population", "region", "lat", "lon"}
    frame = datasets.read(panel, columns)
    found = measure(frame, pd.read_csv(towns), pd.read_csv(regions), settings)
    with datasets.writing(measures) as append:
        append(found)
    datasets.save_record(record, started, stage="measures", copies=copies, rows=len(found),
                       entities=frame["entity"].nunique())  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, **dict(snakemake.input.items()), copies=int(snakemake.wildcards.copies),
        settings=snakemake.params.settings, **dict(snakemake.output.items()))  # fmt: skip
