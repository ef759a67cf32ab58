PAPER_TABLES = [
    rules.build_panel.output.flow,
    rules.build_stages.output.grid_print,
    rules.analyse_convergence.output.clubs_print,
    rules.validate_estimators.output.table,
    "results/expected/bench.csv",
    "results/expected/scale.csv",
    "results/expected/figures/scale.svg",
]
FIGURES = {
    "maps": ["map"],
    "gap": ["means", "gap"],
    "toser": ["toser", "toser_means", "honest"],
    "agglomeration": ["elasticities", "scales"],
    "industry": ["stages", "stage_map", "exposure"],
    "potential": ["ranks", "potential_map"],
    "robustness": ["curve"],
    "spatial": ["impacts", "dispersion"],
}


def drawn(*names):
    """The two files of every figure, by the names that the script gives them."""
    return {
        f"{n}_{kind}": f"results/figures/{n}.{kind}"
        for n in names
        for kind in ("svg", "png")
    }


def figure_code(group):
    """The code that a group of figures reaches."""
    return code_of(
        "workflow/monotowns", "workflow/scripts/figures/draw.py", f"figures.{group}"
    )


rule draw_maps:
    input:
        panel=rules.build_panel.output.panel,
        measures=rules.build_measures.output.measures,
    output:
        **drawn(*FIGURES["maps"]),
    log:
        "logs/draw_maps.json",
    benchmark:
        "benchmarks/draw_maps.tsv"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        group="maps",
        code=figure_code("maps"),
    message:
        "Figures: {params.group}"
    script:
        "../scripts/figures/draw.py"


use rule draw_maps as draw_gap with:
    input:
        panel=rules.build_panel.output.panel,
        estimates=rules.collect.output.estimates,
    output:
        **drawn(*FIGURES["gap"]),
    log:
        "logs/draw_gap.json",
    benchmark:
        "benchmarks/draw_gap.tsv"
    params:
        group="gap",
        code=figure_code("gap"),


use rule draw_maps as draw_agglomeration with:
    input:
        estimates=rules.collect.output.estimates,
        literature="data/literature.csv",
    output:
        **drawn(*FIGURES["agglomeration"]),
    log:
        "logs/draw_agglomeration.json",
    benchmark:
        "benchmarks/draw_agglomeration.tsv"
    params:
        group="agglomeration",
        code=figure_code("agglomeration"),


use rule draw_maps as draw_industry with:
    input:
        stages=rules.build_stages.output.stages,
        panel=rules.build_panel.output.panel,
        estimates=rules.collect.output.estimates,
    output:
        **drawn(*FIGURES["industry"]),
    log:
        "logs/draw_industry.json",
    benchmark:
        "benchmarks/draw_industry.tsv"
    params:
        group="industry",
        code=figure_code("industry"),


use rule draw_maps as draw_potential with:
    input:
        potential=rules.build_potential.output.potential,
        panel=rules.build_panel.output.panel,
    output:
        **drawn(*FIGURES["potential"]),
    log:
        "logs/draw_potential.json",
    benchmark:
        "benchmarks/draw_potential.tsv"
    params:
        group="potential",
        code=figure_code("potential"),


use rule draw_maps as draw_robustness with:
    input:
        curve=rules.analyse_robustness.output.curve,
    output:
        **drawn(*FIGURES["robustness"]),
    log:
        "logs/draw_robustness.json",
    benchmark:
        "benchmarks/draw_robustness.tsv"
    params:
        group="robustness",
        code=figure_code("robustness"),


use rule draw_maps as draw_toser with:
    input:
        means=rules.analyse_toser.output.means,
        estimates=rules.collect.output.estimates,
    output:
        **drawn(*FIGURES["toser"]),
    log:
        "logs/draw_toser.json",
    benchmark:
        "benchmarks/draw_toser.tsv"
    params:
        group="toser",
        code=figure_code("toser"),


use rule draw_maps as draw_spatial with:
    input:
        estimates=rules.collect.output.estimates,
        inequality=rules.analyse_convergence.output.inequality,
    output:
        **drawn(*FIGURES["spatial"]),
    log:
        "logs/draw_spatial.json",
    benchmark:
        "benchmarks/draw_spatial.tsv"
    params:
        group="spatial",
        code=figure_code("spatial"),
