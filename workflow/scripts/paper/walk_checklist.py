"""Go through the referees' checklist on the results."""

import json
from pathlib import Path

from monotowns.manuscript.checklist import verdicts
from monotowns.manuscript.claims import facts_of
from monotowns.run import schema
from monotowns.run.errors import InputError
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(
    items_: str,
    estimates: str,
    facts: list,
    acknowledged: dict,
    policy: str,
    here: str,
    checklist: str,
):
    items = schema.read(items_, InputError)
    numbers = facts_of(json.loads(Path(path).read_text(encoding="utf-8")) for path in facts)
    # What is committed and what the run wrote may lie in different folders.
    folders = [here, checklist.removesuffix("results/checklist.csv")]
    named = {item["artefact"] for item in items}
    present = {name for name in named if any(Path(folder, name).exists() for folder in folders)}
    records = read_table(estimates)
    table = verdicts(items, records, numbers, present, acknowledged, policy == "stop")
    write_table(table, checklist)


if "snakemake" in globals():
    run(main, snakemake)
