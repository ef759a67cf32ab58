"""Stages of regional manufacturing, and the effect of exposure to the industries' growth."""

import numpy as np

from monotowns.figures.marks import (
    intervals,
    label_ends,
    labelled,
    legend_above,
    present,
    year_ticks,
)
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, SKY, canvas

STAGES = {
    "industrialised": BLUE,
    "de-industrialising": ORANGE,
    "re-industrialising": GREEN,
    "never industrialised": SKY,
}
EXPOSURES = {
    "reindustrialisation_towns_change": "towns, all evidence",
    "reindustrialisation_firm_towns_change": "towns, firm evidence",
    "reindustrialisation_regions_change": "regions' structure",
}
VARIANCES = {"CRV1": "clustered by region", "AKM": "AKM", "AKM0": "AKM0 (arrows: unbounded)"}
#: Column of the table of groups -> what its panel shows.
GROWN = {
    "relative_growth_wage_all": "wages, all activities",
    "relative_growth_consumption": "spending by card per person",
}
COLOURS = dict(zip(VARIANCES.values(), (GREY, BLUE, ORANGE), strict=True))


def shares(stages):
    """Manufacturing share over regions (left) and the number of regions by stage (right)."""
    import seaborn as sns

    figure, (left, right) = canvas(1, 2.5, 1, 2)
    lines = {"x": "year", "estimator": "median", "ax": left}
    band = {"errorbar": ("pi", 50), "err_kws": {"alpha": 0.15, "lw": 0}}
    sns.lineplot(stages, y="share_adjusted", color=BLUE, lw=1.4, **band, **lines)
    sns.lineplot(stages, y="share", color=GREY, lw=1, ls="--", errorbar=None, **lines)
    names = ("on the level of OKVED2", BLUE, -10), ("as published", GREY, 6)
    for line, (name, colour, up) in zip(left.lines, names, strict=True):
        at = line.get_xydata()[2]
        options = {"textcoords": "offset points", "fontsize": 7}
        left.annotate(name, at, xytext=(0, up), color=colour, **options)
    label = "manufacturing, per cent of GVA\n(median and quartiles over regions)"
    left.set(xlabel="", ylabel=label, ylim=(0, None))
    counts = stages.groupby(["year", "stage"]).size().unstack(fill_value=0)
    colours = {stage: STAGES.get(stage, GREY) for stage in counts}
    sns.lineplot(counts, palette=colours, dashes=False, lw=1.4, legend=False, ax=right)
    label_ends(right, counts, colours, 3, 7)
    right.set(xlabel="", ylabel="regions")
    for axes in (left, right):
        year_ticks(axes, stages["year"] + 1, 4)
    return figure


def exposure(estimates):
    """Effect of exposure on growth from 2020 on, under three variances."""
    rows = labelled(estimates, EXPOSURES).rename(columns={"label": "place"})
    kind = rows["variance"].str.extract(r"^(\w+)", expand=False)
    rows = rows.assign(label=kind.map(VARIANCES)).dropna(subset="label")
    rows = rows.drop_duplicates(["place", "label"])
    bounds = rows[["ci_low", "ci_high"]]
    reach = 1.3 * bounds[np.isfinite(bounds)].abs().max().max()
    figure, axes = canvas(0.8, 2.2)
    drawn = rows.assign(**bounds.clip(-reach, reach))
    intervals(axes, drawn, COLOURS, "x", linewidth=1.4, legend=True)
    places, labels = list(rows["place"].unique()), list(present(COLOURS, rows["label"]))
    for row in rows.itertuples():
        shift = labels.index(row.label) - (len(labels) - 1) / 2
        for bound, mark in ((row.ci_low, "<"), (row.ci_high, ">")):
            if np.isinf(bound):
                at = np.sign(bound) * reach, places.index(row.place) + 0.2 * shift
                axes.plot(*at, mark, ms=4, color=COLOURS[row.label])
    axes.set_xlabel("growth of log income per log point of the industry's growth")
    legend_above(axes, 3, bbox_to_anchor=(0.4, 1.0))
    return figure


def group_growth(groups):
    """Growth of towns beyond other places of their cells by the growth of their group."""
    import seaborn as sns

    figure, panels = canvas(1, 2.6, 1, 2)
    look = {"x": "growth", "size": "towns", "sizes": (8, 150), "color": BLUE, "alpha": 0.7}
    for axes, (column, title) in zip(panels, GROWN.items(), strict=True):
        first = axes is panels[0]
        sns.scatterplot(groups, y=column, ax=axes, legend="brief" if first else False, **look)
        for row in groups[groups["towns"] > 2].itertuples():
            at = row.growth, getattr(row, column)
            text = {"xytext": (0, 5), "textcoords": "offset points", "ha": "center"}
            axes.annotate(row.group, at, fontsize=5.5, color=GREY, **text)
        axes.axhline(0, color=GREY, lw=0.6, zorder=0)
        axes.set(title=title, xlabel="", ylabel="")
    panels[0].legend(title="towns", loc="upper left", fontsize=6, title_fontsize=6.5)
    panels[0].set_ylabel("growth of its towns beyond\nother places, 2023-2024, log points")
    label = "growth of the group's shipments, 2022-2024, log points"
    figure.supxlabel(label, fontsize=panels[0].yaxis.label.get_size())
    return figure


def against_chance(turns_chance):
    """Regions that turned or fell under each rule, with the band of chance, ever and recently."""
    rows = turns_chance[
        (turns_chance["measure"] == "volume")
        & (turns_chance["null"] == "together")
        & (turns_chance["weight"] == "regions")
    ]
    # All first, then the recent years; within them the chains.
    begun = sorted(rows["begun"].unique(), key="any".__ne__)
    figure, panels = canvas(1, 2.6, 1, len(begun), squeeze=False, sharey=True)
    marks = {"turn": (GREEN, 0.17), "fall": (ORANGE, -0.17)}
    keys = ["k", "threshold", "chain"]
    rules = rows[keys].drop_duplicates().sort_values(keys).reset_index(drop=True)
    at = {tuple(rule): place for place, rule in enumerate(rules.to_numpy().tolist())}
    names = {"turn": "turned up", "fall": "fell"}
    for axes, years in zip(panels[0], begun, strict=True):
        for direction, (colour, shift) in marks.items():
            part = rows[(rows["begun"] == years) & (rows["direction"] == direction)]
            place = np.array([at[tuple(rule)] for rule in part[keys].to_numpy().tolist()]) + shift
            axes.hlines(place, part["low"], part["high"], color=colour, lw=4, alpha=0.3)
            axes.plot(part["expected"], place, "|", color=colour, ms=6)
            axes.plot(part["turned"], place, "o", color=colour, ms=4, label=names[direction])
        title = "any year" if years == "any" else years
        axes.set(xlabel=f"regions, {title}", xlim=(0, None))
    labels = [f"{k:g} years, {threshold:g}; {chain}" for k, threshold, chain in at]
    panels[0][0].set(yticks=range(len(at)), yticklabels=labels)
    panels[0][0].set_ylabel("years, threshold; chained at")
    legend_above(panels[0][0], 2)
    return figure
