PANEL_TABLES = needs.panel_tables(LAYOUT, TABLES)


rule build_panel:
    input:
        **{table: f"{TABLE_FOLDER}/{table}.csv" for table in PANEL_TABLES},
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_towns=f"{HERE}data/corrections/towns.csv",
        hand_incomes=f"{HERE}data/corrections/incomes.yaml",
    output:
        panel="data/panel/panel.csv",
        towns="data/panel/towns.csv",
        flow="results/tables/sample_flow.csv",
        walk="results/tables/crosswalk.csv",
        status="results/tables/monotown_status.csv",
        matched="results/tables/monotowns_located.csv",
        coverage="results/tables/coverage.csv",
    log:
        "logs/build_panel.json",
    benchmark:
        "benchmarks/build_panel.tsv"
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        tables=PANEL_TABLES,
        config={
            "years": config["years"],
            "monotown": config["monotown"],
            "deflator": config["deflator"],
        },
        code=code_of("workflow/monotowns", "workflow/scripts/panel/build_panel.py"),
    message:
        "Panel: harmonise territories, locate monotowns, count what is lost"
    script:
        "../scripts/panel/build_panel.py"
