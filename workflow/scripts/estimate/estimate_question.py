"""Estimate all specifications of a question from one read of the panel, a record each."""

import sys

from monotowns.estimate import sample
from monotowns.estimate.specification import estimate_or_say_why
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(
    inputs: dict,
    specifications: dict,
    joined: dict,
    draws: int,
    seed: int,
    records: list,
    flows: list,
):
    needed = (sample.needed(spec) for spec in specifications.values())
    columns = set().union(*needed, {"toser", "city"})
    read = {name: read_table(path, columns) for name, path in inputs.items() if name not in joined}
    places = read.pop("places", None)
    further = [(t, check(read_table(inputs[t]), t), keys) for t, keys in joined.items()]
    frame = sample.prepare(*read.values(), joined=further, places=places)
    for (name, spec), record, flow in zip(specifications.items(), records, flows, strict=True):
        found, steps = estimate_or_say_why(frame, name, spec, draws, seed)
        if found.empty:
            print(f"{name} {steps['step'].iloc[-1]}", file=sys.stderr)
        write_table(found, record)
        write_table(steps, flow)


if "snakemake" in globals():
    run(main, snakemake)
