"""Compare a table that was read anew with the committed one; say every difference."""

import sys


def main(snapshot: str, now: str, name: str, key: list, drift: str):
    import pandas as pd
    from monotowns.acquire.drift import drift as differences
    from monotowns.acquire.drift import summary

    old, new = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (snapshot, now))
    frame = differences(name, old, new, key)
    if len(frame):
        print(
            f"\nWARNING: {name} is not its snapshot; the run goes on with the new table. "
            f"All differences: {drift}\n{summary(frame)}\n",
            file=sys.stderr,
        )
    frame.to_csv(drift, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        snapshot=snakemake.input.snapshot,
        now=snakemake.input.now,
        name=snakemake.wildcards.table,
        key=snakemake.params.key,
        drift=snakemake.output.drift,
    )
