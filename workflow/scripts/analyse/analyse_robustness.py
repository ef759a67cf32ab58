"""Robustness of the gap: curve of specifications, Oster's bounds, families of outcomes."""

import pandas as pd
from monotowns.estimate.specification import prepare
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts
from monotowns.studies.robustness import study


def main(inputs: dict, declared: dict, draws: dict, seed: int, outputs: dict):
    frame = prepare(*(pd.read_csv(path, dtype={"entity": str}) for path in inputs.values()))
    records, facts, tables = study(frame, declared, draws, seed)
    records.to_csv(outputs["records"], index=False, lineterminator="\n")
    for name, table in tables.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.6g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
