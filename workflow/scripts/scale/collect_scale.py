"""Time and memory of every stage by the size of the panel, with fitted exponents."""


def main(records: list, limits: dict, table: str):
    import json
    from pathlib import Path

    from monotowns.scale.growth import growth_table

    read = [json.loads(Path(path).read_text(encoding="utf-8")) for path in records]
    growth_table(read, limits).to_csv(table, index=False, lineterminator="\n", float_format="%.4g")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, records=snakemake.input.records, limits=snakemake.params.limits,
        table=snakemake.output.table)  # fmt: skip
