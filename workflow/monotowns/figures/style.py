"""One style for all figures: fonts, colours, sizes; byte-stable SVG and PNG."""

import numpy as np

#: Okabe and Ito's colour-blind safe palette.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY = "#7F7F7F"
#: Width of the text block, inches: figures are drawn at the size at which they are printed.
WIDTH = 6.2


def style():
    """Return pyplot with the style of the study set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(
        context="paper",
        style="ticks",
        rc={
            "svg.hashsalt": "monotowns",
            "svg.fonttype": "path",
            "font.family": "DejaVu Sans",
            "font.size": 8,
            "axes.labelsize": 8,
            "xtick.labelsize": 7.5,
            "ytick.labelsize": 7.5,
            "legend.fontsize": 7.5,
            "figure.dpi": 200,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.6,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "figure.constrained_layout.use": True,
        },
    )
    return plt


def save(figure, svg, png):
    """Write both formats without dates, so that equal results are equal bytes."""
    figure.savefig(svg, metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(png, metadata={"Software": None}, bbox_inches="tight")


def interval_points(axes, where, estimate, low, high, colour, label=None, band=None):
    """Draw estimates with their pointwise interval (thick) and, if given, a band (thin, capped).

    Parameters
    ----------
    where, estimate, low, high : array_like, shape (k,)
    band : array_like, shape (k,), optional
        Half width of the band.
    """
    estimate = np.asarray(estimate, float)
    errors = np.abs(np.vstack([estimate - np.asarray(low), np.asarray(high) - estimate]))
    axes.errorbar(where, estimate, errors, fmt="o", ms=3, lw=1.6, color=colour, label=label)
    if band is not None:
        axes.errorbar(where, estimate, band, fmt="none", lw=0.6, capsize=2, color=colour)


def legend_above(axes, columns=2):
    """Put the legend above the axes, outside the data."""
    axes.legend(frameon=False, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0))
