"""Growth of towns and regions from 2020 on by their exposure to the growth of industries."""

import pandas as pd
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts
from monotowns.studies.reindustrialisation import study


def main(
    panel: str, exposure: str, shares: str, shocks: str, window: dict, seed: int, outputs: dict
):
    text = {"entity": str, "key": str}
    frames = [pd.read_csv(path, dtype=text) for path in (panel, exposure, shares, shocks)]
    records, facts, tables = study(*frames, window, seed)
    for name, table in ({"records": records} | tables).items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    run(main, snakemake)
