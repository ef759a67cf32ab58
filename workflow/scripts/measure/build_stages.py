"""Stages of regional manufacturing: table, grid of rules against chance, facts."""


def main(
    structure: str, grp: str, deflator: dict, stages: dict, draws: int, seed: int, outputs: dict
):
    import pandas as pd
    from monotowns.estimate.record import to_records
    from monotowns.measures.industry import price_index
    from monotowns.measures.stages import build_stages, turn_grid
    from monotowns.panel.contracts import check
    from monotowns.studies.facts import save_facts, stage_facts
    from monotowns.studies.turns import stage_fits

    rule = (stages["rising_years"], stages["threshold"], stages["floor"])
    table, step = build_stages(
        check(pd.read_csv(structure), "gva_structure"),
        check(pd.read_csv(grp), "grp"),
        price_index(deflator),
        draws,
        seed,
        *rule,
    )
    wide = table.pivot(index="region", columns="year", values="share_adjusted")
    raw = table.pivot(index="region", columns="year", values="share")
    rules = (stages["grid_rising_years"], stages["grid_thresholds"], draws, seed, rule[2])
    grid = pd.concat(
        [
            turn_grid(wide, *rules).assign(share="adjusted", null="years in one order for all"),
            turn_grid(wide, *rules, together=False).assign(
                share="adjusted", null="each region apart"
            ),
            turn_grid(raw, *rules).assign(share="published", null="years in one order for all"),
        ]
    )
    shown = grid[(grid["share"] == "adjusted") & (grid["null"] == "years in one order for all")]
    shown = shown.assign(
        expected=shown["expected"].round(1),
        p_value=shown["p_value"].round(3),
        low=shown["low"].round(0),
        high=shown["high"].round(0),
    )
    save = {"stages": table, "grid": grid, "grid_print": shown}
    for name, frame in save.items():
        frame.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.8g")
    about = {
        "question": "stages",
        "outcome": "manufacturing share of GVA",
        "weights": "none",
        "sample": "regions",
        "seed": seed,
    }
    records = [
        to_records(fit, specification=f"stages_{name}", group=group, **about)
        for name, (fit, group) in stage_fits(table, step, grid).items()
    ]
    pd.concat(records).to_csv(
        outputs["records"], index=False, lineterminator="\n", float_format="%.10g"
    )
    save_facts(stage_facts(table, step, grid, *rule[:2]), outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        deflator=snakemake.params.deflator,
        stages=snakemake.params.stages,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
