"""Elasticities of income to market potential beside the published ones."""

from monotowns.figures.style import BLUE, GREY, ORANGE, WIDTH, style

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


def draw(frames):
    """Draw the forest from ``estimates`` and ``literature``."""
    return {"elasticities": elasticities(frames["estimates"], WAYS, frames["literature"])}
