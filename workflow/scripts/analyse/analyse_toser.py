"""TOSER beyond single specifications: cohorts, overlap, pre-trends, sensitivity, randomization."""

#: What is no robustness check of the headline.
GROUPS = {
    "toser_spillover": "exploratory",
    "toser_categories": "exploratory",
    "toser_placebo": "placebo",
}


def main(tables: list, draws: dict, seed: int, rings_km: list, outputs: dict):
    import pandas as pd
    from monotowns.estimate import bacon, group_time, honest, imputation, spillover
    from monotowns.estimate.record import to_records
    from monotowns.estimate.specification import prepare
    from monotowns.studies import adoption, toser
    from monotowns.studies.facts import save_facts, toser_facts

    frame = prepare(*(pd.read_csv(table, dtype={"entity": str}) for table in tables))
    rows = frame[(frame["monotown"] == 1) & frame["toser_cohort"].notna()]
    given = ("log_taxable_pc", "toser_cohort")
    means = toser.cohort_means(rows, *given)
    before = [
        "log_taxable_pc",
        "log_population",
        "transfer_share",
        "category",
        "log_mp_inverse",
        "manufacturing_base",
    ]
    selected = toser.overlap(rows, "toser_cohort", before, 2013)
    left_out = pd.concat(
        [toser.leave_one_out(rows, *given, by=by) for by in ("toser_cohort", "region")]
    )
    universal = group_time.callaway_santanna(rows, *given, base_period="universal", seed=seed)
    full = rows.groupby("entity")["year"].transform("size") == rows["year"].nunique()
    dated = frame[frame["toser_cohort"].notna()]
    apart = adoption.away_from_unknown(frame, dated, "toser_cohort", rings_km[-1])
    by_category = {f"category {int(c)}": part for c, part in rows.groupby("category")}
    fits = {
        "toser_randomization": toser.randomization(
            rows, *given, "category", draws["permutation"], seed
        ),
        "toser_honest_relative": honest.honest(universal, target=None, seed=seed),
        "toser_honest_smooth": honest.honest(
            universal, (0.0, 0.005, 0.01, 0.02), kind="smoothness", target=None, seed=seed
        ),
        "toser_bacon": bacon.bacon(rows[full], *given),
        "toser_spillover": spillover.rings(apart, *given, "region", tuple(rings_km)),
        "toser_categories": adoption.in_turn(by_category, *given),
        "toser_placebo": imputation.imputation(
            adoption.moved_back(rows, "toser_cohort", 2), *given, seed=seed
        ),
        "toser_conditional": adoption.conditional(rows, *given, "category", 2013, seed),
    }
    records = [
        to_records(
            fit,
            specification=name,
            question="toser",
            group=GROUPS.get(name, "robustness"),
            outcome="log_taxable_pc",
            weights="none",
            seed=seed,
            sample="all entities" if name == "toser_spillover" else "monotowns",
        )
        for name, fit in fits.items()
    ]
    tested = {
        "imputation": toser.pretrends(imputation.imputation(rows, *given, seed=seed), seed),
        "universal": toser.pretrends(universal, seed),
    }
    save = {
        "records": pd.concat(records),
        "means": means,
        "overlap": selected,
        "left_out": left_out,
    }
    for name, table in save.items():
        table.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")
    facts = toser_facts(rows, means, selected, left_out, tested, fits)
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    tables = [snakemake.input[k] for k in ("panel", "measures", "exposure")]
    run(
        main,
        snakemake,
        tables=tables,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        rings_km=snakemake.params.rings_km,
        outputs=dict(snakemake.output.items()),
    )
