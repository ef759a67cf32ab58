"""Elasticities of income to market potential beside the published ones."""

from monotowns.figures.style import BLUE, GREY, ORANGE, WIDTH, interval_points, legend_above, style

WAYS = {
    "agglomeration_between": "between, within regions (1/d)",
    "agglomeration_between_square": "between, within regions (1/d²)",
    "agglomeration_between_exponential": "between, within regions (exp)",
    "agglomeration_long_difference": "long difference",
    "agglomeration_within": "within entities",
}


def elasticities(records, labels, literature):
    """Forest of the elasticities of this study (blue) above published ones (orange).

    Parameters
    ----------
    records : pandas.DataFrame
    labels : dict
        Specification -> label; its first term is drawn.
    literature : pandas.DataFrame
        ``study``, ``estimate``, ``low``, ``high`` (missing where none is published), ``what``.
    """
    plt = style()
    rows = records.drop_duplicates("specification").set_index("specification").loc[list(labels)]
    ours = zip(labels.values(), rows["estimate"], rows["ci_low"], rows["ci_high"], strict=True)
    theirs = literature[["study", "estimate", "low", "high"]].itertuples(index=False, name=None)
    entries = [(*row, BLUE) for row in ours] + [(*row, ORANGE) for row in theirs]
    figure, axes = plt.subplots(figsize=(WIDTH * 0.85, 0.24 * len(entries) + 0.7))
    for place, (_, estimate, low, high, colour) in enumerate(entries):
        axes.plot([low, high], [place, place], color=colour, lw=1.2)
        axes.plot([estimate], [place], "o", ms=3.5, color=colour)
    axes.axvline(0, color=GREY, lw=0.6)
    axes.set_yticks(range(len(entries)), [entry[0] for entry in entries])
    axes.invert_yaxis()
    # The within intervals are so wide that a linear axis would hide every published figure.
    axes.set_xscale("symlog", linthresh=0.1)
    ticks = [-5, -1, -0.1, 0, 0.1, 1, 5]
    axes.set_xticks(ticks, labels=[f"{t:g}".replace("-", "−") for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("elasticity (axis linear within ±0.1, logarithmic beyond)")
    return figure


def scales(records):
    """Weights of local, national and foreign markets, and how they moved after 2014 and 2020."""
    plt = style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.4), width_ratios=[1, 1.4])
    names = ("local", "national", "foreign")
    samples = {"scales_between": ("all entities", BLUE), "scales_monotowns": ("monotowns", ORANGE)}
    for shift, (name, (label, colour)) in zip((-0.1, 0.1), samples.items(), strict=True):
        rows = records[records["specification"] == name].drop_duplicates("term").set_index("term")
        rows = rows.loc[[f"log_mp_{n}" for n in names]]
        interval_points(
            left,
            [i + shift for i in range(3)],
            rows["estimate"],
            rows["ci_low"],
            rows["ci_high"],
            colour,
            label,
        )
    left.set_xticks(range(3), names)
    left.set_ylabel("elasticity of income, last year")
    periods = {"years_2014_2019": "2014-2019", "from_2020": "2020 on"}
    samples = {"scales_shift": ("all entities", BLUE), "scales_shift_monotowns": ("m", ORANGE)}
    for shift, (name, (_, colour)) in zip((-0.1, 0.1), samples.items(), strict=True):
        rows = records[records["specification"] == name].drop_duplicates("term").set_index("term")
        rows = rows.loc[[f"log_mp_{n}:{p}" for p in periods for n in names]]
        interval_points(
            right,
            [i + shift for i in range(6)],
            rows["estimate"],
            rows["ci_low"],
            rows["ci_high"],
            colour,
        )
    right.set_xticks(range(6), [f"{n}\n{p}" for p in periods.values() for n in names], fontsize=6)
    right.set_ylabel("change of the elasticity\nagainst 2012-2013")
    for axes in (left, right):
        axes.axhline(0, color=GREY, lw=0.6)
    legend_above(left)
    return figure


def draw(frames):
    """Draw from ``estimates`` and ``literature``."""
    return {
        "elasticities": elasticities(frames["estimates"], WAYS, frames["literature"]),
        "scales": scales(frames["estimates"]),
    }
