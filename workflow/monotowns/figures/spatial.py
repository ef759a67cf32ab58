"""Impacts of the monotown gap on neighbours, and the dispersion of incomes."""

import pandas as pd

from monotowns.figures.marks import in_order, intervals, labelled, legend_above, year_ticks
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, canvas

WEIGHTS = {
    "main": "ten nearest",
    "nearest_5": "five nearest",
    "nearest_20": "twenty nearest",
    "band": "within 100 km",
    "inverse": "1/distance, 300 km",
}
MODELS = {"slx": "lagged treatment", "sar": "lagged income", "sdm": "both (Durbin)"}
REGION = "lagged treatment, region-by-year effects"
COLOURS = dict(zip([*MODELS.values(), REGION], (GREEN, BLUE, ORANGE, GREY), strict=True))
SIGMA = {"spatial_sigma": "all entities", "spatial_sigma_monotowns": "monotowns"}


def impacts(estimates):
    """Direct, indirect and total impacts, one panel each, by weights and model.

    In the middle panel grey points are the lagged treatment with region-by-year effects, errors
    clustered by region.
    """
    parts = estimates["specification"].str.extract(r"^spatial_(slx_region|slx|sar|sdm)(?:_(\w+))?$")
    rows = estimates.assign(
        label=parts[0].map(MODELS | {"slx_region": REGION}),
        weights=parts[1].fillna("main"),
        kind=estimates["term"].str.extract(r"^(\w+) monotown$", expand=False),
    )
    rows.loc[(rows["label"] == REGION) & (rows["term"] == "W_monotown"), "kind"] = "indirect"
    # Weights under other names are a fork's own; the lag of income is estimated with all weights.
    names = rows.loc[rows["label"] == MODELS["sar"], "weights"].unique()
    order = [*(w for w in WEIGHTS if w in names), *sorted(set(names) - set(WEIGHTS))]
    rows = in_order(rows[rows["weights"].isin(order)], "weights", order)
    rows["place"] = rows["weights"].map(lambda name: WEIGHTS.get(name, name.replace("_", " ")))
    figure, panels = canvas(1, 2.9, 1, 3, sharey=True)
    for axes, kind in zip(panels, ("direct", "indirect", "total"), strict=True):
        of, legend = rows[rows["kind"] == kind], kind == "indirect"
        intervals(axes, of, COLOURS, "x", linewidth=1.4, legend=legend)
        axes.set_xlabel(f"{kind}, log points")
    handles = panels[1].get_legend_handles_labels()
    panels[1].legend().remove()
    figure.legend(*handles, ncols=4, loc="outside upper center", fontsize=6.8, columnspacing=1.0)
    return figure


def dispersion(estimates, inequality):
    """Standard deviation of log income with intervals (left), Theil's index by part (right)."""
    figure, (left, right) = canvas(1, 2.5, 1, 2)
    rows = labelled(estimates[estimates["term"].str.isdigit()], SIGMA)
    rows = rows.assign(place=rows["term"].astype(int))
    intervals(left, rows, {"all entities": BLUE, "monotowns": ORANGE}, legend=True)
    left.set(ylabel="standard deviation of\nlog income per resident", ylim=(0, None))
    years, bottom = inequality["year"], pd.Series(0.0, index=inequality.index)
    for part, colour in (("between", BLUE), ("within", GREEN)):
        bar = {"color": colour, "width": 0.7, "label": f"{part} regions", "lw": 0}
        right.bar(years, inequality[part], bottom=bottom, **bar)
        bottom = bottom + inequality[part]
    right.set(ylabel="Theil index, weighted by residents")
    for axes in (left, right):
        legend_above(axes)
        year_ticks(axes, years, 3)
    return figure
