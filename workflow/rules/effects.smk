# The studies that read several layers: towns by the growth of their industry, the turns of regional
# industry, the policy by cohort. They need Russia's layers, so that another country runs without.
rule build_growth:
    input:
        months_layer=rules.build_months.output.layer,
    output:
        growth="data/panel/growth.parquet",
    log:
        "logs/build_growth.json",
    message:
        "Growth: wages and spending of every entity, 2023 to 2024"
    script:
        "../scripts/panel/build_growth.py"


rule build_group_exposure:
    input:
        groups=table("regional_groups"),
        industries=table("monotown_industries"),
        towns=rules.build_panel.output.towns,
        entities=rules.build_places.output.table,
    output:
        exposure="data/panel/groups_exposure.parquet",
        shares="data/panel/groups_shares.csv",
        shocks="data/panel/groups_shocks.csv",
    log:
        "logs/build_group_exposure.json",
    params:
        window=config["group_exposure"],
    message:
        "Exposure: entities to the growth of groups of divisions"
    script:
        "../scripts/measure/build_group_exposure.py"


rule analyse_groups:
    input:
        **dict(rules.build_group_exposure.output.items()),
        places=rules.build_places.output.table,
        growth=rules.build_growth.output.growth,
        panel=rules.build_panel.output.panel,
    output:
        records=shown(
            "results/estimates/analyse_groups.csv",
            "reindustrialisation",
            "records",
            "records",
        ),
        facts="results/facts/groups.json",
        rotemberg=shown("results/tables/groups_rotemberg.csv", "reindustrialisation"),
        left_out=shown("results/tables/groups_left_out.csv", "reindustrialisation"),
        groups=shown("results/tables/groups_shocks.csv", "reindustrialisation"),
        flow=shown("results/tables/groups_flow.csv", "reindustrialisation"),
    log:
        "logs/analyse_groups.json",
    params:
        year=KINDS_YEAR,
        window=config["group_exposure"],
        draws=config["draws"],
        seed=config["seed"],
    message:
        "Groups: growth of monotowns by the growth of their industry, 2022-2024"
    script:
        "../scripts/analyse/analyse_groups.py"


rule analyse_turns:
    input:
        regions=rules.build_regions.output.layer,
        # The index that the volume is chained from: its jumps are corrections.
        production=table("regional_production"),
        hand_volume=f"{HERE}data/corrections/volume.yaml",
        stages=rules.build_stages.output.stages,
        places=rules.build_places.output.table,
        panel=rules.build_panel.output.panel,
    output:
        records=shown(
            "results/estimates/analyse_turns.csv", "stages", "records", "records"
        ),
        facts="results/facts/turns.json",
        dated=shown("results/tables/turns_volume.csv", "stages"),
        chance=shown("results/tables/turns_chance.csv", "stages"),
        by_stage=shown("results/tables/turns_stages.csv", "stages"),
    log:
        "logs/analyse_turns.json",
    params:
        turn=config["turns"],
        share=config["stages"],
        draws=config["draws"]["permutation"],
        seed=config["seed"],
    message:
        "Turns: the volume of regional manufacturing, up and down, against chance"
    script:
        "../scripts/analyse/analyse_turns.py"


rule analyse_turn_effects:
    input:
        dated=rules.analyse_turns.output.dated,
        places=rules.build_places.output.table,
        panel=rules.build_panel.output.panel,
        cities=rules.build_cities.output.layer,
    output:
        records=shown(
            "results/estimates/analyse_turn_effects.csv",
            "reindustrialisation",
            "records",
            "records",
        ),
        facts="results/facts/turn_effects.json",
        cohorts=shown("results/tables/turns_cohorts.csv", "reindustrialisation"),
    log:
        "logs/analyse_turn_effects.json",
    params:
        turn=config["turns"],
        draws=config["draws"],
        seed=config["seed"],
    message:
        "Turns: monotowns around them, slopes on volume, cities by manufacturing"
    script:
        "../scripts/analyse/analyse_turn_effects.py"


rule analyse_toser_layers:
    input:
        panel=rules.build_panel.output.panel,
        places=rules.build_places.output.table,
        cities=rules.build_cities.output.layer,
        growth=rules.build_growth.output.growth,
        published=f"{HERE}data/plausible_effects.csv",
        municipal="results/tables/toser_cohorts_municipal.csv",
    output:
        records=shown(
            "results/estimates/analyse_toser_layers.csv", "toser", "records", "records"
        ),
        facts="results/facts/toser_layers.json",
        layers=shown("results/tables/toser_cohorts.csv", "toser"),
        beside=shown("results/tables/toser_detectable.csv", "toser"),
    log:
        "logs/analyse_toser_layers.json",
    params:
        settings=config["toser"],
        draws=config["draws"]["cohorts"],
        seed=config["seed"],
        rings_km=[0, *config["rings_km"][:2]],
    message:
        "TOSER: residents, transfers, cities, quarters; spillovers by kind of place"
    script:
        "../scripts/analyse/analyse_toser_layers.py"
