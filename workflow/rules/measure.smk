rule build_measures:
    input:
        panel=rules.build_panel.output.panel,
        towns=f"{TABLE_FOLDER}/towns_2020.csv",
        regions=f"{TABLE_FOLDER}/population_regions.csv",
    output:
        measures="data/panel/measures.csv",
    log:
        "logs/build_measures.log",
    benchmark:
        "benchmarks/build_measures.tsv"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        settings={
            **config["market_potential"],
            "cores": config["cores"],
            "rings_km": config["rings_km"],
        },
        code=code_of("workflow/monotowns", "workflow/scripts/measure/build_measures.py"),
    message:
        "Measures: market potential, distance to cores, rings"
    script:
        "../scripts/measure/build_measures.py"
