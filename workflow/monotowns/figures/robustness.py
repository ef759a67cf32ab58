"""The curve of specifications, with what each specification chose."""

import numpy as np

from monotowns.figures.style import BLUE, GREY, ORANGE, WIDTH, style

CHOICES = {
    "outcome": "outcome",
    "treatment": "definition",
    "sample": "sample",
    "fixed_effects": "effects",
    "weights": "weights",
}


def curve_plot(curve):
    """Estimates in order, the band that chance fills, and a mark for every choice."""
    plt = style()
    rows = curve.sort_values("estimate", ignore_index=True)
    marks = [(c, v) for c in CHOICES for v in sorted(rows[c].astype(str).unique())]
    figure, (top, bottom) = plt.subplots(
        2,
        1,
        figsize=(WIDTH, 2.2 + 0.12 * len(marks)),
        sharex=True,
        height_ratios=[2.0, 0.12 * len(marks)],
    )
    place = np.arange(1, len(rows) + 1)
    top.fill_between(
        place,
        np.sort(rows["chance_low"]),
        np.sort(rows["chance_high"]),
        color=GREY,
        alpha=0.25,
        lw=0,
        label="95 per cent of permuted curves",
    )
    surely = (rows["ci_high"] < 0) | (rows["ci_low"] > 0)
    for colour, of, label in (
        (BLUE, surely, "interval without nought"),
        (ORANGE, ~surely, "interval with nought"),
    ):
        top.plot(place[of], rows["estimate"][of], ".", ms=1.5, color=colour, label=label)
    top.axhline(0, color=GREY, lw=0.6)
    top.set_ylabel("effect on log income")
    top.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), markerscale=4)
    for level, (choice, value) in enumerate(marks):
        of = (rows[choice].astype(str) == value).to_numpy()
        bottom.plot(place[of], np.full(of.sum(), level), "|", ms=3, mew=0.25, color=BLUE)
    names = [f"{value}".replace("_", " ").replace(":from 2014", "") for _, value in marks]
    bottom.set_yticks(range(len(marks)), names, fontsize=5.5)
    bottom.invert_yaxis()
    bottom.set_xlabel("specifications in order of their estimate")
    return figure


def draw(frames):
    """Draw from ``curve``."""
    return {"curve": curve_plot(frames["curve"])}
