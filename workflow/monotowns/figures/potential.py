"""Development potential of monotowns: rank bands."""

import numpy as np

from monotowns.figures.style import BLUE, GREY, canvas

#: Towns named at either end.
NAMED = 8


def ranks(potential):
    """Every monotown by median rank, with its 90 per cent band; the ends are named."""
    rows = potential[potential["rank"].notna()].sort_values(["rank_median", "rank"])
    n, place = len(rows), np.arange(1, len(rows) + 1)
    figure, axes = canvas(1, 3.2)
    axes.vlines(place, rows["rank_low"], rows["rank_high"], color=BLUE, lw=0.8, alpha=0.5)
    axes.plot(place, rows["rank_median"], "o", ms=1.8, color=BLUE)
    # Names in two blocks with leaders: at their points they would lie on each other.
    points = list(zip(rows["name"], place, rows["rank_median"], strict=True))
    blocks = (points[:NAMED], 0.02, 0.55, "left"), (points[-NAMED:], 0.98, 0.02, "right")
    leader = {"arrowstyle": "-", "lw": 0.2, "color": GREY}
    for block, x, y, side in blocks:
        for i, (name, *at) in enumerate(block):
            text = (n * x, n * (y + 0.055 * i))
            options = {"fontsize": 5.5, "va": "center", "ha": side, "arrowprops": leader}
            axes.annotate(name, at, text, **options)
    axes.set(xlabel="monotowns in order of their median rank", ylabel="rank (1 = highest)")
    axes.invert_yaxis()
    return figure
