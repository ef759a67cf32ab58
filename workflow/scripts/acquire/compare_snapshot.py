"""Compare a table that was read anew with the committed one; report every difference."""

import sys

import pandas as pd
from monotowns.acquire import drift as compare
from monotowns.run.stage import run
from monotowns.run.tables import write_table


def main(snapshot: str, now: str, table: str, key: list, drift: str):
    old, new = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (snapshot, now))
    found = compare.drift(table, old, new, key)
    if len(found):
        print(
            f"\nWARNING: {table} is not its snapshot; the run goes on with the new table. "
            f"All differences: {drift}\n{compare.summary(found)}\n",
            file=sys.stderr,
        )
    write_table(found, drift)


if "snakemake" in globals():
    run(main, snakemake)
