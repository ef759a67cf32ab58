"""Write the one-page profile of a town; run by `make profile TOWN=...`."""

import json
import sys
from pathlib import Path

import typst
from monotowns.manuscript.profile import find_entity, profile
from monotowns.measures.entities import locate_industries
from monotowns.run.stage import run
from monotowns.run.tables import read_table

FOLDER = Path("results/profiles")


def main(town: str, region: str | None):
    panel, towns = read_table("data/panel/panel.parquet"), read_table("data/panel/towns.csv")
    exposure = read_table("data/panel/exposure.parquet")
    potential = read_table("results/tables/monotown_potential.csv")
    industries = read_table("data/snapshot/monotown_industries.csv")
    located = locate_industries(industries, towns, panel.drop_duplicates("entity"))
    entity = find_entity(town, towns, region)
    page = profile(entity, panel, potential, towns, exposure, located)
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = FOLDER / f"{entity}.json"
    data.write_text(json.dumps(page, ensure_ascii=False, indent=1), encoding="utf-8")
    options = {"root": ".", "ignore_system_fonts": True}
    pdf = typst.compile("paper/profile.typ", sys_inputs={"data": f"/{data.as_posix()}"}, **options)
    data.with_suffix(".pdf").write_bytes(pdf)
    print(f"The profile of {page['name']}: {data.with_suffix('.pdf')}")


if __name__ == "__main__":
    town, region = [*sys.argv[1:], ""][:2]
    run(main, town=town, region=region or None)
