"""Impacts of the monotown gap on neighbours, and the dispersion of incomes."""

import pandas as pd

from monotowns.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    interval_points,
    legend_above,
    style,
)

WEIGHTS = {
    "main": "ten nearest",
    "nearest_5": "five nearest",
    "nearest_20": "twenty nearest",
    "band": "within 100 km",
    "inverse": "1/distance, 300 km",
}
MODELS = {
    "slx": ("lagged treatment", GREEN),
    "sar": ("lagged income", BLUE),
    "sdm": ("both (Durbin)", ORANGE),
}
SHIFT = {"slx": -0.24, "sar": 0.0, "sdm": 0.24}


def _order(name):
    return (list(WEIGHTS).index(name) if name in WEIGHTS else len(WEIGHTS), name)


def impacts(records):
    """Direct, indirect and total impacts, one panel each, by weights and model.

    In the middle panel grey points are the lagged treatment with region-by-year effects, errors
    clustered by region.
    """
    plt = style()
    figure, panels = plt.subplots(1, 3, figsize=(WIDTH, 2.9), sharey=True)
    rows = records.set_index(["specification", "term"])
    columns = ["estimate", "ci_low", "ci_high"]
    # Weights under other names are a fork's own.
    known = set(records["specification"])
    names = [n.removeprefix("spatial_sar_") for n in known if n.startswith("spatial_sar_")]
    names = [n for n in names if {f"spatial_{model}_{n}" for model in MODELS} <= known]
    weights = {n: WEIGHTS.get(n, n.replace("_", " ")) for n in sorted(names, key=_order)}

    def point(axes, place, specification, term, colour):
        found = rows.loc[[(specification, term)], columns].iloc[0]
        axes.plot(found[["ci_low", "ci_high"]], [place, place], color=colour, lw=1.4)
        axes.plot([found["estimate"]], [place], "o", ms=3, color=colour)

    for axes, kind in zip(panels, ("direct", "indirect", "total"), strict=True):
        for place, name in enumerate(weights):
            for model, (_, colour) in MODELS.items():
                point(
                    axes,
                    place + SHIFT[model] * 0.8,
                    f"spatial_{model}_{name}",
                    f"{kind} monotown",
                    colour,
                )
            if kind == "indirect":
                region = "spatial_slx_region" + ("" if name == "main" else f"_{name}")
                point(axes, place + 0.4, region, "W_monotown", GREY)
        axes.axvline(0, color=GREY, lw=0.6)
        axes.set_xlabel(f"{kind}, log points")
    panels[0].set_yticks(range(len(weights)), list(weights.values()))
    panels[0].invert_yaxis()
    labels = [*MODELS.values(), ("lagged treatment, region-by-year effects", GREY)]
    for label, colour in labels:
        panels[1].plot([], [], "o-", ms=3, color=colour, label=label)
    handles = panels[1].get_legend_handles_labels()
    figure.legend(
        *handles,
        frameon=False,
        ncols=4,
        loc="outside upper center",
        fontsize=6.8,
        columnspacing=1.0,
    )
    return figure


def dispersion(records, inequality):
    """Standard deviation of log income with intervals (left), Theil's index by part (right)."""
    plt = style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.5))
    groups = {
        "spatial_sigma": ("all entities", BLUE),
        "spatial_sigma_monotowns": ("monotowns", ORANGE),
    }
    for shift, (name, (label, colour)) in zip((-0.1, 0.1), groups.items(), strict=True):
        rows = records[(records["specification"] == name) & records["term"].str.isdigit()]
        interval_points(
            left,
            rows["term"].astype(int) + shift,
            rows["estimate"],
            rows["ci_low"],
            rows["ci_high"],
            colour,
            label,
        )
    left.set(ylabel="standard deviation of\nlog income per resident")
    left.set_ylim(bottom=0)
    legend_above(left)
    bottom = pd.Series(0.0, index=inequality.index)
    for part, colour in (("between", BLUE), ("within", GREEN)):
        right.bar(
            inequality["year"],
            inequality[part],
            bottom=bottom,
            color=colour,
            width=0.7,
            label=f"{part} regions",
            lw=0,
        )
        bottom = bottom + inequality[part]
    right.set(ylabel="Theil index, weighted by residents")
    legend_above(right)
    for axes in (left, right):
        axes.set_xticks(range(inequality["year"].min(), inequality["year"].max() + 1, 3))
    return figure


def draw(frames):
    """Draw impacts and dispersion.

    Parameters
    ----------
    frames : dict of pandas.DataFrame
        ``estimates`` and ``inequality``.
    """
    records = frames["estimates"]
    return {"impacts": impacts(records), "dispersion": dispersion(records, frames["inequality"])}
