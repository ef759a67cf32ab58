PANEL_TABLES = needs.panel_tables(LAYOUT, TABLES)


rule build_panel:
    input:
        **{table: f"{TABLE_FOLDER}/{table}.csv" for table in PANEL_TABLES},
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_towns=f"{HERE}data/corrections/towns.csv",
        hand_incomes=f"{HERE}data/corrections/incomes.yaml",
        # Nothing is built from a table whose contract failed. Not `ancient`: when the job before
        # runs, Snakemake then looks at no other reason for this one.
        contracts=rules.check_tables.output.verdicts,
    output:
        panel="data/panel/panel.csv",
        towns="data/panel/towns.csv",
        flow=shown("results/tables/sample_flow.csv", "data"),
        walk=shown("results/tables/crosswalk.csv", "data"),
        status=shown("results/tables/monotown_status.csv", "data"),
        matched=shown("results/tables/monotowns_located.csv", "data"),
        coverage=shown("results/tables/coverage.csv", "data"),
    log:
        "logs/build_panel.json",
    benchmark:
        "benchmarks/build_panel.tsv"
    conda:
        "../../envs/environment.yaml"
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
