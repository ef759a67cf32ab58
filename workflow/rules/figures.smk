# One job draws all figures. A figure's function names the tables that it reads.
from monotowns.figures import FIGURES, tables_of

FIGURE_TABLES = {
    "panel": rules.build_panel.output.panel,
    "measures": rules.build_measures.output.measures,
    "stages": rules.build_stages.output.stages,
    "potential": rules.build_potential.output.potential,
    "means": rules.analyse_toser.output.means,
    "inequality": rules.analyse_convergence.output.inequality,
    "curve": "results/tables/specification_curve.csv",
    "estimates": rules.collect.output.estimates,
    "literature": f"{HERE}data/literature.csv",
}
# Borders there are of Russia alone: elsewhere no map is drawn.
if LAYOUT == "rosstat":
    FIGURE_TABLES["borders"] = rules.build_borders.output.borders
    FIGURE_TABLES["towns"] = table("towns_2020")
    FIGURE_TABLES["turns_chance"] = rules.analyse_turns.output.chance
    FIGURE_TABLES["layer_paths"] = rules.describe_layers.output.paths
    FIGURE_TABLES["groups"] = rules.analyse_groups.output.groups
FIGURE_TABLES = {
    k: path
    for k, path in FIGURE_TABLES.items()
    if REACH.has(path) and (k != "curve" or all(DECLARED.values()))
}
DRAWN = {
    name: figure.__module__.rsplit(".")[-1]
    for name, figure in FIGURES.items()
    if tables_of(name) <= FIGURE_TABLES.keys()
}


rule draw_figures:
    input:
        **FIGURE_TABLES,
    output:
        **{f"{name}_png": f"results/figures/{name}.png" for name in DRAWN},
        **{
            f"{name}_svg": shown(f"results/figures/{name}.svg", of, "figure")
            for name, of in DRAWN.items()
        },
    log:
        "logs/draw_figures.json",
    message:
        "Figures"
    script:
        "../scripts/figures/draw_figures.py"
