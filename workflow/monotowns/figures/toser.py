"""TOSER: event studies, raw means by cohort, sensitivity to differing trends."""

import numpy as np

from monotowns.figures.gap import EFFECT, event_plot
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, WIDTH, style

LINES = (BLUE, ORANGE, GREEN, PURPLE, SKY)


def cohort_plot(means, base=2013):
    """Raw means of log income by cohort, each less its own of the base year."""
    plt = style()
    figure, axes = plt.subplots(figsize=(WIDTH * 0.8, 2.5))
    wide = means.pivot(index="year", columns="cohort", values="mean")
    size = means.groupby("cohort")["entities"].max()
    wide = wide - wide.loc[base]
    for place, cohort in enumerate(c for c in wide if c and size[c] > 1):
        colour = LINES[place % len(LINES)]
        axes.plot(
            wide.index, wide[cohort], color=colour, lw=1.2, label=f"{cohort} ({size[cohort]})"
        )
        axes.plot([cohort], [wide.loc[cohort, cohort]], "o", ms=4, color=colour)
    axes.plot(wide.index, wide[0], color=GREY, lw=1.6, ls="--", label=f"never ({size[0]})")
    axes.set(ylabel="mean log real taxable income\nper resident, less that of 2013")
    axes.legend(frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def honest_plot(records):
    """Robust intervals of the mean effect by the bound on differing trends."""
    plt = style()
    figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 2.2))
    kinds = {
        "toser_honest_relative": "change of trend, as a multiple of\nthe largest before the status",
        "toser_honest_smooth": "change of slope, log points a year",
    }
    for axes, (name, label) in zip(panels, kinds.items(), strict=True):
        rows = records[(records["specification"] == name) & records["term"].str.startswith("bound")]
        bound = rows["term"].str.removeprefix("bound ").astype(float)
        axes.vlines(np.arange(len(rows)), rows["ci_low"], rows["ci_high"], color=BLUE, lw=1.6)
        axes.axhline(0, color=GREY, lw=0.6)
        axes.set_xticks(range(len(rows)), [f"{b:g}" for b in bound])
        axes.set_xlim(-0.5, len(rows) - 0.5)
        axes.set_xlabel(label)
    panels[0].set_ylabel("robust 95 per cent interval\nof the mean effect")
    return figure


def draw(frames):
    """Draw from ``estimates`` and ``means``."""
    toser = {"toser_imputation": "imputation", "toser_callaway_santanna": "Callaway-Sant'Anna"}
    records = frames["estimates"]
    return {
        "toser": event_plot(records, toser, EFFECT, "years since TOSER status"),
        "toser_means": cohort_plot(frames["means"]),
        "honest": honest_plot(records),
    }
