FIGURES = ["map", "means", "gap", "toser"]


rule draw:
    message:
        "Figures: map, group means, event studies"
    input:
        panel=rules.build_panel.output.panel,
        estimates=rules.estimate.output.estimates,
    output:
        **{f"{name}_svg": f"results/figures/{name}.svg" for name in FIGURES},
        **{f"{name}_png": f"results/figures/{name}.png" for name in FIGURES},
    params:
        code=code_of("workflow/monotowns", "workflow/scripts/figures/draw.py"),
    log:
        "logs/draw.log",
    benchmark:
        "benchmarks/draw.tsv"
    resources:
        mem_mb=1000,
        runtime=5,
    script:
        "../scripts/figures/draw.py"
