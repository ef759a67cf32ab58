"""Development potential of the monotowns: index, rank bands, validation."""

from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts
from monotowns.studies.potential import study


def main(inputs: dict, draws: dict, seed: int, outputs: dict):
    read = {name: read_table(path) for name, path in inputs.items()}
    frames = (read[name] for name in ("panel", "measures", "stages"))
    records, facts, tables = study(*frames, draws, seed, read.get("growth"))
    for name, table in tables.items():
        write_table(table, outputs[name], "%.6g")
    write_table(records, outputs["records"])
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
