"""The years beside the window: 2010 and 2011 of another concept, 2022 after the census."""

import pandas as pd
from monotowns.panel import marked
from monotowns.panel.contracts import check
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(incomes: str, dictionary: str, hand_crosswalk: str, layer: str, years_apart: str):
    codes = pd.read_csv(hand_crosswalk, dtype=str)
    built = marked.build(read_table(incomes), read_table(dictionary), codes)
    write_table(check(built, "marked_years"), layer)
    of = built.groupby(["year", "mark"])
    counts = of.agg(entities=("entity", "size"), with_residents=("population", "count"))
    counts["log_taxable_pc"] = of["log_taxable_pc"].mean()
    write_table(counts.reset_index(), years_apart)


if "snakemake" in globals():
    run(main, snakemake)
