"""Stages of regional manufacturing: shares, counts of stages, map."""

import numpy as np

from monotowns.figures.maps import albers, base
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, SKY, WIDTH, style

COLOURS = {
    "industrialised": BLUE,
    "de-industrialising": ORANGE,
    "re-industrialising": GREEN,
    "never industrialised": SKY,
}


def shares_and_stages(stages):
    """Manufacturing share over regions (left) and the number of regions by stage (right)."""
    plt = style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.5))
    wide = stages.pivot(index="year", columns="region", values="share_adjusted")
    quartiles = wide.quantile([0.25, 0.5, 0.75], axis=1)
    left.fill_between(
        wide.index, quartiles.loc[0.25], quartiles.loc[0.75], color=BLUE, alpha=0.15, lw=0
    )
    left.plot(wide.index, quartiles.loc[0.5], color=BLUE, lw=1.4)
    raw = stages.pivot(index="year", columns="region", values="share").median(axis=1)
    left.plot(raw.index, raw, color=GREY, lw=1, ls="--")
    left.annotate(
        "as published",
        (raw.index[2], raw.iloc[2]),
        xytext=(0, 6),
        color=GREY,
        textcoords="offset points",
        fontsize=7,
    )
    left.annotate(
        "on the level of OKVED2",
        (wide.index[2], quartiles.loc[0.5].iloc[2]),
        xytext=(0, -10),
        color=BLUE,
        textcoords="offset points",
        fontsize=7,
    )
    left.set(ylabel="manufacturing, per cent of GVA\n(median and quartiles over regions)")
    left.set_ylim(bottom=0)
    counts = stages.groupby(["year", "stage"]).size().unstack(fill_value=0)
    for stage in counts:
        colour = COLOURS.get(stage, GREY)
        right.plot(counts.index, counts[stage], color=colour, lw=1.4)
        end = (counts.index[-1], counts[stage].iloc[-1])
        right.annotate(
            stage,
            end,
            xytext=(3, 0),
            color=colour,
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    right.set(ylabel="regions")
    for axes in (left, right):
        axes.set_xticks(range(wide.index.min() + 1, wide.index.max() + 1, 4))
    return figure


def stage_map(stages, panel):
    """Entities coloured by the stage of their region in the last year."""
    plt = style()
    last = stages[stages["year"] == stages["year"].max()].set_index("region")["stage"]
    place = panel.drop_duplicates("entity").dropna(subset=["lat"])
    x, y = albers(place["lat"], place["lon"])
    stage = place["region"].map(last).to_numpy()
    figure, axes = base(plt, x, y)
    for name in sorted(set(last)):
        of = stage == name
        axes.scatter(x[of], y[of], s=4, color=COLOURS.get(name, GREY), linewidths=0, label=name)
    axes.legend(loc="upper left", frameon=False, markerscale=2.5)
    return figure


def exposure_plot(records):
    """Effect of exposure on growth from 2020 on, under three variances."""
    plt = style()
    names = {
        "reindustrialisation_towns_change": "towns, all evidence",
        "reindustrialisation_firm_towns_change": "towns, firm evidence",
        "reindustrialisation_regions_change": "regions' structure",
    }
    figure, axes = plt.subplots(figsize=(WIDTH * 0.8, 2.2))
    rows = records[records["specification"].isin(names)]
    reach = 1.3 * np.abs(rows[["ci_low", "ci_high"]].replace([np.inf, -np.inf], np.nan)).max().max()
    kinds = {"CRV1": (GREY, 0.2), "AKM (": (BLUE, 0.0), "AKM0": (ORANGE, -0.2)}
    for place, name in enumerate(names):
        for kind, (colour, shift) in kinds.items():
            row = rows[(rows["specification"] == name) & rows["variance"].str.startswith(kind)]
            row = row.iloc[0]
            at = place - shift
            axes.plot(
                np.clip([row["ci_low"], row["ci_high"]], -reach, reach),
                [at, at],
                color=colour,
                lw=1.4,
            )
            axes.plot([row["estimate"]], [at], "o", ms=3, color=colour)
            for bound, mark in ((row["ci_low"], "<"), (row["ci_high"], ">")):
                if not np.isfinite(bound):
                    axes.plot([np.sign(bound) * reach], [at], mark, ms=4, color=colour)
    for kind, (colour, _) in kinds.items():
        told = {"CRV1": "clustered by region", "AKM (": "AKM", "AKM0": "AKM0 (arrows: unbounded)"}
        axes.plot([], [], color=colour, label=told[kind])
    axes.axvline(0, color=GREY, lw=0.6)
    axes.set_yticks(range(len(names)), names.values())
    axes.invert_yaxis()
    axes.set_xlabel("growth of log income per log point of the industry's growth")
    axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    return figure


def draw(frames):
    """Draw from ``stages``, ``panel`` and ``estimates``."""
    return {
        "stages": shares_and_stages(frames["stages"]),
        "stage_map": stage_map(frames["stages"], frames["panel"]),
        "exposure": exposure_plot(frames["estimates"]),
    }
