"""Estimate every specification and write the result records and the numbers of the paper."""


def main(panel: str, matched: str, market_access: str, specifications: dict, seed: int,
         estimates: str, numbers: str):  # fmt: skip
    import json

    import pandas as pd
    from monotowns.manuscript import numbers_of
    from monotowns.models import estimate_all

    frame = pd.read_csv(panel, dtype={"entity": str})
    records = estimate_all(frame, specifications, seed)
    bound = numbers_of(records, frame, pd.read_csv(matched), pd.read_csv(market_access))
    # Both files only once everything succeeded: no half-written result stays behind.
    records.to_csv(estimates, index=False, lineterminator="\n", float_format="%.10g")
    with open(numbers, "w", encoding="utf-8") as file:
        json.dump(bound, file, indent=1, sort_keys=True, ensure_ascii=False)


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, **dict(snakemake.input.items()), **dict(snakemake.output.items()),
        specifications=snakemake.params.specifications, seed=snakemake.params.seed)  # fmt: skip
