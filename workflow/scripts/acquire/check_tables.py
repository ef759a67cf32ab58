"""Check the tables of the sources against their contracts; all that fail are reported at once."""

import pandas as pd
from monotowns.panel.contracts import verdicts as judge
from monotowns.panel.contracts.identities import IDENTITIES
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def text(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def main(inputs: dict, tables: list, read_anew: list, drift: list, verdicts: str):
    read = {t: read_table(inputs[t]) for t in tables}
    by_hand = {t: text(inputs[t]) for t in ("hand_crosswalk", "hand_towns")}
    drifts = {t: text(path) for t, path in zip(read_anew, drift, strict=True)}
    counts = judge.load_listed(inputs["row_counts"], judge.ROW_COUNTS)
    known = judge.load_listed(inputs["known_faults"], judge.KNOWN_FAULTS)
    found = judge.of_schemas(read)
    found += judge.of_counts(read, counts)
    found += judge.of_identities(IDENTITIES, read | by_hand, found)
    found = judge.excuse(found + judge.of_drifts(drifts), known)
    judge.stop_if_failed(found)
    write_table(judge.to_table(found), verdicts)


if "snakemake" in globals():
    run(main, snakemake)
