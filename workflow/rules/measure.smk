with refusals():
    REACH.refuse_no_panel(rules.build_panel.output.panel, LAYOUT)


rule build_measures:
    input:
        # Only Russia's cities of federal rank stand outside of the panel.
        regions=table("population_regions") if LAYOUT == "rosstat" else [],
        panel=rules.build_panel.output.panel,
        towns=table("towns_2020"),
        # The same for every country.
        countries=f"{HERE}data/snapshot/countries.csv",
    output:
        measures="data/panel/measures.parquet",
    log:
        "logs/build_measures.json",
    params:
        settings={
            **config["market_potential"],
            **{k: config[k] for k in ("cores", "rings_km")},
            "home": config["data"]["country"],
        },
        contract={"rosstat": "towns_2020", "municipalities": "towns"}[LAYOUT],
    message:
        "Measures: market potential, distance to cores, rings"
    script:
        "../scripts/measure/build_measures.py"


rule build_weights:
    input:
        panel=rules.build_panel.output.panel,
    output:
        weights="data/panel/weights.parquet",
        balance=shown("results/tables/balance.csv", "gap"),
    log:
        "logs/build_weights.json",
    params:
        settings=config["balance"],
    message:
        "Weights: balance the controls on what they were before 2014"
    script:
        "../scripts/measure/build_weights.py"


rule build_exposure:
    input:
        structure=table("gva_structure"),
        grp=table("grp"),
        industries=table("monotown_industries"),
        towns=rules.build_panel.output.towns,
        panel=rules.build_panel.output.panel,
    output:
        exposure="data/panel/exposure.parquet",
        shares="data/panel/exposure_shares.csv",
        shocks="data/panel/exposure_shocks.csv",
    log:
        "logs/build_exposure.json",
    params:
        deflator=config["deflator"],
        window=config["exposure"],
    message:
        "Exposure: entities to the growth of industries"
    script:
        "../scripts/measure/build_exposure.py"


rule build_stages:
    input:
        structure=table("gva_structure"),
        grp=table("grp"),
    output:
        stages=shown("results/tables/regions_stages.csv", "stages"),
        grid=shown("results/tables/turn_grid.csv", "stages"),
        grid_print=shown("results/tables/turn_grid_print.csv", "stages"),
        records=shown("results/estimates/stages.csv", "stages", "records", "records"),
        facts="results/facts/stages.json",
    log:
        "logs/build_stages.json",
    params:
        deflator=config["deflator"],
        turn=config["stages"],
        draws=config["draws"]["permutation"],
        seed=config["seed"],
    message:
        "Stages: regional manufacturing, its turns and breaks"
    script:
        "../scripts/measure/build_stages.py"


rule build_potential:
    input:
        **({"growth": "data/panel/growth.parquet"} if LAYOUT == "rosstat" else {}),
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        stages=rules.build_stages.output.stages,
        # Validated on the years after the window too, where there is a layer of them.
    output:
        potential=shown("results/tables/monotown_potential.csv", "potential"),
        records=shown(
            "results/estimates/potential.csv", "potential", "records", "records"
        ),
        facts="results/facts/potential.json",
    log:
        "logs/build_potential.json",
    params:
        draws=config["draws"],
        seed=config["seed"],
    message:
        "Potential: index, rank bands and validation of every monotown"
    script:
        "../scripts/measure/build_potential.py"


rule check_contracts:
    input:
        sources=rules.check_tables.output.verdicts,
        panel=rules.build_panel.output.panel,
        towns=rules.build_panel.output.towns,
        sample_flow=rules.build_panel.output.flow,
        crosswalk="results/tables/crosswalk.csv",
        coverage=rules.build_panel.output.coverage,
        measures=rules.build_measures.output.measures,
        municipal_dictionary=table("municipal_dictionary"),
        population_2024=table("population_2024"),
        monotowns_2024=table("monotowns_2024"),
    output:
        contracts=shown("results/tables/contracts.csv", "data"),
        facts="results/facts/contracts.json",
    log:
        "logs/check_contracts.json",
    message:
        "Contracts: the panel, its crosswalk, places, flow and measures"
    script:
        "../scripts/measure/check_contracts.py"
