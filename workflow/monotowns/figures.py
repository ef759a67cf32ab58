"""Figures, in one style; byte-stable SVG and PNG."""

import numpy as np

#: Okabe and Ito's colour-blind safe palette.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#7F7F7F"


def style():
    """Return pyplot with the style of the study set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(context="paper", style="ticks", rc={
        "svg.hashsalt": "monotowns", "font.family": "DejaVu Sans", "figure.dpi": 150,
        "axes.spines.top": False, "axes.spines.right": False,
    })  # fmt: skip
    return plt


def save(figure, svg, png):
    """Write both formats without dates, so that equal results are equal bytes."""
    figure.savefig(svg, metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(png, metadata={"Software": None}, bbox_inches="tight")


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
    rho = 6371.0088 * np.sqrt(c - 2 * n * np.sin(phi)) / n
    rho0 = 6371.0088 * np.sqrt(c - 2 * n * np.sin(p0)) / n
    return rho * np.sin(n * lam), rho0 - rho * np.cos(n * lam)


def status_map(panel):
    """Map entities by market potential, monotowns outlined."""
    plt = style()
    last = panel[panel["year"] == panel["year"].max()].dropna(subset=["lat", "log_mp_inverse"])
    figure, axes = plt.subplots(figsize=(7.2, 3.9))
    x, y = albers(last["lat"], last["lon"])
    points = axes.scatter(x, y, c=last["log_mp_inverse"], s=5, cmap="cividis", linewidths=0)
    mono = (last["monotown"] == 1).to_numpy()
    axes.scatter(x[mono], y[mono], s=16, facecolors="none", edgecolors=ORANGE, linewidths=0.8,
                 label="monotown (main definition)")  # fmt: skip
    figure.colorbar(points, label="log market potential (persons per km)", shrink=0.7)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.legend(loc="lower left", frameon=False)
    return figure


def group_means(panel):
    """Raw means of log real taxable income per resident by group and year."""
    plt = style()
    figure, axes = plt.subplots(figsize=(5.6, 3.2))
    for value, label, colour in ((1, "monotowns", ORANGE), (0, "other entities", BLUE)):
        mean = panel[panel["monotown"] == value].groupby("year")["log_taxable_pc"].mean()
        axes.plot(mean.index, mean, marker="o", ms=3, color=colour)
        axes.annotate(label, (mean.index[-1], mean.iloc[-1]), xytext=(4, 0), color=colour,
                      textcoords="offset points", va="center")  # fmt: skip
    axes.set(
        xlabel="year", ylabel="mean log real taxable income\nper resident (roubles of last year)"
    )
    return figure


def event_plot(records, terms, ylabel, xlabel, base=None):
    """Plot event studies: points with pointwise 95 per cent intervals, thin lines the uniform band.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records; a term ``band`` holds the critical value of a specification's band.
    terms : dict
        Specification -> label, two at the most.
    """
    plt = style()
    figure, axes = plt.subplots(figsize=(5.6, 3.2))
    shifts = np.linspace(-0.12, 0.12, len(terms)) if len(terms) > 1 else [0]
    for (name, label), shift, colour in zip(terms.items(), shifts, (BLUE, ORANGE), strict=False):
        rows = records[(records["specification"] == name) & (records["term"] != "att")]
        band = rows.loc[rows["term"] == "band", "estimate"]
        rows = rows[rows["term"] != "band"]
        when = rows["term"].str.extract(r"(-?\d+)$", expand=False).astype(int) + shift
        half = rows["ci_high"] - rows["estimate"]
        axes.errorbar(when, rows["estimate"], half, fmt="o", ms=3, lw=1.6, color=colour,
                      label=label)  # fmt: skip
        if len(band):
            wide = band.iloc[0] * rows["standard_error"]
            axes.errorbar(when, rows["estimate"], wide, fmt="none", lw=0.6, capsize=2, color=colour)
    axes.axhline(0, color=GREY, lw=0.7)
    if base is not None:
        axes.plot([base], [0], "s", ms=4, color=GREY)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


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
    ours = list(
        zip(labels.values(), rows["estimate"], rows["ci_low"], rows["ci_high"], strict=True)
    )
    theirs = literature[["study", "estimate", "low", "high"]].itertuples(index=False, name=None)
    entries = [(*row, BLUE) for row in ours] + [(*row, ORANGE) for row in theirs]
    figure, axes = plt.subplots(figsize=(5.6, 0.34 * len(entries) + 0.8))
    for place, (_, estimate, low, high, colour) in enumerate(entries):
        axes.plot([low, high], [place, place], color=colour, lw=1.2)
        axes.plot([estimate], [place], "o", ms=4, color=colour)
    axes.axvline(0, color=GREY, lw=0.7)
    axes.set_yticks(range(len(entries)), [entry[0] for entry in entries])
    axes.invert_yaxis()
    # The within intervals are so wide that a linear axis would hide every published figure.
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlabel("elasticity (linear within ±0.1, logarithmic beyond)")
    return figure
