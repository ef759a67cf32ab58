# Analyses that are no single regression: their records, their facts, their tables.
rule analyse_exposure:
    input:
        **dict(rules.build_exposure.output.items()),
        panel=rules.build_panel.output.panel,
    output:
        records="results/estimates/analyse_exposure.csv",
        facts="results/facts/exposure.json",
        rotemberg="results/tables/rotemberg.csv",
    log:
        "logs/analyse_exposure.json",
    benchmark:
        "benchmarks/analyse_exposure.tsv"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        window=config["exposure"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/analyse/analyse_exposure.py"
        ),
    message:
        "Exposure: growth from 2020 on by industry, shift-share inference"
    script:
        "../scripts/analyse/analyse_exposure.py"


rule analyse_robustness:
    input:
        **PREPARED,
    output:
        records="results/estimates/analyse_robustness.csv",
        facts="results/facts/robustness.json",
        curve="results/tables/specification_curve.csv",
        families="results/tables/outcome_families.csv",
    log:
        "logs/analyse_robustness.json",
    benchmark:
        "benchmarks/analyse_robustness.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        declared={
            "curves": CURVES,
            "families": FAMILIES,
            "specifications": {
                of["specification"]: SPECIFICATIONS[of["specification"]]
                for of in FAMILIES.values()
            },
        },
        draws=config["draws"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/analyse/analyse_robustness.py"
        ),
    message:
        "Robustness: curve of specifications, bounds, families of outcomes"
    script:
        "../scripts/analyse/analyse_robustness.py"


rule analyse_toser:
    input:
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        exposure=rules.build_exposure.output.exposure,
    output:
        records="results/estimates/analyse_toser.csv",
        facts="results/facts/toser.json",
        means="results/tables/toser_means.csv",
        overlap="results/tables/toser_overlap.csv",
        left_out="results/tables/toser_leave_one_out.csv",
    log:
        "logs/analyse_toser.json",
    benchmark:
        "benchmarks/analyse_toser.tsv"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        draws=config["draws"],
        seed=config["seed"],
        rings_km=[0, *config["rings_km"][:2]],
        code=code_of("workflow/monotowns", "workflow/scripts/analyse/analyse_toser.py"),
    message:
        "TOSER: cohorts, overlap, pre-trends, sensitivity, randomization, spillovers"
    script:
        "../scripts/analyse/analyse_toser.py"


rule validate_estimators:
    output:
        table="results/tables/planted.csv",
    log:
        "logs/validate_estimators.json",
    benchmark:
        "benchmarks/validate_estimators.tsv"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        effect=0.5,
        draws=config["draws"]["simulation"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/analyse/validate_estimators.py"
        ),
    message:
        "Validation: estimators on simulated panels with a planted effect"
    script:
        "../scripts/analyse/validate_estimators.py"
