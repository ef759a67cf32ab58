# The panel from the tables of Russia's statistical office.
PANEL_TABLES = [
    "municipal_incomes",
    "municipal_dictionary",
    "population_2024",
    "monotowns_2014",
    "monotowns_2024",
    *optional(toser="toser", population_regions="population_regions"),
]


rule build_panel:
    input:
        **{name: table(name) for name in PANEL_TABLES},
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_towns=f"{HERE}data/corrections/towns.csv",
        hand_incomes=f"{HERE}data/corrections/incomes.yaml",
        # Nothing is built from a table whose contract failed.
        contracts=rules.check_tables.output.verdicts,
    output:
        panel="data/panel/panel.parquet",
        towns="data/panel/towns.csv",
        flow=shown("results/tables/sample_flow.csv", "data"),
        walk=shown("results/tables/crosswalk.csv", "data"),
        status=shown("results/tables/monotown_status.csv", "data"),
        matched=shown("results/tables/monotowns_located.csv", "data"),
        coverage=shown("results/tables/coverage.csv", "data"),
    log:
        "logs/build_panel.json",
    params:
        tables=PANEL_TABLES,
        config={k: config[k] for k in ("years", "monotown", "deflator")},
    message:
        "Panel: harmonise territories, locate monotowns, count what is lost"
    script:
        "../scripts/panel/build_panel.py"


rule build_borders:
    input:
        borders=table("borders"),
        municipal_dictionary=table("municipal_dictionary"),
        contracts=rules.check_tables.output.verdicts,
    output:
        borders="data/panel/borders.parquet",
        without="data/panel/without_border.csv",
    log:
        "logs/build_borders.json",
    message:
        "Borders: dissolve territories to entities and regions"
    script:
        "../scripts/panel/build_borders.py"
