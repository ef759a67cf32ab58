"""Collect all result records and sample flows, and the numbers that the manuscript prints."""

import json
from pathlib import Path

import pandas as pd
from monotowns.manuscript import numbers, tables
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table
from monotowns.studies.facts import panel_facts, rouble_facts, save_facts

#: The tables that facts of the panel are computed from, where there are such tables.
TABLES = ("panel", "matched", "coverage", "measures", "market_access")


def main(inputs: dict, outputs: dict, policy: str):
    samples = pd.concat(map(read_table, inputs["flows"]))
    if policy == "stop":
        tables.check_estimated(samples)
    parts = [read_table(path) for path in inputs["records"]]
    records = pd.concat([part for part in parts if len(part)], ignore_index=True)
    read = {k: read_table(inputs[k]) for k in TABLES if k in inputs}
    facts = panel_facts(**read)
    others = [json.loads(Path(path).read_text(encoding="utf-8")) for path in inputs["facts"]]
    roubles = rouble_facts(records, read["panel"])
    texts = numbers.of_records(records) | numbers.of_facts(facts, roubles, *others)
    write_table(records, outputs["estimates"])
    printed = {
        "samples": samples,
        "samples_print": tables.samples_table(samples),
        "estimates_print": tables.estimates_table(records),
    }
    for name, table in printed.items():
        write_table(table, outputs[name])
    save_facts(facts, outputs["facts"])
    text = json.dumps(texts, indent=1, sort_keys=True, ensure_ascii=False)
    Path(outputs["numbers"]).write_text(text, encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
