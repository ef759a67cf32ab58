"""Elasticities of income to market potential, and those to local, national, foreign markets."""

import pandas as pd

from monotowns.figures.marks import intervals, labelled, legend_above
from monotowns.figures.style import BLUE, ORANGE, canvas

WAYS = {
    "agglomeration_between": "between, within regions (1/d)",
    "agglomeration_between_square": "between, within regions (1/d²)",
    "agglomeration_between_exponential": "between, within regions (exp)",
    "agglomeration_long_difference": "long difference",
    "agglomeration_within": "within entities",
}
GROUPS = {"all entities": BLUE, "monotowns": ORANGE}
LEVELS = {"scales_between": "all entities", "scales_monotowns": "monotowns"}
SHIFTS = {"scales_shift": "all entities", "scales_shift_monotowns": "monotowns"}


def elasticities(estimates, literature):
    """Forest of the elasticities of this study (blue) above published ones (orange).

    Parameters
    ----------
    estimates : pandas.DataFrame
        Result records; a specification's first term is drawn.
    literature : pandas.DataFrame
        ``study``, ``estimate``, ``low``, ``high`` (missing where none is published), ``what``.
    """
    ours = labelled(estimates, WAYS).drop_duplicates("specification")
    ours = ours.rename(columns={"label": "place"}).assign(label="ours")
    columns = {"study": "place", "low": "ci_low", "high": "ci_high"}
    rows = pd.concat([ours, literature.rename(columns=columns).assign(label="published")])
    figure, axes = canvas(0.85, 0.24 * len(rows) + 0.7)
    options = {"markersize": 3.5, "linewidth": 1.2, "value": "x", "step": 0}
    intervals(axes, rows, {"ours": BLUE, "published": ORANGE}, **options)
    # The within intervals are so wide that a linear axis would hide every published figure.
    axes.set_xscale("symlog", linthresh=0.1)
    ticks = [-5, -1, -0.1, 0, 0.1, 1, 5]
    axes.set_xticks(ticks, labels=[f"{t:g}".replace("-", "−") for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("elasticity (axis linear within ±0.1, logarithmic beyond)")
    return figure


def scales(estimates):
    """Weights of local, national and foreign markets, and how they moved over the periods."""
    figure, (left, right) = canvas(1, 2.4, 1, 2, width_ratios=[1, 1.4])
    for axes, labels in ((left, LEVELS), (right, SHIFTS)):
        rows = labelled(estimates, labels)
        # log_mp_<market>[:<period>]; a period is a dummy of the specifications.
        parts = rows["term"].str.extract(r"^log_mp_(\w+?)(?::(\w+))?$")
        period = parts[1].str.replace(r"^from_(\d+)$", r"\1 on", regex=True)
        period = period.str.replace(r"^years_(\d+)_(\d+)$", r"\1-\2", regex=True)
        place = parts[0] if labels is LEVELS else parts[0] + "\n" + period
        rows = rows.assign(place=place).dropna(subset="place")
        intervals(axes, rows, GROUPS, legend=labels is LEVELS)
    left.set_ylabel("elasticity of income, last year")
    right.tick_params("x", labelsize=5.5)
    right.set_ylabel("change of the elasticity\nagainst 2012-2013")
    legend_above(left)
    return figure
