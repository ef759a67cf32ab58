"""One estimation of the chain on a simulated panel: what it found, its time and memory."""

#: Rows of the run before the timed one, about those of one copy.
WARM = 22_000


def main(tables: list, stage: str, copies: int, told: dict, draws: dict, seed: int, record: str):
    from time import perf_counter

    from monotowns.models import prepare
    from monotowns.scale import datasets, growth, stages

    started = perf_counter()
    needed = stages.columns(told)
    panel, *others = (datasets.read(table, needed) for table in tables)
    frame = prepare(panel, *(o for o in others if not {"entity", "year"} >= set(o)))
    reading = perf_counter() - started
    # Imports and compilation are no part of the work: a small run pays for them beforehand.
    stages.work(told, frame.iloc[:WARM], draws, seed)
    started = perf_counter() - reading
    found = stages.work(told, frame, draws, seed)
    growth.save_record(record, started, stage=stage, copies=copies, reading=round(reading, 3),
                       **found)  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, tables=list(snakemake.input), stage=snakemake.params.stage,
        copies=int(snakemake.wildcards.copies), told=snakemake.params.told,
        draws=snakemake.params.draws, seed=snakemake.params.seed,
        record=snakemake.output.record)  # fmt: skip
