"""Check the panel and its measures; list their contracts beside those of the sources."""

import pandas as pd
from monotowns.panel.contracts import verdicts as judge
from monotowns.panel.contracts.panel import IDENTITIES
from monotowns.run.stage import run
from monotowns.studies.facts import save_facts


def main(inputs: dict, tables: list, contracts: str, facts: str):
    read = {t: pd.read_csv(inputs[t], dtype={"entity": str, "code": str}) for t in tables}
    found = judge.of_schemas({name: read[name] for name in ("panel", "measures")})
    found += judge.of_identities(IDENTITIES, read, found)
    judge.stop_if_failed(found)
    whole = pd.concat([pd.read_csv(inputs["sources"]), judge.to_table(found)], ignore_index=True)
    whole.to_csv(contracts, index=False, lineterminator="\n")
    save_facts(judge.facts(whole), facts)


if "snakemake" in globals():
    run(main, snakemake)
