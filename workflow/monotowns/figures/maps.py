"""Maps in an equal-area projection."""

import numpy as np

from monotowns.figures.style import GREY, ORANGE, WIDTH, style
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


def base(plt, x, y, height=3.3):
    """An empty map around projected points, with a scale bar, parallels and meridians.

    Parameters
    ----------
    plt : module
        pyplot with the style set.
    x, y : array_like, shape (n,)
        Points that the map must hold, km.
    height : float
        Inches.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, height))
    for parallel in (45, 50, 55, 60, 65, 70, 75):
        axes.plot(
            *albers(np.full(200, parallel), np.linspace(20, 190, 200)),
            color=GREY,
            lw=0.25,
            alpha=0.5,
            zorder=0,
        )
    left, right, low, high = min(x) - 150, max(x) + 150, min(y) - 450, max(y) + 250
    for meridian in range(30, 190, 20):
        at_x, at_y = albers(np.linspace(40, 77, 300), np.full(300, meridian))
        axes.plot(at_x, at_y, color=GREY, lw=0.25, alpha=0.5, zorder=0)
        seen = np.flatnonzero((at_x > left) & (at_x < right) & (at_y > low))
        place = meridian if meridian <= 180 else 360 - meridian
        axes.annotate(
            f"{place}°{'E' if meridian <= 180 else 'W'}",
            (at_x[seen[0]], at_y[seen[0]]),
            fontsize=5.5,
            color=GREY,
            ha="center",
            va="bottom",
        )
    axes.plot([right - 1100, right - 100], [low + 120] * 2, color="black", lw=1)
    axes.annotate("1,000 km", (right - 600, low + 150), ha="center", va="bottom", fontsize=6.5)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes


def draw(frames):
    """Map entities by market potential, monotowns ringed.

    Parameters
    ----------
    frames : dict of pandas.DataFrame
        ``panel`` and ``measures``.
    """
    plt = style()
    panel = frames["panel"].merge(frames["measures"], on=["entity", "year"])
    last = panel[panel["year"] == panel["year"].max()].dropna(subset=["lat"])
    last = last.sort_values("log_mp_inverse")
    x, y = albers(last["lat"], last["lon"])
    figure, axes = base(plt, x, y)
    points = axes.scatter(
        x, y, c=np.exp(last["log_mp_inverse"]) / 1000, s=4, cmap="cividis", norm="log", linewidths=0
    )
    mono = (last["monotown"] == 1).to_numpy()
    axes.scatter(
        x[mono],
        y[mono],
        s=15,
        facecolors="none",
        edgecolors=ORANGE,
        linewidths=0.7,
        label="monotown (main definition)",
    )
    bar = figure.colorbar(
        points, label="market potential,\nthousand persons per km", shrink=0.6, aspect=15
    )
    ticks = [50, 100, 200, 500, 1000]
    bar.set_ticks(ticks, labels=[f"{t:,}" for t in ticks])
    bar.ax.minorticks_off()
    axes.legend(loc="upper left", frameon=False)
    return {"map": figure}
