"""Development potential of monotowns: rank bands and map."""

import numpy as np

from monotowns.figures.maps import albers, base
from monotowns.figures.style import BLUE, GREY, WIDTH, style


def rank_plot(potential, named=8):
    """Every monotown by median rank, with its 90 per cent band; the ends are named."""
    plt = style()
    rows = potential[potential["rank"].notna()].sort_values(["rank_median", "rank"])
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    place = np.arange(1, len(rows) + 1)
    axes.vlines(place, rows["rank_low"], rows["rank_high"], color=BLUE, lw=0.8, alpha=0.5)
    axes.plot(place, rows["rank_median"], "o", ms=1.8, color=BLUE)
    # Names in two blocks with leaders: at their points they would lie on each other.
    for block, left in ((rows.iloc[:named], True), (rows.iloc[-named:], False)):
        for i, (name, median) in enumerate(zip(block["name"], block["rank_median"], strict=True)):
            at = i + 1 if left else len(rows) - named + i + 1
            y = len(rows) * (0.55 + 0.055 * i) if left else len(rows) * (0.02 + 0.055 * i)
            x = len(rows) * (0.02 if left else 0.98)
            axes.annotate(
                name,
                (at, median),
                (x, y),
                fontsize=5.5,
                va="center",
                ha="left" if left else "right",
                arrowprops={"arrowstyle": "-", "lw": 0.2, "color": GREY},
            )
    axes.set(xlabel="monotowns in order of their median rank", ylabel="rank (1 = highest)")
    axes.invert_yaxis()
    return figure


def potential_map(potential, panel):
    """Map of the index."""
    plt = style()
    place = panel.drop_duplicates("entity").set_index("entity")[["lat", "lon"]]
    rows = potential[potential["rank"].notna()].join(place, on="entity").dropna(subset=["lat"])
    rows = rows.sort_values("index")
    x, y = albers(rows["lat"], rows["lon"])
    figure, axes = base(plt, x, y)
    points = axes.scatter(
        x, y, c=rows["index"], s=14, cmap="cividis", linewidths=0.2, edgecolors="white"
    )
    figure.colorbar(
        points, label="index of development potential\n(standard deviations)", shrink=0.6, aspect=15
    )
    return figure


def draw(frames):
    """Draw from ``potential`` and ``panel``."""
    return {
        "ranks": rank_plot(frames["potential"]),
        "potential_map": potential_map(frames["potential"], frames["panel"]),
    }
