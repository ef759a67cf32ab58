"""How groups of places moved in the layers of cities and of quarters: raw paths."""

from monotowns.figures.marks import year_ticks
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, canvas

#: From 2017 on shipments are by OKVED2: a step that is no growth.
SHIPMENTS_STEP = 2016.5
COLOURS = {
    "monotowns": ORANGE,
    "other cities": BLUE,
    "other urban okrugs": BLUE,
    "districts": GREEN,
    "with monotowns": ORANGE,
    "other regions": BLUE,
}
CITIES = {
    "log_workers": "workers",
    "log_wage": "real wage",
    "log_shipments": "real shipments of manufacturing",
    "log_investment": "real investment",
    "log_population": "residents",
}
REGIONS = {
    "log_volume": "volume of manufacturing",
    "log_investment": "real investment",
    "log_employment": "employment",
}
MUNICIPALITIES = {
    "log_taxable_pc": "real taxable income per resident",
    "log_population": "residents",
    "transfer_share": "share of social payments",
}
MONTHS = {
    "log_wage_all": "wage since January, all",
    "log_wage_C": "the same, manufacturing",
    "log_consumption": "spending by card per person",
}


def panels(rows, titles, shape, height, base, breaks=()):
    """Draw a panel an outcome: means of balanced groups, two standard errors around them.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``outcome``, ``group``, ``time``, ``mean``, ``low``, ``high``.
    titles : dict
        Outcome -> title, in order.
    shape : tuple of int
        Rows and columns of panels; a panel left over stays empty.
    base : float
        The time that changes are measured from.
    breaks : dict
        Outcome -> time of a new classification, dotted.
    """
    figure, grid = canvas(1, height, *shape, sharex=True)
    axes = grid.ravel()
    for one, (outcome, title) in zip(axes, titles.items(), strict=False):
        of = rows[rows["outcome"] == outcome]
        for name, colour in COLOURS.items():
            line = of[of["group"] == name].sort_values("time")
            if line.empty:
                continue
            one.plot(line["time"], line["mean"], color=colour, lw=1.2, label=name)
            one.fill_between(line["time"], line["low"], line["high"], color=colour, alpha=0.2, lw=0)
        one.axhline(0, color=GREY, lw=0.6, zorder=0)
        one.axvline(base, color=GREY, lw=0.6, ls=":", zorder=0)
        if outcome in breaks:
            one.axvline(breaks[outcome], color=GREY, lw=0.8, ls="--", zorder=0)
        one.set_title(title, fontsize=8)
    names = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    figure.legend(names.values(), names, loc="outside upper center", ncols=len(names), fontsize=7.5)
    for one in axes[len(titles) :]:
        one.set_axis_off()
    figure.supylabel("log points from the base", fontsize=8)
    return figure


def city_paths(layer_paths):
    """Cities: workers, wage, shipments, investment and residents, from 2006."""
    rows = layer_paths[layer_paths["layer"] == "cities"]
    return panels(rows, CITIES, (2, 3), 3.8, 2013, {"log_shipments": SHIPMENTS_STEP})


def municipal_paths(layer_paths):
    """Municipalities by kind of 2013: income, residents, share of social payments."""
    rows = layer_paths[layer_paths["layer"] == "municipalities"]
    figure = panels(rows, MUNICIPALITIES, (1, 3), 2.2, 2013)
    year_ticks(figure.axes[0], rows["time"].astype(int), 3)
    return figure


def month_paths(layer_paths):
    """Quarters of 2023 and 2024: wages and spending."""
    rows = layer_paths[layer_paths["layer"] == "months"]
    figure = panels(rows, MONTHS, (1, 3), 2.2, 2023)
    figure.axes[0].set_xticks([2023, 2024, 2024.75], ["2023 I", "2024 I", "IV"])
    return figure


def region_paths(layer_paths):
    """Regions with and without many residents in monotowns: volume, investment, employment."""
    rows = layer_paths[layer_paths["layer"] == "regions"]
    return panels(rows, REGIONS, (1, 3), 2.2, 2013)
