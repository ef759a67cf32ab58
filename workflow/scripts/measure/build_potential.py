"""Development potential of the monotowns: index, rank bands, validation."""

import pandas as pd
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts
from monotowns.studies.potential import study


def main(panel: str, measures: str, stages: str, draws: dict, seed: int, outputs: dict):
    frames = [pd.read_csv(path, dtype={"entity": str}) for path in (panel, measures, stages)]
    records, facts, tables = study(*frames, draws, seed)
    for name, table in tables.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.6g")
    records.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
