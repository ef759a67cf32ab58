"""Maps in an equal-area projection: municipal fill, regional borders, cities of a million."""

import numpy as np

from monotowns.figures.industry import STAGES
from monotowns.figures.style import GREY, ORANGE, canvas
from monotowns.panel.borders import of_level, points

#: Cities with more residents are named.
LARGE = 1_000_000
#: Town of the table of towns -> name, and on which side of the point it stands.
NAMES = {
    "Москва": ("Moscow", "left"),
    "Санкт-Петербург": ("St Petersburg", "left"),
    "Новосибирск": ("Novosibirsk", "above"),
    "Екатеринбург": ("Yekaterinburg", "right"),
    "Казань": ("Kazan", "left"),
    "Нижний Новгород": ("Nizhny Novgorod", "right"),
    "Челябинск": ("Chelyabinsk", "right"),
    "Самара": ("Samara", "right"),
    "Омск": ("Omsk", "left"),
    "Ростов-на-Дону": ("Rostov-on-Don", "left"),
    "Уфа": ("Ufa", "right"),
    "Красноярск": ("Krasnoyarsk", "right"),
    "Воронеж": ("Voronezh", "left"),
    "Пермь": ("Perm", "above"),
    "Волгоград": ("Volgograd", "right"),
}
#: Side -> shift of a name in points, and how it is aligned.
SIDES = {
    "left": ((-2.5, 0), "right", "center"),
    "right": ((2.5, 0), "left", "center"),
    "above": ((0, 2), "center", "bottom"),
}
SOURCE = "borders © OpenStreetMap contributors"
#: A scale of colours ends at these quantiles; what lies beyond has the colour of its end.
ENDS = [0.01, 0.99]
#: Land without a figure, and the borders of regions.
EMPTY, LINE = "#E4E4E4", "#5A5A5A"
#: Fills lie in the SVG as pictures: two thousand shapes would show seams and weigh megabytes.
FILL = {"rasterized": True, "linewidth": 0.2, "edgecolor": "face", "zorder": 1}
#: Monotowns on a fill, on a map of few colours, and as points that bear the colour themselves.
RING = {"s": 9, "facecolors": "none", "edgecolors": ORANGE, "linewidths": 0.7}
DOT = {"s": 5, "facecolors": "black", "edgecolors": "white", "linewidths": 0.2}
POINT = {"s": 13, "edgecolors": "black", "linewidths": 0.3}


def base(borders, towns):
    """A map of the regions' borders with a scale bar and the largest cities.

    Parameters
    ----------
    borders : pandas.DataFrame
        Table of :func:`monotowns.panel.borders.to_table`.
    towns : pandas.DataFrame
        ``town``, ``population``, ``lat`` and ``lon``.

    Returns
    -------
    figure, axes
        In metres of the projection.
    """
    regions = of_level(borders, "region")
    figure, axes = canvas(1, 3.75)
    regions.plot(ax=axes, color=EMPTY, **FILL | {"zorder": 0})
    regions.boundary.plot(ax=axes, color=LINE, linewidth=0.3, zorder=3)
    left, low, right, high = regions.total_bounds
    axes.set(xlim=(left - 5e4, right + 5e4), ylim=(low - 3e5, high + 5e4), aspect="equal")
    axes.set_axis_off()
    scale_bar(axes, right - 1.2e6, low - 1.4e5)
    name_cities(axes, towns[towns["population"] > LARGE])
    return figure, axes


def scale_bar(axes, x, y):
    """A bar of a thousand kilometres, and whose the borders are, as their licence asks."""
    axes.plot([x, x + 1e6], [y, y], color="black", lw=1)
    axes.annotate("1,000 km", (x + 5e5, y + 3e4), ha="center", va="bottom", fontsize=6.5)
    corner = {"xycoords": "axes fraction", "ha": "right", "va": "bottom"}
    axes.annotate(SOURCE, (1, 0), fontsize=4.5, color=GREY, **corner)


def name_cities(axes, cities):
    """Name cities beside their points; one without an English name keeps its own."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.4, foreground="white", alpha=0.8)]
    for city in points(cities).itertuples():
        at = city.geometry.x, city.geometry.y
        name, side = NAMES.get(city.town, (city.town, "right"))
        shift, ha, va = SIDES[side]
        axes.plot(*at, "s", ms=1.8, color="black", mec="white", mew=0.3, zorder=6)
        text = {"fontsize": 5.5, "ha": ha, "va": va, "path_effects": halo, "zorder": 7}
        axes.annotate(name, at, xytext=shift, textcoords="offset points", **text)


def fill(axes, borders, values, **colours):
    """Fill entities by a value, the small ones over those that surround them."""
    entities = of_level(borders, "entity")
    entities["value"] = values.reindex(entities.index)
    known = entities.dropna(subset="value")
    known = known.iloc[np.argsort(-known.area, kind="stable")]
    known.plot("value", ax=axes, **colours, **FILL)


def colour_bar(figure, axes, colours, label):
    """A bar of the fill's colours under the map, where no land is."""
    from matplotlib.cm import ScalarMappable

    inset = axes.inset_axes((0.05, 0.1, 0.3, 0.025))
    bar = figure.colorbar(ScalarMappable(**colours), cax=inset, orientation="horizontal")
    bar.ax.tick_params(labelsize=6.5, width=0.4, length=2)
    bar.outline.set_linewidth(0.4)
    bar.set_label(label, fontsize=7)
    return bar


def monotowns(axes, rows, **marks):
    """Mark monotowns at the centres of their entities."""
    at = points(rows).geometry
    return axes.scatter(at.x, at.y, zorder=5, **marks)


def legend(axes, handles, loc):
    """Say what the marks are, where no land is."""
    axes.legend(handles=handles, loc=loc, fontsize=7, handlelength=1.4)


def market_potential(panel, measures, borders, towns):
    """Entities by market potential in the last year, monotowns ringed."""
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Patch

    last = panel[panel["year"] == panel["year"].max()].dropna(subset=["lat"])
    last = last.merge(measures, on=["entity", "year"]).set_index("entity")
    potential = np.exp(last["log_mp_inverse"]) / 1000
    figure, axes = base(borders, towns)
    # The few districts around Moscow would take half of the scale.
    colours = {"cmap": "YlGnBu", "norm": LogNorm(*potential.quantile(ENDS))}
    fill(axes, borders, potential, **colours)
    rings = monotowns(axes, last[last["monotown"] == 1], label="monotown", **RING)
    bar = colour_bar(figure, axes, colours, "market potential, thousand persons per km")
    ticks = [tick for tick in (20, 50, 100, 200, 500, 1000) if bar.vmin <= tick <= bar.vmax]
    bar.set_ticks(ticks, labels=[f"{tick:,}" for tick in ticks])
    bar.ax.minorticks_off()
    legend(axes, [rings, Patch(color=EMPTY, label="no figure")], "upper left")
    return figure


def stages(stages, panel, borders, towns):
    """Regions coloured by their stage in the last year, monotowns marked."""
    from matplotlib.patches import Patch

    last = stages[stages["year"] == stages["year"].max()].set_index("region")["stage"]
    figure, axes = base(borders, towns)
    regions, found = of_level(borders, "region"), set(last)
    names = [*(name for name in STAGES if name in found), *sorted(found - set(STAGES))]
    patches = []
    for name in names:
        colour = {"color": STAGES.get(name, GREY), "alpha": 0.7}
        # A fill's edge would be twice as dark as the fill where they overlap.
        regions[regions.index.map(last) == name].plot(ax=axes, **colour, **FILL | {"linewidth": 0})
        patches.append(Patch(label=name, **colour))
    place = panel[panel["year"] == panel["year"].max()].dropna(subset=["lat"])
    dots = monotowns(axes, place[place["monotown"] == 1], label="monotown", **DOT)
    legend(axes, [*patches, dots], "lower left")
    return figure


def development_potential(potential, panel, borders, towns):
    """Monotowns by the index of development potential."""
    from matplotlib.colors import Normalize

    place = panel.drop_duplicates("entity").set_index("entity")[["lat", "lon"]]
    rows = potential[potential["rank"].notna()].join(place, on="entity").dropna(subset=["lat"])
    rows = rows.sort_values("index").set_index("entity")
    figure, axes = base(borders, towns)
    reach = rows["index"].abs().quantile(ENDS[1])
    colours = {"cmap": "RdYlBu", "norm": Normalize(-reach, reach)}
    fill(axes, borders, rows["index"], **colours)
    # Most monotowns are smaller than a point of the map: each stands at its centre too.
    monotowns(axes, rows, c=rows["index"], **POINT, **colours)
    colour_bar(figure, axes, colours, "index of development potential (standard deviations)")
    return figure
