"""Walk the referees' checklist on the results."""


def main(items: str, estimates: str, facts: list, acknowledged: dict, outputs: dict):
    import json
    from pathlib import Path

    import pandas as pd
    from monotowns.checklist import walk
    from monotowns.errors import InputError
    from monotowns.schema import read

    listed = read(items, InputError)
    given = {}
    for path in facts:
        given |= json.loads(Path(path).read_text(encoding="utf-8"))
    records = pd.read_csv(estimates, dtype={"term": str})
    present = {item["artefact"] for item in listed if Path(item["artefact"]).exists()}
    table = walk(listed, records, given, present, acknowledged)
    table.to_csv(outputs["checklist"], index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, items=snakemake.input.items_, estimates=snakemake.input.estimates,
        facts=snakemake.input.facts, acknowledged=snakemake.params.acknowledged,
        outputs=dict(snakemake.output.items()))  # fmt: skip
