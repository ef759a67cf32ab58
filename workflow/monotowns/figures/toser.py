"""TOSER: events by cohort, raw means by cohort, sensitivity to differing trends."""

import numpy as np

from monotowns.figures.gap import EFFECT
from monotowns.figures.marks import legend_above
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, canvas

#: A record of the pooled cohorts with one term a cohort: ``group <year>``.
POOL = "toser_conditional"
BOUNDS = {
    "toser_honest_relative": "change of trend, as a multiple of\nthe largest before the status",
    "toser_honest_smooth": "change of slope, log points a year",
}
#: The year that means by cohort are measured from: the last before the status was thought of.
BASE = 2013


def effects(estimates):
    """Events of every cohort, a panel each; apart those whose path before the status fails.

    Each panel holds one cohort against the never treated. Cohorts outside of the pool are grey: the
    pool is read off the record without them.
    """
    rows = estimates[estimates["specification"] == "toser_paths"]
    parts = rows["term"].str.extract(r"^cohort (\d+) event (-?\d+)$").dropna().astype(int)
    rows = rows.loc[parts.index].assign(cohort=parts[0], event=parts[1])
    pooled = estimates[estimates["specification"] == POOL]["term"].str.extract(r"^group (\d+)$")
    pool = set(pooled[0].dropna().astype(int))
    cohorts = sorted(rows["cohort"].unique())
    figure, panels = canvas(1, 2.1, 1, max(len(cohorts), 1), sharey=True, squeeze=False)
    for axes, cohort in zip(panels[0], cohorts, strict=False):
        of = rows[rows["cohort"] == cohort].sort_values("event")
        colour = BLUE if cohort in pool else GREY
        axes.vlines(of["event"], of["ci_low"], of["ci_high"], color=colour, lw=1.4)
        face = colour if cohort in pool else "white"
        axes.plot(of["event"], of["estimate"], "o", ms=3.2, color=colour, mfc=face)
        axes.plot([-1], [0], "s", ms=3.2, color=GREY)
        axes.axhline(0, color=GREY, lw=0.6)
        axes.axvline(-0.5, color=GREY, lw=0.6, ls=":")
        apart = "" if cohort in pool else ", apart"
        axes.set_title(f"{cohort}{apart}", fontsize=8)
    panels[0][0].set_ylabel(EFFECT)
    figure.supxlabel("years since TOSER status", fontsize=8)
    return figure


def cohort_means(means):
    """Raw means of log income by cohort of more than one entity, each less its own of a year."""
    import seaborn as sns

    wide = means.pivot(index="year", columns="cohort", values="mean")
    size = means.groupby("cohort")["entities"].max()
    base = BASE if BASE in wide.index else wide.index[0]
    wide = wide - wide.loc[base]
    cohorts = [cohort for cohort in wide if cohort and size[cohort] > 1]
    lines = sns.color_palette([BLUE, ORANGE, GREEN, PURPLE, SKY], len(cohorts))
    figure, axes = canvas(0.8, 2.5)
    for cohort, colour in zip(cohorts, lines, strict=True):
        label = f"{cohort} ({size[cohort]})"
        axes.plot(wide.index, wide[cohort], color=colour, lw=1.2, label=label)
        axes.plot([cohort], [wide.loc[cohort, cohort]], "o", ms=4, color=colour)
    axes.plot(wide.index, wide[0], color=GREY, lw=1.6, ls="--", label=f"never ({size[0]})")
    axes.set(ylabel=f"mean log real taxable income\nper resident, less that of {base}")
    legend_above(axes, 5)
    return figure


def honest(estimates):
    """Robust intervals of the mean effect by the bound on differing trends."""
    figure, panels = canvas(1, 2.2, 1, 2)
    for axes, (name, label) in zip(panels, BOUNDS.items(), strict=True):
        rows = estimates[estimates["specification"] == name]
        rows = rows[rows["term"].str.startswith("bound")]
        bound = rows["term"].str.removeprefix("bound ").astype(float)
        axes.vlines(np.arange(len(rows)), rows["ci_low"], rows["ci_high"], color=BLUE, lw=1.6)
        axes.axhline(0, color=GREY, lw=0.6)
        axes.set_xticks(range(len(rows)), [f"{b:g}" for b in bound])
        axes.set(xlim=(-0.5, max(len(rows), 1) - 0.5), xlabel=label)
    panels[0].set_ylabel("robust 95 per cent interval\nof the mean effect")
    return figure
