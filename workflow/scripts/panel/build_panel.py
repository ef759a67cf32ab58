"""Harmonise the incomes, locate the monotowns, join the panel and count what was lost."""

import pandas as pd
from monotowns.panel import build
from monotowns.panel.contracts import check
from monotowns.run import schema
from monotowns.run.stage import run
from monotowns.run.tables import write_table

#: Columns of the tables that a fork may lack.
EMPTY = {
    "toser": ["region", "town", "established"],
    "population_regions": ["region", "year", "population"],
}


def main(inputs: dict, tables: list, config: dict, outputs: dict):
    read = {table: pd.DataFrame(columns=columns) for table, columns in EMPTY.items()}
    read |= {t: check(pd.read_csv(inputs[t], dtype={"code": str}), t) for t in tables}
    codes, places = (pd.read_csv(inputs[f"hand_{k}"], dtype=str) for k in ("crosswalk", "towns"))
    repairs = schema.read(inputs["hand_incomes"])
    years, versions = config["years"], read["municipal_dictionary"]
    incomes = build.correct(read["municipal_incomes"], repairs, inputs["hand_incomes"])
    rows, flow, links = build.harmonise(incomes, versions, codes, years["first"], years["last"])
    lists = {k: read[k] for k in ("monotowns_2014", "monotowns_2024", "toser")}
    status, towns = build.monotown_status(
        lists, read["population_2024"], versions, places, codes, config["monotown"]
    )
    panel = check(build.assemble(rows, status, versions, config["deflator"]), "panel")
    results = {
        "panel": panel,
        "towns": towns,
        "flow": flow,
        "walk": links,
        "status": status,
        "matched": build.match_rates(towns, panel),
        "coverage": build.coverage(panel, read["population_regions"]),
    }
    for name, table in results.items():
        write_table(table, outputs[name])


if "snakemake" in globals():
    run(main, snakemake)
