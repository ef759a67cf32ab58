"""Harmonise the incomes, locate the monotowns, join the panel and count what was lost."""


def main(tables: dict, corrections: dict, config: dict, outputs: dict):
    import pandas as pd
    from monotowns.panel import build as panel
    from monotowns.panel.contracts import check
    from monotowns.run.schema import read as read_yaml

    read = {k: check(pd.read_csv(v, dtype={"code": str}), k) for k, v in tables.items()}
    hand = {k: pd.read_csv(corrections[k], dtype=str) for k in ("crosswalk", "towns")}
    repairs = read_yaml(corrections["incomes"])
    versions = read["municipal_dictionary"]
    incomes = panel.correct(read["municipal_incomes"], repairs, corrections["incomes"])
    rows, flow, walk = panel.harmonise(
        incomes, versions, hand["crosswalk"], config["years"]["first"], config["years"]["last"]
    )
    empty = {
        "toser": ["region", "town", "established"],
        "population_regions": ["region", "year", "population"],
    }
    read = {k: pd.DataFrame(columns=v) for k, v in empty.items()} | read
    lists = {k: read[k] for k in ("monotowns_2014", "monotowns_2024", "toser")}
    status, towns = panel.monotown_status(
        lists,
        read["population_2024"],
        versions,
        hand["towns"],
        hand["crosswalk"],
        config["monotown"],
    )
    frame = check(panel.assemble(rows, status, versions, config["deflator"]), "panel")
    coverage = panel.coverage(frame, read["population_regions"])
    matched = panel.match_rates(towns, frame)
    save = {
        "panel": frame,
        "flow": flow,
        "walk": walk,
        "status": status,
        "matched": matched,
        "coverage": coverage,
        "towns": towns,
    }
    for name, table in save.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    from monotowns.run.stage import run

    tables = {k: snakemake.input[k] for k in snakemake.params.tables}
    hand = {k: snakemake.input[f"hand_{k}"] for k in ("crosswalk", "towns", "incomes")}
    run(
        main,
        snakemake,
        tables=tables,
        corrections=hand,
        config=snakemake.params.config,
        outputs=dict(snakemake.output.items()),
    )
