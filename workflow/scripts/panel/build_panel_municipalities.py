"""Join another country's municipalities and company towns, and count what was lost."""


def main(tables: dict, config: dict, outputs: dict):
    import pandas as pd
    from monotowns.panel.build import coverage, match_rates
    from monotowns.panel.contracts import check
    from monotowns.panel.municipalities import build_panel

    kinds = {"entity": str, "kind": str, "established": str}
    read = {k: pd.read_csv(v, dtype=kinds) for k, v in tables.items()}
    for name in ("municipalities", "company_towns"):
        check(read[name], name)
    frame, towns, flow = build_panel(
        read["municipalities"],
        read["company_towns"],
        config["monotown"],
        config["years"],
        config["deflator"],
        read.get("toser"),
    )
    check(frame, "panel_municipalities")
    published = pd.DataFrame(columns=["region", "year", "population"])
    start = min(rule["list"] for rule in config["monotown"].values())
    save = {
        "panel": frame,
        "towns": towns,
        "flow": flow,
        "matched": match_rates(towns, frame, (start,)),
        "coverage": coverage(frame, published),
    }
    for name, table in save.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    from monotowns.run.stage import run

    tables = {k: snakemake.input[k] for k in snakemake.params.tables}
    run(
        main,
        snakemake,
        tables=tables,
        config=snakemake.params.config,
        outputs=dict(snakemake.output.items()),
    )
