rule build_measures:
    input:
        **at_hand(regions="population_regions"),
        panel=rules.build_panel.output.panel,
        towns=f"{TABLE_FOLDER}/towns_2020.csv",
    output:
        measures="data/panel/measures.csv",
    log:
        "logs/build_measures.json",
    benchmark:
        "benchmarks/build_measures.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        settings={
            **config["market_potential"],
            "cores": config["cores"],
            "rings_km": config["rings_km"],
            "home": config["data"]["country"],
        },
        contract={"rosstat": "towns_2020", "municipalities": "towns"}[LAYOUT],
        code=code_of("workflow/monotowns", "workflow/scripts/measure/build_measures.py"),
    message:
        "Measures: market potential, distance to cores, rings"
    script:
        "../scripts/measure/build_measures.py"


rule check_contracts:
    input:
        sources=rules.check_tables.output.verdicts,
        panel=rules.build_panel.output.panel,
        towns=rules.build_panel.output.towns,
        sample_flow=rules.build_panel.output.flow,
        crosswalk="results/tables/crosswalk.csv",
        coverage=rules.build_panel.output.coverage,
        measures=rules.build_measures.output.measures,
        municipal_dictionary=f"{TABLE_FOLDER}/municipal_dictionary.csv",
        population_2024=f"{TABLE_FOLDER}/population_2024.csv",
        monotowns_2024=f"{TABLE_FOLDER}/monotowns_2024.csv",
    output:
        contracts=shown("results/tables/contracts.csv", "data"),
        facts="results/facts/contracts.json",
    log:
        "logs/check_contracts.json",
    benchmark:
        "benchmarks/check_contracts.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        tables=[
            "panel",
            "towns",
            "sample_flow",
            "crosswalk",
            "coverage",
            "measures",
            "municipal_dictionary",
            "population_2024",
            "monotowns_2024",
        ],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/measure/check_contracts.py"
        ),
    message:
        "Contracts: the panel, its crosswalk, places, flow and measures"
    script:
        "../scripts/measure/check_contracts.py"


rule build_stages:
    input:
        structure=f"{TABLE_FOLDER}/gva_structure.csv",
        grp=f"{TABLE_FOLDER}/grp.csv",
    output:
        stages=shown("results/tables/regions_stages.csv", "stages"),
        grid=shown("results/tables/turn_grid.csv", "stages"),
        grid_print=shown("results/tables/turn_grid_print.csv", "stages"),
        records=shown("results/estimates/stages.csv", "stages", "records", "records"),
        facts="results/facts/stages.json",
    log:
        "logs/build_stages.json",
    benchmark:
        "benchmarks/build_stages.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        deflator=config["deflator"],
        turn=config["stages"],
        draws=config["draws"]["permutation"],
        seed=config["seed"],
        code=code_of("workflow/monotowns", "workflow/scripts/measure/build_stages.py"),
    message:
        "Stages: regional manufacturing, its turns and breaks"
    script:
        "../scripts/measure/build_stages.py"


rule build_exposure:
    input:
        structure=f"{TABLE_FOLDER}/gva_structure.csv",
        grp=f"{TABLE_FOLDER}/grp.csv",
        industries=f"{TABLE_FOLDER}/monotown_industries.csv",
        towns=rules.build_panel.output.towns,
        panel=rules.build_panel.output.panel,
    output:
        exposure="data/panel/exposure.csv",
        shares="data/panel/exposure_shares.csv",
        shocks="data/panel/exposure_shocks.csv",
    log:
        "logs/build_exposure.json",
    benchmark:
        "benchmarks/build_exposure.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        deflator=config["deflator"],
        window=config["exposure"],
        code=code_of("workflow/monotowns", "workflow/scripts/measure/build_exposure.py"),
    message:
        "Exposure: entities to the growth of industries"
    script:
        "../scripts/measure/build_exposure.py"


rule build_potential:
    input:
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        stages=rules.build_stages.output.stages,
    output:
        potential=shown("results/tables/monotown_potential.csv", "potential"),
        records=shown(
            "results/estimates/potential.csv", "potential", "records", "records"
        ),
        facts="results/facts/potential.json",
    log:
        "logs/build_potential.json",
    benchmark:
        "benchmarks/build_potential.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        draws=config["draws"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/measure/build_potential.py"
        ),
    message:
        "Potential: index, rank bands and validation of every monotown"
    script:
        "../scripts/measure/build_potential.py"


rule build_weights:
    input:
        panel=rules.build_panel.output.panel,
    output:
        weights="data/panel/weights.csv",
        balance=shown("results/tables/balance.csv", "gap"),
    log:
        "logs/build_weights.json",
    benchmark:
        "benchmarks/build_weights.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=config["balance"],
        code=code_of("workflow/monotowns", "workflow/scripts/measure/build_weights.py"),
    message:
        "Weights: balance the controls on what they were before 2014"
    script:
        "../scripts/measure/build_weights.py"


# The panel with what was measured beside it, as far as the tables carry it.
PREPARED = {
    "panel": rules.build_panel.output.panel,
    **{
        name: path
        for stage, name, path in (
            ("build_measures", "measures", rules.build_measures.output.measures),
            ("build_exposure", "exposure", rules.build_exposure.output.exposure),
            ("build_weights", "weights", rules.build_weights.output.weights),
        )
        if stage not in LACKING
    },
}
