"""Write the one-page profile of a town; run by `make profile TOWN=...`."""


def main(town: str, region: str | None, folder: str):
    import json
    from pathlib import Path

    import pandas as pd
    import typst
    from monotowns.manuscript.profile import find_entity, profile
    from monotowns.measures.entities import locate_industries

    def read(path):
        return pd.read_csv(path, dtype={"entity": str})

    panel, towns = read("data/panel/panel.csv"), read("data/panel/towns.csv")
    located = locate_industries(
        pd.read_csv("data/snapshot/monotown_industries.csv"), towns, panel.drop_duplicates("entity")
    )
    entity = find_entity(town, towns, region)
    tables = [
        read("results/tables/monotown_potential.csv"),
        towns,
        read("data/panel/exposure.csv"),
        located,
    ]
    found = profile(entity, panel, *tables)
    Path(folder).mkdir(parents=True, exist_ok=True)
    data = Path(folder) / f"{entity}.json"
    data.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    pdf = typst.compile(
        "paper/profile.typ",
        root=".",
        ignore_system_fonts=True,
        sys_inputs={"data": f"/{data.as_posix()}"},
    )
    data.with_suffix(".pdf").write_bytes(pdf)
    print(f"The profile of {found['name']}: {data.with_suffix('.pdf')}")


if __name__ == "__main__":
    import sys

    from monotowns.run.stage import run

    run(
        main,
        town=sys.argv[1],
        region=sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else None,
        folder="results/profiles",
    )
