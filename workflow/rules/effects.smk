# The studies that read several layers: towns by the growth of their industry, the turns of regional
# industry, the policy by cohort. They need Russia's layers, so that another country runs without.


rule analyse_toser_layers:
    input:
        panel=rules.build_panel.output.panel,
        places=rules.build_places.output.table,
        cities=rules.build_cities.output.layer,
        months=rules.build_months.output.layer,
        capitals=f"{HERE}data/capitals.csv",
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
