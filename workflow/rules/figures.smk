FIGURES = ["map", "means", "gap", "toser", "elasticities"]


rule draw:
    input:
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
        literature="data/literature.csv",
        estimates=rules.collect.output.estimates,
    output:
        **{f"{name}_svg": f"results/figures/{name}.svg" for name in FIGURES},
        **{f"{name}_png": f"results/figures/{name}.png" for name in FIGURES},
    log:
        "logs/draw.log",
    benchmark:
        "benchmarks/draw.tsv"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code_of("workflow/monotowns", "workflow/scripts/figures/draw.py"),
    message:
        "Figures: map, group means, event studies"
    script:
        "../scripts/figures/draw.py"
