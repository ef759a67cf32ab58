"""Check the manuscript's claims against the results; list what the paper cannot show."""

import json
from pathlib import Path

import pandas as pd
from monotowns.manuscript.claims import check_claims, check_guards, facts_of
from monotowns.manuscript.tables import not_estimated
from monotowns.manuscript.text import without_result
from monotowns.run import schema
from monotowns.run.errors import InputError
from monotowns.run.stage import run


def read(path):
    return Path(path).read_text(encoding="utf-8")


def main(inputs: dict, outputs: dict, sections, guarded, shown, lacking: dict, policy: str):
    path = inputs["claims"]
    settings = schema.check(schema.read(path, InputError), "claims", path, InputError)
    check_guards({inputs[name]: read(inputs[name]) for name in guarded}, settings["literals"])
    source, left_out = (
        "\n".join(read(inputs[name]) for name in sections if (name in lacking["section"]) is gone)
        for gone in (False, True)
    )
    records = pd.read_csv(inputs["estimates"], dtype={"term": str})
    facts = facts_of(json.loads(read(path)) for path in inputs["facts"])
    stop = policy == "stop"
    table, failed = check_claims(settings["claims"], source, records, facts, left_out, stop)
    table.to_csv(outputs["claims"], index=False, lineterminator="\n", float_format="%.6g")
    refused = not_estimated(pd.read_csv(inputs["flows"]))
    lacking = lacking | {"specification": lacking["specification"] | refused}
    if not stop:
        # A module of another workflow writes under a folder of its own.
        folder = outputs["claims"].removesuffix("results/claims.csv")
        present = [path.removeprefix(folder) for path in shown]
        numbers = json.loads(read(inputs["numbers"]))
        lacking |= {"claim": failed} | without_result(source, numbers, present)
    rows = [(kind, *one) for kind, reasons in lacking.items() for one in reasons.items()]
    table = pd.DataFrame(rows, columns=["kind", "name", "reason"])
    table.to_csv(outputs["left_out"], index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
