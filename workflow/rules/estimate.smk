rule estimate:
    message:
        "Estimates: every specification, one result record each"
    input:
        panel=rules.build_panel.output.panel,
        matched=rules.build_panel.output.matched,
        market_access="data/snapshot/market_access.csv",
    output:
        estimates="results/estimates.csv",
        numbers="results/numbers.json",
    params:
        specifications=SPECIFICATIONS,
        seed=config["seed"],
        code=code_of("workflow/monotowns", "workflow/scripts/estimate/estimate.py"),
    log:
        "logs/estimate.log",
    benchmark:
        "benchmarks/estimate.tsv"
    resources:
        mem_mb=3000,
        runtime=10,
    script:
        "../scripts/estimate/estimate.py"
