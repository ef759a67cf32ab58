# One job a question and layer of data: all its specifications from one read of the layer, a record
# each. Then the studies that are no list of specifications: their records, facts and tables.
PREPARED = {
    name: path
    for name, path in (
        ("panel", rules.build_panel.output.panel),
        ("measures", rules.build_measures.output.measures),
        ("exposure", rules.build_exposure.output.exposure),
        ("weights", rules.build_weights.output.weights),
    )
    if REACH.has(path)
}
JOINED = {name: table(name) for name in config["data"]["joined"]}

PLACES = {"places": rules.build_places.output.table} if LAYOUT == "rosstat" else {}
LAYERS = {"municipalities": {**PREPARED, **JOINED, **PLACES}}
if LAYOUT == "rosstat":
    LAYERS["cities"] = {"panel": rules.build_cities.output.layer, **PLACES}
    LAYERS["growth"] = {"panel": rules.build_growth.output.growth, **PLACES}

for QUESTION, LAYER in dict.fromkeys(
    (spec["question"], spec["layer"]) for spec in SPECIFICATIONS.values()
):
    if LAYER not in LAYERS:
        continue
    NAMED = {
        k: v
        for k, v in SPECIFICATIONS.items()
        if (v["question"], v["layer"]) == (QUESTION, LAYER)
    }
    STEP = QUESTION if LAYER == "municipalities" else f"{QUESTION}_{LAYER}"

    rule:
        name:
            f"estimate_{STEP}"
        input:
            **LAYERS[LAYER],
        output:
            records=[
                shown(
                    f"results/estimates/{s}.csv",
                    QUESTION,
                    "{estimator} of {outcome} on {treatment}".format_map(spec),
                    "specification",
                )
                for s, spec in NAMED.items()
            ],
            flows=[
                shown(
                    f"results/estimates/{s}.flow.csv", QUESTION, "sample flow", "flow"
                )
                for s in NAMED
            ],
        log:
            f"logs/estimate_{STEP}.json",
        params:
            specifications=NAMED,
            joined=config["data"]["joined"] if LAYER == "municipalities" else {},
            draws=config["draws"]["bootstrap"],
            seed=config["seed"],
        message:
            f"Estimate {len(NAMED)} specifications: {STEP}"
        script:
            "../scripts/estimate/estimate_question.py"


rule analyse_toser:
    input:
        # Without its dates there is no cohort.
        toser=table("toser"),
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        exposure=rules.build_exposure.output.exposure,
    output:
        records=shown(
            "results/estimates/analyse_toser.csv", "toser", "records", "records"
        ),
        facts="results/facts/toser.json",
        cohorts=shown("results/tables/toser_cohorts_municipal.csv", "toser"),
        means=shown("results/tables/toser_means.csv", "toser"),
        overlap=shown("results/tables/toser_overlap.csv", "toser"),
        left_out=shown("results/tables/toser_leave_one_out.csv", "toser"),
    log:
        "logs/analyse_toser.json",
    params:
        settings=config["toser"],
        draws=config["draws"],
        seed=config["seed"],
        rings_km=[0, *config["rings_km"][:2]],
    message:
        "TOSER: cohorts, pool, overlap, pre-trends, sensitivity, randomization, spillovers"
    script:
        "../scripts/analyse/analyse_toser.py"


rule analyse_exposure:
    input:
        **dict(rules.build_exposure.output.items()),
        panel=rules.build_panel.output.panel,
    output:
        records=shown(
            "results/estimates/analyse_exposure.csv",
            "reindustrialisation",
            "records",
            "records",
        ),
        facts="results/facts/exposure.json",
        rotemberg=shown("results/tables/rotemberg.csv", "reindustrialisation"),
    log:
        "logs/analyse_exposure.json",
    params:
        window=config["exposure"],
        seed=config["seed"],
    message:
        "Exposure: growth from 2020 on by industry, shift-share inference"
    script:
        "../scripts/analyse/analyse_exposure.py"


if all(DECLARED.values()):

    rule analyse_robustness:
        input:
            **PREPARED,
            **PLACES,
        output:
            records=shown(
                "results/estimates/analyse_robustness.csv",
                "robustness",
                "records",
                "records",
            ),
            facts="results/facts/robustness.json",
            curve=shown("results/tables/specification_curve.csv", "robustness"),
            families=shown("results/tables/outcome_families.csv", "robustness"),
        log:
            "logs/analyse_robustness.json",
        params:
            declared={
                **DECLARED,
                "specifications": {
                    of["specification"]: SPECIFICATIONS[of["specification"]]
                    for of in DECLARED["families"].values()
                },
            },
            draws=config["draws"],
            seed=config["seed"],
        message:
            "Robustness: curve of specifications, bounds, families of outcomes"
        script:
            "../scripts/analyse/analyse_robustness.py"


rule analyse_spatial:
    input:
        panel=rules.build_panel.output.panel,
    output:
        records=shown(
            "results/estimates/analyse_spatial.csv", "spatial", "records", "records"
        ),
        facts="results/facts/spatial.json",
    log:
        "logs/analyse_spatial.json",
    params:
        settings=config["spatial"],
        list_year=config["monotown"]["main"]["list"],
        draws=config["draws"],
        seed=config["seed"],
    message:
        "Spatial: panels over several weights, impacts, tests of dependence"
    script:
        "../scripts/analyse/analyse_spatial.py"


rule analyse_convergence:
    input:
        panel=rules.build_panel.output.panel,
        towns=table("towns_2020"),
    output:
        records=shown(
            "results/estimates/analyse_convergence.csv",
            "spatial",
            "records",
            "records",
        ),
        facts="results/facts/convergence.json",
        inequality=shown("results/tables/inequality.csv", "spatial"),
        clubs=shown("results/tables/convergence_clubs.csv", "spatial"),
        clubs_print=shown("results/tables/convergence_clubs_print.csv", "spatial"),
    log:
        "logs/analyse_convergence.json",
    params:
        tails=config["rank_size"],
        seed=config["seed"],
    message:
        "Convergence: beta, sigma, Theil, clubs; towns by rank and growth by size"
    script:
        "../scripts/analyse/analyse_convergence.py"


rule validate_estimators:
    output:
        table=shown("results/tables/planted.csv", "robustness"),
    log:
        "logs/validate_estimators.json",
    params:
        effect=0.5,
        draws=config["draws"]["simulation"],
        seed=config["seed"],
    message:
        "Validation: estimators on simulated panels with a planted effect"
    script:
        "../scripts/analyse/validate_estimators.py"


rule collect:
    input:
        **{k: v for k, v in PREPARED.items() if k in ("panel", "measures")},
        **optional(market_access="market_access"),
        matched=rules.build_panel.output.matched,
        coverage=rules.build_panel.output.coverage,
        records=REACH.made("records"),
        flows=REACH.made("flows"),
        facts=REACH.made("facts"),
    output:
        estimates=shown("results/estimates.csv", "paper", "records"),
        samples=shown("results/tables/estimation_samples.csv", "paper"),
        samples_print=shown("results/tables/estimation_samples_print.csv", "paper"),
        estimates_print=shown("results/tables/estimates_print.csv", "paper"),
        numbers=shown("results/numbers.json", "paper", "numbers"),
        facts="results/facts/panel.json",
    log:
        "logs/collect.json",
    params:
        policy=config["claims"],
    message:
        "Collect: all result records, sample flows, the numbers of the text"
    script:
        "../scripts/estimate/collect.py"


if EFFECTS:

    rule tabulate_effects:
        input:
            estimates=rules.collect.output.estimates,
        output:
            cells=shown("results/tables/effects.csv", "paper"),
            cells_print=shown("results/tables/effects_print.csv", "paper"),
        log:
            "logs/tabulate_effects.json",
        params:
            declared=EFFECTS,
        message:
            "Effects: the table that the paper is about"
        script:
            "../scripts/estimate/tabulate_effects.py"
