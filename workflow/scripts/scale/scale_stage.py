"""One estimation of the chain on a simulated panel: what it found, its time and memory."""

#: Rows of the run before the timed one, about those of one copy.
WARM = 22_000


def main(tables: list, stage: str, copies: int, told: dict, draws: dict, seed: int, record: str):
    from time import process_time

    from monotowns.models.specification import prepare
    from monotowns.scale import datasets, stages

    started = process_time()
    needed = stages.columns(told)
    panel, *others = (datasets.read(table, needed) for table in tables)
    frame = prepare(panel, *(o for o in others if not {"entity", "year"} >= set(o)))
    reading = process_time() - started
    # Imports and compilation are no part of the work: a small run pays for them beforehand.
    stages.work(told, frame.iloc[:WARM], draws, seed)
    started = process_time() - reading
    found = stages.work(told, frame, draws, seed)
    datasets.save_record(record, started, stage=stage, copies=copies, reading=round(reading, 3),
                       **found)  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, tables=list(snakemake.input), stage=snakemake.params.stage,
        copies=int(snakemake.wildcards.copies), told=snakemake.params.told,
        draws=snakemake.params.draws, seed=snakemake.params.seed,
        record=snakemake.output.record)  # fmt: skip
