"""Collect all result records and sample flows, and the numbers that the manuscript prints."""


def main(records: list, flows: list, facts: list, tables: dict, outputs: dict):
    import json
    from pathlib import Path

    import pandas as pd
    from monotowns.manuscript import numbers as manuscript
    from monotowns.manuscript import tables as printed
    from monotowns.studies import facts as fact

    read = {k: pd.read_csv(v, dtype={"entity": str}) for k, v in tables.items()}
    parts = [pd.read_csv(r, dtype={"term": str}) for r in records]
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    given = [json.loads(Path(path).read_text(encoding="utf-8")) for path in facts]
    numbers = manuscript.of_records(found) | manuscript.of_facts(
        fact.panel_facts(**read), fact.rouble_facts(found, read["panel"]), *given
    )
    found.to_csv(outputs["estimates"], index=False, lineterminator="\n", float_format="%.10g")
    samples = pd.concat(map(pd.read_csv, flows))
    fact.save_facts(fact.panel_facts(**read), outputs["facts"])
    save = {
        "samples": samples,
        "samples_print": printed.samples_table(samples),
        "estimates_print": printed.estimates_table(found),
    }
    for name, table in save.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n")
    text = json.dumps(numbers, indent=1, sort_keys=True, ensure_ascii=False)
    Path(outputs["numbers"]).write_text(text, encoding="utf-8")


if "snakemake" in globals():
    from monotowns.run.stage import run

    given = snakemake.input.keys()
    tables = {k: snakemake.input[k] for k in snakemake.params.tables if k in given}
    run(
        main,
        snakemake,
        records=snakemake.input.records,
        flows=snakemake.input.flows,
        facts=snakemake.input.facts,
        tables=tables,
        outputs=dict(snakemake.output.items()),
    )
