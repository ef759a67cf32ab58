"""Monotowns against other places: raw means and event studies."""

import numpy as np

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

EFFECT = "effect on log real taxable\nincome per resident"


def group_means(panel):
    """Raw means of log real taxable income per resident by group and year."""
    plt = style()
    figure, axes = plt.subplots(figsize=(WIDTH * 0.8, 2.5))
    groups = {
        "monotowns": (panel["monotown"] == 1, ORANGE, "-"),
        "other urban okrugs": (
            (panel["monotown"] == 0) & (panel["kind"] == "городской округ"),
            BLUE,
            "--",
        ),
        "all other entities": (panel["monotown"] == 0, BLUE, "-"),
    }
    for label, (rows, colour, line) in groups.items():
        if not rows.any():
            continue
        mean = panel[rows].groupby("year")["log_taxable_pc"].mean()
        axes.plot(mean.index, mean, line, marker="o", ms=2.5, lw=1.2, color=colour)
        axes.annotate(
            label,
            (mean.index[-1], mean.iloc[-1]),
            xytext=(5, 0),
            color=colour,
            fontsize=7.5,
            textcoords="offset points",
            va="center",
        )
    axes.set(ylabel="mean log real taxable income\nper resident (roubles of the last year)")
    return figure


def event_plot(records, terms, ylabel, xlabel, base=None):
    """Plot event studies: points with pointwise 95 per cent intervals, thin lines the uniform band.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records; a term ``band`` holds the critical value of a specification's band.
    terms : dict
        Specification -> label, three at the most; one without records is left out.
    """
    plt = style()
    terms = {name: label for name, label in terms.items() if name in set(records["specification"])}
    figure, axes = plt.subplots(figsize=(WIDTH * 0.8, 2.6))
    shifts = np.linspace(-0.09, 0.09, len(terms)) * len(terms) / 2 if len(terms) > 1 else [0]
    for (name, label), shift, colour in zip(
        terms.items(), shifts, (BLUE, ORANGE, GREEN), strict=False
    ):
        rows = records[records["specification"] == name]
        critical = rows.loc[rows["term"] == "band", "estimate"]
        rows = rows[rows["term"].str.match(r"(?:event )?-?\d+$")].drop_duplicates("term")
        when = rows["term"].str.extract(r"(-?\d+)$", expand=False).astype(int) + shift
        band = critical.iloc[0] * rows["standard_error"] if len(critical) else None
        interval_points(
            axes, when, rows["estimate"], rows["ci_low"], rows["ci_high"], colour, label, band
        )
    axes.axhline(0, color=GREY, lw=0.6)
    if base is not None:
        axes.plot([base], [0], "s", ms=3.5, color=GREY)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    legend_above(axes, len(terms))
    return figure


def base_year(panel, records, specification="gap_main"):
    """The year of the panel that an event study measures from: the one without a term."""
    of = records.loc[records["specification"] == specification, "term"]
    left = sorted(set(panel["year"]) - set(of[of.str.isdigit()].astype(int)))
    return left[0] if len(left) == 1 else None


def draw(frames):
    """Raw means and the event study of the gap.

    Parameters
    ----------
    frames : dict of pandas.DataFrame
        ``panel`` and ``estimates``.
    """
    records = frames["estimates"]
    gap = {
        "gap_main": "all comparison entities",
        "gap_balanced": "balanced on 2012-2013",
        "gap_urban_okrugs": "urban okrugs only",
    }
    base = base_year(frames["panel"], records)
    return {
        "means": group_means(frames["panel"]),
        "gap": event_plot(records, gap, EFFECT, "year", base),
    }
