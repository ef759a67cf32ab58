"""Draw the figures of the manuscript."""


def main(panel: str, measures: str, estimates: str, literature: str, outputs: dict):
    import pandas as pd
    from monotowns import figures

    keys = {"dtype": {"entity": str}}
    frame = pd.read_csv(panel, **keys).merge(pd.read_csv(measures, **keys), on=["entity", "year"])
    records = pd.read_csv(estimates, dtype={"term": str})
    log = "effect on log real taxable\nincome per resident"
    gap = {"gap_main": "all comparison entities", "gap_urban_okrugs": "urban okrugs only"}
    toser = {"toser_imputation": "imputation", "toser_callaway_santanna": "Callaway-Sant'Anna"}
    ways = {
        "agglomeration_between": "between, within regions",
        "agglomeration_long_difference": "long difference",
        "agglomeration_within": "within entities",
    }
    drawn = {
        "map": figures.status_map(frame),
        "means": figures.group_means(frame),
        "gap": figures.event_plot(records, gap, log, "year", base=2013),
        "toser": figures.event_plot(records, toser, log, "years since TOSER status"),
        "elasticities": figures.elasticities(records, ways, pd.read_csv(literature)),
    }
    for name, figure in drawn.items():
        figures.save(figure, outputs[f"{name}_svg"], outputs[f"{name}_png"])


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, **dict(snakemake.input.items()), outputs=dict(snakemake.output.items()))
