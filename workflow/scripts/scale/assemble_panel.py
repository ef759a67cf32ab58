"""The panel from the simulated rows, part by part: jumps removed, outcomes, contract."""


def main(rows: str, copies: int, deflator: dict, panel: str, record: str):
    from time import process_time

    from monotowns.scale import datasets
    from monotowns.scale.stages import assembled

    started, count, entities = process_time(), 0, 0
    with datasets.writing(panel) as append:
        for part in datasets.parts(rows):
            frame = assembled(part, deflator)
            append(frame)
            count, entities = count + len(frame), entities + frame["entity"].nunique()
    datasets.save_record(record, started, stage="panel", copies=copies, rows=count,
                       entities=entities)  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, rows=snakemake.input.rows, copies=int(snakemake.wildcards.copies),
        deflator=snakemake.params.deflator, **dict(snakemake.output.items()))  # fmt: skip
