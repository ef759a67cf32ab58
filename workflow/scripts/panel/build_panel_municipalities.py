"""Join another country's municipalities and company towns, and count what was lost."""

import pandas as pd
from monotowns.panel.build import coverage, match_rates
from monotowns.panel.contracts import check
from monotowns.panel.municipalities import build_panel
from monotowns.run.stage import run
from monotowns.run.tables import write_table


def main(inputs: dict, tables: list, config: dict, outputs: dict):
    kinds = {"entity": str, "kind": str, "established": str}
    read = {table: pd.read_csv(inputs[table], dtype=kinds) for table in tables}
    panel, towns, flow = build_panel(
        check(read["municipalities"], "municipalities"),
        check(read["company_towns"], "company_towns"),
        config["monotown"],
        config["years"],
        config["deflator"],
        read.get("toser"),
    )
    check(panel, "panel_municipalities")
    published = pd.DataFrame(columns=["region", "year", "population"])
    start = min(rule["list"] for rule in config["monotown"].values())
    results = {
        "panel": panel,
        "towns": towns,
        "flow": flow,
        "matched": match_rates(towns, panel, (start,)),
        "coverage": coverage(panel, published),
    }
    for name, table in results.items():
        write_table(table, outputs[name])


if "snakemake" in globals():
    run(main, snakemake)
