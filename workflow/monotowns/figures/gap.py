"""Monotowns against other places: event studies of municipalities and of large towns."""

from monotowns.figures.layers import SHIPMENTS_STEP
from monotowns.figures.marks import intervals, labelled, legend_above
from monotowns.figures.style import BLUE, GREEN, GREY, ORANGE, canvas

EFFECT = "effect on log real taxable\nincome per resident"
GAP = {
    "gap_region": "all others of the region",
    "gap_main": "of the region and urban type",
    "gap_classes": "of like income and size too",
}
CITIES = {
    "gap_cities_log_workers": "workers",
    "gap_cities_log_wage": "real wage",
    "gap_cities_log_shipments": "real shipments of manufacturing",
    "gap_cities_log_investment": "real investment",
    "gap_cities_log_population": "residents",
}


def event_plot(records, labels, xlabel, base=None):
    """Plot event studies: points with pointwise 95 per cent intervals, thin lines the uniform band.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records; a term ``band`` holds the critical value of a specification's band.
    labels : dict
        Specification -> label, three at the most; one without records is left out.
    base : int, optional
        The time that effects are measured from.
    """
    rows = labelled(records, labels)
    critical = rows[rows["term"] == "band"].groupby("label")["estimate"].first()
    rows = rows[rows["term"].str.match(r"(?:event )?-?\d+$")]
    half = rows["label"].map(critical).astype(float) * rows["standard_error"]
    rows = rows.assign(
        place=rows["term"].str.extract(r"(-?\d+)$", expand=False).astype(int),
        band_low=rows["estimate"] - half,
        band_high=rows["estimate"] + half,
    )
    figure, axes = canvas(0.8, 2.6)
    palette = dict(zip(labels.values(), (BLUE, ORANGE, GREEN), strict=False))
    intervals(axes, rows, palette, step=0.135, legend=True)
    if half.notna().any():
        thin = {"capsize": 0.1, "err_kws": {"linewidth": 0.6}, "marker": ""}
        intervals(axes, rows, palette, step=0.135, bounds=("band_low", "band_high"), **thin)
    if base is not None:
        axes.plot([base], [0], "s", ms=3.5, color=GREY)
    axes.set(xlabel=xlabel, ylabel=EFFECT)
    legend_above(axes, len(palette))
    return figure


def base_year(panel, records, specification="gap_main"):
    """The year of the panel that an event study measures from: the one without a term."""
    of = records.loc[records["specification"] == specification, "term"]
    left = sorted(set(panel["year"]) - set(of[of.str.isdigit()].astype(int)))
    return left[0] if len(left) == 1 else None


def effects(panel, estimates):
    """Event studies of the gap."""
    return event_plot(estimates, GAP, "year", base_year(panel, estimates))


def cities(estimates):
    """Large monotowns against other large towns: event studies with their uniform bands."""
    rows = labelled(estimates, CITIES)
    critical = rows[rows["term"] == "band"].set_index("specification")["estimate"]
    # Further variances have rows of their own.
    rows = rows.drop_duplicates(["specification", "term"])
    rows = rows[rows["term"].str.fullmatch(r"\d{4}")].astype({"term": int})
    figure, grid = canvas(1, 3.8, 2, 3, sharex=True)
    axes = grid.ravel()
    for one, (name, title) in zip(axes, CITIES.items(), strict=False):
        of = rows[rows["specification"] == name].sort_values("term")
        if of.empty:
            continue
        base = next(year for year in range(of["term"].min(), 9999) if year not in set(of["term"]))
        line = of.set_index("term")[["estimate", "standard_error"]]
        line.loc[base] = 0.0
        line = line.sort_index()
        half = {"band": critical[name], "point": (of["ci_high"] - of["estimate"]).sum()}
        half["point"] /= of["standard_error"].sum()
        for width, alpha in ((half["band"], 0.15), (half["point"], 0.3)):
            spread = width * line["standard_error"]
            low, high = line["estimate"] - spread, line["estimate"] + spread
            one.fill_between(line.index, low, high, color=ORANGE, alpha=alpha, lw=0)
        one.plot(line.index, line["estimate"], color=ORANGE, lw=1.2)
        one.axhline(0, color=GREY, lw=0.6, zorder=0)
        one.axvline(base, color=GREY, lw=0.6, ls=":", zorder=0)
        if name.endswith("shipments"):
            one.axvline(SHIPMENTS_STEP, color=GREY, lw=0.8, ls="--", zorder=0)
        one.set_title(title, fontsize=8)
    for one in axes[len(CITIES) :]:
        one.set_axis_off()
    figure.supylabel("log points against the base year", fontsize=8)
    return figure
