# The further layers of data, each a panel of its own: cities 2000-2019, quarters of 2023-2024. What
# an entity is (status, policy, industry, kind, place) is one table that all layers share.
from monotowns.acquire.readers.incomes import KINDS_YEAR


rule build_marked_years:
    input:
        incomes=table("municipal_incomes"),
        dictionary=table("municipal_dictionary"),
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        contracts=rules.check_tables.output.verdicts,
    output:
        layer="data/panel/marked_years.parquet",
        years_apart=shown("results/tables/marked_years.csv", "data"),
    log:
        "logs/build_marked_years.json",
    message:
        "Marked years: 2010, 2011 and 2022, beside the window"
    script:
        "../scripts/panel/build_marked_years.py"


rule build_places:
    input:
        dictionary=table("municipal_dictionary"),
        kinds=table("municipal_kinds"),
        incomes=table("municipal_incomes"),
        industries=table("monotown_industries"),
        groups=table("regional_groups"),
        towns=rules.build_panel.output.towns,
        towns_2020=table("towns_2020"),
        town_codes=table("town_codes"),
        status="results/tables/monotown_status.csv",
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_kinds=f"{HERE}data/corrections/kinds.csv",
    output:
        table="data/panel/places.parquet",
    log:
        "logs/build_places.json",
    params:
        year=KINDS_YEAR,
        # Rings lie around the cores of the second size.
        core=config["cores"][1],
        classes=config["classes"],
    message:
        "Places: status, policy, industry, kind and place of every entity"
    script:
        "../scripts/panel/build_places.py"


rule build_cities:
    input:
        cities=table("cities"),
        dictionary=table("municipal_dictionary"),
        panel=rules.build_panel.output.panel,
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_cities=f"{HERE}data/corrections/cities.yaml",
        contracts=rules.check_tables.output.verdicts,
    output:
        layer="data/panel/panel_cities.parquet",
    log:
        "logs/build_cities.json",
    params:
        deflator=config["deflator"],
    message:
        "Cities: corrections, entities and outcomes, 2000-2019"
    script:
        "../scripts/panel/build_cities.py"


rule build_months:
    input:
        wages=table("municipal_wages"),
        consumption=table("consumption"),
        ages=table("population_ages"),
        dictionary=table("municipal_dictionary"),
        contracts=rules.check_tables.output.verdicts,
    output:
        layer="data/panel/panel_months.parquet",
    log:
        "logs/build_months.json",
    message:
        "Months: wages by section and spending, quarters of 2023-2024"
    script:
        "../scripts/panel/build_months.py"


rule build_regions:
    input:
        production=table("regional_production"),
        others=[
            table(name)
            for name in (
                "regional_investment",
                "regional_labour",
                "regional_product",
                "regional_trade",
                "fixed_assets",
            )
        ],
        hand_regions=f"{HERE}data/corrections/regions.yaml",
        contracts=rules.check_tables.output.verdicts,
    output:
        layer="data/panel/panel_regions.parquet",
        agreement=shown("results/tables/index_overlap.csv", "data"),
    log:
        "logs/build_regions.json",
    params:
        deflator=config["deflator"],
    message:
        "Regions: industry, work, investment and trade, corrected, 2001-2024"
    script:
        "../scripts/panel/build_regions.py"


rule describe_layers:
    input:
        places=rules.build_places.output.table,
        panel=rules.build_panel.output.panel,
        cities=rules.build_cities.output.layer,
        months=rules.build_months.output.layer,
        regions=rules.build_regions.output.layer,
    output:
        described=shown("results/tables/layers.csv", "data"),
        paths=shown("results/tables/layer_paths.csv", "data"),
        book=shown("results/tables/monotown_cities.csv", "data"),
        groups=shown("results/tables/town_groups.csv", "data"),
        shocks=shown("results/tables/effective_shocks.csv", "data"),
    log:
        "logs/describe_layers.json",
    params:
        year=KINDS_YEAR,
    message:
        "Layers: outcomes by group and raw paths"
    script:
        "../scripts/analyse/describe_layers.py"
