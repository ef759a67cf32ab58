"""Robustness of the gap: curve of specifications, Oster's bounds, families of outcomes."""

from monotowns.estimate.sample import prepare
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.robustness import study


def main(inputs: dict, declared: dict, draws: dict, seed: int, outputs: dict):
    read = {name: read_table(path) for name, path in inputs.items()}
    places = read.pop("places", None)
    frame = prepare(*read.values(), places=places)
    records, facts, tables = study(frame, declared, draws, seed)
    write_table(records, outputs["records"])
    for name, table in tables.items():
        write_table(table, outputs[name], "%.6g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
