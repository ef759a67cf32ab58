# Analyses that are no single regression: their records, their facts, their tables.
rule analyse_exposure:
    input:
        panel=rules.build_panel.output.panel,
        **dict(rules.build_exposure.output.items()),
    output:
        records="results/estimates/analyse_exposure.csv",
        facts="results/facts/exposure.json",
        rotemberg="results/tables/rotemberg.csv",
    log:
        "logs/analyse_exposure.log",
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
