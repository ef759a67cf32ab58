"""Check the manuscript's claims against the results; list what the paper cannot show."""

import json
from pathlib import Path

import pandas as pd
from monotowns.manuscript.claims import check_claims, check_guards, facts_of
from monotowns.manuscript.tables import not_estimated
from monotowns.manuscript.text import sections_lacking, without_result
from monotowns.run import schema
from monotowns.run.errors import InputError
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def read(path):
    return Path(path).read_text(encoding="utf-8")


def main(inputs: dict, outputs: dict, shown: list, lacking: dict, policy: str):
    path = inputs["claims"]
    settings = schema.check(schema.read(path, InputError), "claims", path, InputError)
    sources = {Path(section).stem: read(section) for section in inputs["sections"]}
    check_guards(
        {f"paper/sections/{s}.typ": sources[s] for s in settings["held"]}, settings["literals"]
    )
    lacking = {"stage": lacking, "section": sections_lacking(sources, lacking)}
    source, left_out = (
        "\n".join(text for name, text in sources.items() if (name in lacking["section"]) is gone)
        for gone in (False, True)
    )
    records = read_table(inputs["estimates"])
    facts = facts_of(json.loads(read(path)) for path in inputs["facts"])
    stop = policy == "stop"
    table, failed = check_claims(settings["claims"], source, records, facts, left_out, stop)
    write_table(table, outputs["claims"], "%.6g")
    lacking["specification"] = not_estimated(read_table(inputs["flows"]))
    if not stop:
        # A module of another workflow writes under a folder of its own.
        folder = outputs["claims"].removesuffix("results/claims.csv")
        present = [path.removeprefix(folder) for path in shown]
        numbers = json.loads(read(inputs["numbers"]))
        lacking |= {"claim": failed} | without_result(source, numbers, present)
    rows = [(kind, *one) for kind, reasons in lacking.items() for one in reasons.items()]
    table = pd.DataFrame(rows, columns=["kind", "name", "reason"])
    write_table(table, outputs["left_out"])


if "snakemake" in globals():
    run(main, snakemake)
