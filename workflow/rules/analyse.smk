# Analyses that are no single regression: their records, their facts, their tables.
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
    benchmark:
        "benchmarks/analyse_exposure.tsv"
    conda:
        "../../envs/environment.yaml"
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
    benchmark:
        "benchmarks/analyse_robustness.tsv"
    conda:
        "../../envs/environment.yaml"
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
        records=shown(
            "results/estimates/analyse_toser.csv", "toser", "records", "records"
        ),
        facts="results/facts/toser.json",
        means=shown("results/tables/toser_means.csv", "toser"),
        overlap=shown("results/tables/toser_overlap.csv", "toser"),
        left_out=shown("results/tables/toser_leave_one_out.csv", "toser"),
    log:
        "logs/analyse_toser.json",
    benchmark:
        "benchmarks/analyse_toser.tsv"
    conda:
        "../../envs/environment.yaml"
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
        table=shown("results/tables/planted.csv", "robustness"),
    log:
        "logs/validate_estimators.json",
    benchmark:
        "benchmarks/validate_estimators.tsv"
    conda:
        "../../envs/environment.yaml"
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
