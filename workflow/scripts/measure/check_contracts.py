"""Check the panel and its measures; list their contracts beside those of the sources."""

import pandas as pd
from monotowns.panel.contracts import verdicts as judge
from monotowns.panel.contracts.panel import IDENTITIES
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import save_facts


def main(inputs: dict, contracts: str, facts: str):
    read = {name: read_table(path) for name, path in inputs.items()}
    found = judge.of_schemas({name: read[name] for name in ("panel", "measures")})
    found += judge.of_identities(IDENTITIES, read, found)
    judge.stop_if_failed(found)
    whole = pd.concat([read["sources"], judge.to_table(found)], ignore_index=True)
    write_table(whole, contracts)
    save_facts(judge.facts(whole), facts)


if "snakemake" in globals():
    run(main, snakemake)
