# Another country: its municipalities stand by entity and year already.
PANEL_TABLES = ["municipalities", "company_towns", *optional(toser="toser")]


rule build_panel:
    input:
        **{name: table(name) for name in PANEL_TABLES},
    output:
        panel="data/panel/panel.parquet",
        towns="data/panel/towns.csv",
        flow="results/tables/sample_flow.csv",
        matched="results/tables/monotowns_located.csv",
        coverage="results/tables/coverage.csv",
    log:
        "logs/build_panel.json",
    params:
        tables=PANEL_TABLES,
        config={k: config[k] for k in ("years", "monotown", "deflator")},
    message:
        "Panel: join municipalities and company towns, count what is lost"
    script:
        "../scripts/panel/build_panel_municipalities.py"
