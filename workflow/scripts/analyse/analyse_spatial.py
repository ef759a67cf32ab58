"""Spatial panels of the monotown gap over several weights, and tests of spatial dependence."""


def main(panel: str, settings: dict, list_year: int, draws: dict, seed: int, outputs: dict):
    import pandas as pd
    from monotowns.studies import dependence
    from monotowns.studies.facts import save_facts

    frame = pd.read_csv(panel, dtype={"entity": str})
    rows, flow = dependence.balanced_rows(frame, list_year)
    records, panels, alone = dependence.dependence_records(rows, settings, draws, seed)
    records.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    used, W = dependence.weighted(rows, **settings["main"])
    save_facts(dependence.dependence_facts(flow, panels, used, W, alone), outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        settings=snakemake.params.settings,
        list_year=snakemake.params.list_year,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
