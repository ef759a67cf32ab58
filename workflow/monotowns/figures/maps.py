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


def base(plt, height=3.3):
    """An empty map with a scale bar and the parallels and meridians that help to read it."""
    figure, axes = plt.subplots(figsize=(WIDTH, height))
    x, y = albers(np.array([43.0, 69.0, 77.0, 50.0]), np.array([27.0, 188.0, 100.0, 27.0]))
    axes.set_xlim(min(x) - 900, max(x) + 250)
    axes.set_ylim(-2100, 2450)
    for parallel in (45, 50, 55, 60, 65, 70, 75):
        axes.plot(*albers(np.full(200, parallel), np.linspace(20, 190, 200)), color=GREY, lw=0.25,
                  alpha=0.5, zorder=0)  # fmt: skip
    for meridian in range(30, 190, 20):
        axes.plot(*albers(np.linspace(43, 77, 100), np.full(100, meridian)), color=GREY, lw=0.25,
                  alpha=0.5, zorder=0)  # fmt: skip
        x, y = albers(np.array([42.0]), np.array([meridian]))
        axes.annotate(f"{meridian if meridian <= 180 else 360 - meridian}°"
                      f"{'E' if meridian <= 180 else 'W'}", (x[0], y[0]), fontsize=5.5, color=GREY,
                      ha="center", va="top")  # fmt: skip
    axes.plot([1400, 2400], [-1750, -1750], color="black", lw=1)
    axes.annotate("1,000 km", (1900, -1720), ha="center", va="bottom", fontsize=6.5)
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
    figure, axes = base(plt)
    x, y = albers(last["lat"], last["lon"])
    points = axes.scatter(x, y, c=np.exp(last["log_mp_inverse"]) / 1000, s=4, cmap="cividis",
                          norm="log", linewidths=0)  # fmt: skip
    mono = (last["monotown"] == 1).to_numpy()
    axes.scatter(x[mono], y[mono], s=15, facecolors="none", edgecolors=ORANGE, linewidths=0.7,
                 label="monotown (main definition)")  # fmt: skip
    bar = figure.colorbar(points, label="market potential,\nthousand persons per km", shrink=0.6,
                          aspect=15)  # fmt: skip
    ticks = [50, 100, 200, 500, 1000]
    bar.set_ticks(ticks, labels=[f"{t:,}" for t in ticks])
    bar.ax.minorticks_off()
    axes.legend(loc="upper left", frameon=False)
    return {"map": figure}
