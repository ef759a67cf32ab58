"""Walk the referees' checklist on the results."""


def main(
    items: str,
    estimates: str,
    facts: list,
    acknowledged: dict,
    roots: list,
    policy: str,
    outputs: dict,
):
    import json
    from pathlib import Path

    import pandas as pd
    from monotowns.manuscript.checklist import walk
    from monotowns.run.errors import InputError
    from monotowns.run.schema import read

    listed = read(items, InputError)
    given = {}
    for path in facts:
        given |= json.loads(Path(path).read_text(encoding="utf-8"))
    records = pd.read_csv(estimates, dtype={"term": str})
    named = {item["artefact"] for item in listed}
    present = {name for name in named if any(Path(root, name).exists() for root in roots)}
    table = walk(listed, records, given, present, acknowledged, policy == "stop")
    table.to_csv(outputs["checklist"], index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    written = snakemake.output.checklist.removesuffix("results/checklist.csv")
    run(
        main,
        snakemake,
        roots=[snakemake.params.here, written],
        policy=snakemake.params.policy,
        items=snakemake.input.items_,
        estimates=snakemake.input.estimates,
        facts=snakemake.input.facts,
        acknowledged=snakemake.params.acknowledged,
        outputs=dict(snakemake.output.items()),
    )
