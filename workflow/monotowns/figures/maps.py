"""Maps in an equal-area projection."""

import numpy as np

from monotowns.figures.industry import STAGES
from monotowns.figures.style import GREY, ORANGE, canvas
from monotowns.measures.agglomeration import EARTH_KM


def albers(lat, lon):
    """Albers equal-area conic projection of Russia, km (Snyder 1987, sphere; parallels 52, 64).

    Returns
    -------
    x, y : numpy.ndarray
        Kilometres from 100 degrees east, 56 degrees north.
    """
    phi, lam = np.radians(lat), np.radians((np.asarray(lon) - 100 + 180) % 360 - 180)
    p1, p2, p0 = np.radians([52.0, 64.0, 56.0])
    n = (np.sin(p1) + np.sin(p2)) / 2
    c = np.cos(p1) ** 2 + 2 * n * np.sin(p1)
    rho = EARTH_KM * np.sqrt(c - 2 * n * np.sin(phi)) / n
    rho0 = EARTH_KM * np.sqrt(c - 2 * n * np.sin(p0)) / n
    return rho * np.sin(n * lam), rho0 - rho * np.cos(n * lam)


def base(place):
    """An empty map with a scale bar, parallels and meridians, around places with coordinates.

    Parameters
    ----------
    place : pandas.DataFrame
        ``lat`` and ``lon``, degrees.

    Returns
    -------
    figure, axes, x, y
        ``x`` and ``y`` are the projected places, km.
    """
    figure, axes = canvas(1, 3.3)
    x, y = albers(place["lat"], place["lon"])
    left, right, low, high = min(x) - 150, max(x) + 150, min(y) - 450, max(y) + 250
    thin = {"color": GREY, "lw": 0.25, "alpha": 0.5, "zorder": 0}
    for parallel in range(45, 80, 5):
        axes.plot(*albers(np.full(200, parallel), np.linspace(20, 190, 200)), **thin)
    for meridian in range(30, 190, 20):
        at_x, at_y = albers(np.linspace(40, 77, 300), np.full(300, meridian))
        axes.plot(at_x, at_y, **thin)
        seen = np.flatnonzero((at_x > left) & (at_x < right) & (at_y > low))
        name = f"{meridian}°E" if meridian <= 180 else f"{360 - meridian}°W"
        at = (at_x[seen[0]], at_y[seen[0]])
        axes.annotate(name, at, fontsize=5.5, color=GREY, ha="center", va="bottom")
    axes.plot([right - 1100, right - 100], [low + 120] * 2, color="black", lw=1)
    axes.annotate("1,000 km", (right - 600, low + 150), ha="center", va="bottom", fontsize=6.5)
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    axes.set_axis_off()
    return figure, axes, x, y


def market_potential(panel, measures):
    """Entities by market potential in the last year, monotowns ringed."""
    last = panel[panel["year"] == panel["year"].max()].dropna(subset=["lat"])
    last = last.merge(measures, on=["entity", "year"]).sort_values("log_mp_inverse")
    figure, axes, x, y = base(last)
    potential, colours = np.exp(last["log_mp_inverse"]) / 1000, {"cmap": "cividis", "norm": "log"}
    points = axes.scatter(x, y, c=potential, s=4, linewidths=0, **colours)
    mono = (last["monotown"] == 1).to_numpy()
    ring = {"facecolors": "none", "edgecolors": ORANGE, "linewidths": 0.7}
    axes.scatter(x[mono], y[mono], s=15, label="monotown (main definition)", **ring)
    label = "market potential,\nthousand persons per km"
    bar = figure.colorbar(points, label=label, shrink=0.6, aspect=15)
    ticks = [50, 100, 200, 500, 1000]
    bar.set_ticks(ticks, labels=[f"{t:,}" for t in ticks])
    bar.ax.minorticks_off()
    axes.legend(loc="upper left")
    return figure


def stages(stages, panel):
    """Entities coloured by the stage of their region in the last year."""
    last = stages[stages["year"] == stages["year"].max()].set_index("region")["stage"]
    place = panel.drop_duplicates("entity").dropna(subset=["lat"])
    figure, axes, x, y = base(place)
    colours = {stage: STAGES.get(stage, GREY) for stage in sorted(set(last))}
    stage = place["region"].map(last).to_numpy()
    for name, colour in colours.items():
        of = stage == name
        axes.scatter(x[of], y[of], s=4, color=colour, linewidths=0, label=name)
    axes.legend(loc="upper left", markerscale=2.5)
    return figure


def development_potential(potential, panel):
    """Monotowns by the index of development potential."""
    place = panel.drop_duplicates("entity").set_index("entity")[["lat", "lon"]]
    rows = potential[potential["rank"].notna()].join(place, on="entity").dropna(subset=["lat"])
    rows = rows.sort_values("index")
    figure, axes, x, y = base(rows)
    points = {"s": 14, "cmap": "cividis", "linewidths": 0.2, "edgecolors": "white"}
    points = axes.scatter(x, y, c=rows["index"], **points)
    label = "index of development potential\n(standard deviations)"
    figure.colorbar(points, label=label, shrink=0.6, aspect=15)
    return figure
