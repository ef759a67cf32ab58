"""Convergence of incomes, convergence clubs of regions, and the hierarchy of towns."""


def main(panel: str, towns: str, tails: list, seed: int, outputs: dict):
    import pandas as pd
    from monotowns.studies import disparities
    from monotowns.studies.facts import save_facts
    from monotowns.studies.hierarchy import hierarchy_fits

    rows = disparities.complete(pd.read_csv(panel, dtype={"entity": str}))
    fits = disparities.convergence_fits(rows)
    inequality = disparities.inequality(rows)
    of_regions, clubs = disparities.region_clubs(disparities.region_paths(rows))
    fits |= of_regions | hierarchy_fits(pd.read_csv(towns)["population"], rows, tails)
    records = disparities.convergence_records(fits, seed)
    tables = {
        "inequality": inequality,
        "clubs": clubs,
        "clubs_print": disparities.clubs_to_print(clubs),
    }
    for name, table in tables.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.6g")
    records.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(disparities.convergence_facts(fits, inequality, clubs), outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        tails=snakemake.params.tails,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
