# The studies that read several layers: towns by the growth of their industry, the turns of regional
# industry, the policy by cohort. They need Russia's layers, so that another country runs without.


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
