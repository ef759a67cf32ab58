# Another country: its municipalities stand by entity and year already.
PANEL_TABLES = needs.panel_tables(LAYOUT, TABLES)


rule build_panel:
    input:
        **{table: f"{TABLE_FOLDER}/{table}.csv" for table in PANEL_TABLES},
    output:
        panel="data/panel/panel.csv",
        towns="data/panel/towns.csv",
        flow="results/tables/sample_flow.csv",
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
        code=code_of(
            "workflow/monotowns",
            "workflow/scripts/panel/build_panel_municipalities.py",
        ),
    message:
        "Panel: join municipalities and company towns, count what is lost"
    script:
        "../scripts/panel/build_panel_municipalities.py"
