"""Entropy-balancing weights of the controls, and how far they balance."""

import pandas as pd
from monotowns.measures.balance import balance_panel
from monotowns.run.stage import run


def main(panel: str, settings: dict, weights: str, balance: str):
    frame = pd.read_csv(panel, dtype={"entity": str})
    tables = balance_panel(frame, "monotown", settings["columns"], settings["years"])
    for path, table in zip((weights, balance), tables, strict=True):
        table.to_csv(path, index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    run(main, snakemake)
