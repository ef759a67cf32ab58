"""Elasticities of wages, spending and income to market potential; local and national markets."""

import pandas as pd

from monotowns.figures.marks import intervals, labelled, legend_above
from monotowns.figures.style import BLUE, GREEN, ORANGE, canvas

WAYS = {
    "market_europe_2024_log_wage_all": "west: wage 2024",
    "market_europe_2024_log_wage_C": "west: wage in manufacturing 2024",
    "market_europe_2024_log_consumption": "west: spending 2024",
    "market_europe_log_taxable_pc": "west: taxable income",
    "market_asia_2024_log_wage_all": "east: wage 2024",
    "market_asia_2024_log_wage_C": "east: wage in manufacturing 2024",
    "market_asia_2024_log_consumption": "east: spending 2024",
    "market_asia_log_taxable_pc": "east: taxable income",
}
GROUPS = {"west of the Urals": BLUE, "east": GREEN, "all places": BLUE, "monotowns": ORANGE}
LEVELS = {"scales_europe": "west of the Urals", "scales_asia": "east"}
SHIFTS = {"scales_shift_log_taxable_pc": "all places", "scales_shift_monotowns": "monotowns"}


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
    axes.set_xlabel("elasticity")
    return figure


def scales(estimates):
    """Elasticities to local and national markets, and how they moved over the periods."""
    figure, (left, right) = canvas(1, 2.4, 1, 2, width_ratios=[1, 1.4])
    for axes, labels in ((left, LEVELS), (right, SHIFTS)):
        rows = labelled(estimates, labels)
        # log_mp_<market>[:<period>]; a period is a dummy of the specifications.
        parts = rows["term"].str.extract(r"^log_mp_(\w+?)(?::(\w+))?$")
        period = parts[1].str.replace(r"^from_(\d+)$", r"\1 on", regex=True)
        period = period.str.replace(r"^years_(\d+)_(\d+)$", r"\1-\2", regex=True)
        place = parts[0] if labels is LEVELS else parts[0] + "\n" + period
        rows = rows.assign(place=place).dropna(subset="place")
        intervals(axes, rows, GROUPS, legend=True)
        legend_above(axes)
    left.set_ylabel("elasticity of income, last year")
    right.tick_params("x", labelsize=5.5)
    right.set_ylabel("change of the elasticity\nagainst 2012-2013")
    return figure
