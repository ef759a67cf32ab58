"""Collect all result records and sample flows, and the numbers that the manuscript prints."""


def main(records: list, flows: list, tables: dict, estimates: str, samples: str, numbers: str):
    import json

    import pandas as pd
    from monotowns.manuscript import numbers_of

    read = {k: pd.read_csv(v, dtype={"entity": str}) for k, v in tables.items()}
    found = pd.concat([pd.read_csv(r, dtype={"term": str}) for r in records], ignore_index=True)
    bound = numbers_of(found, **read)
    found.to_csv(estimates, index=False, lineterminator="\n", float_format="%.10g")
    pd.concat(map(pd.read_csv, flows)).to_csv(samples, index=False, lineterminator="\n")
    with open(numbers, "w", encoding="utf-8") as file:
        json.dump(bound, file, indent=1, sort_keys=True, ensure_ascii=False)


if "snakemake" in globals():
    from monotowns.stage import run

    tables = {k: snakemake.input[k] for k in snakemake.params.tables}
    run(main, records=snakemake.input.records, flows=snakemake.input.flows, tables=tables,
        **dict(snakemake.output.items()))  # fmt: skip
