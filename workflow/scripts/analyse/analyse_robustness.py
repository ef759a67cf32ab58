"""Robustness of the gap: curve of specifications, Oster's bounds, families of outcomes."""

from monotowns.estimate.sample import prepare
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.robustness import study


def main(inputs: dict, declared: dict, draws: dict, seed: int, outputs: dict):
    frame = prepare(*map(read_table, inputs.values()))
    records, facts, tables = study(frame, declared, draws, seed)
    write_table(records, outputs["records"])
    for name, table in tables.items():
        write_table(table, outputs[name], "%.6g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
