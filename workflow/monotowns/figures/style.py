"""One style for all figures: fonts, colours, sizes; byte-stable SVG and PNG."""

from contextlib import contextmanager

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

#: Okabe and Ito's colour-blind safe palette.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY = "#7F7F7F"
#: Width of the text block, inches: figures are drawn at the size at which they are printed.
WIDTH = 6.2
RC = {
    "svg.hashsalt": "monotowns",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.dpi": 200,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "figure.constrained_layout.use": True,
}


@contextmanager
def style():
    """Draw and save in the style of the study, whatever a user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        sns.set_theme(context="paper", style="ticks", rc=RC)
        yield


def canvas(width, height, *shape, **options):
    """A figure without pyplot, and its axes; ``width`` in widths of the text, ``height`` in inches.

    ``shape`` (rows, columns) and ``options`` are those of :meth:`matplotlib.figure.Figure.subplots`.
    """
    figure = Figure((WIDTH * width, height))
    return figure, figure.subplots(*shape, **options)


def save(figure, svg, png):
    """Write both formats without dates, so that equal results are equal bytes."""
    figure.savefig(svg, metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(png, metadata={"Software": None}, bbox_inches="tight")


def labelled(records, labels):
    """The records of those labelled specifications that there are, with their ``label``."""
    rows = records[records["specification"].isin(labels)]
    return rows.assign(label=rows["specification"].map(labels))


def intervals(axes, rows, palette, value="y", step=0.2, bounds=("ci_low", "ci_high"), **options):
    """Points with their intervals, one colour a label.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``estimate``, the two ``bounds`` (either may be missing), ``place`` and ``label``.
    palette : dict
        Label -> colour, in the order of the legend; labels without rows are left out.
    value : {"x", "y"}
        The axis of the estimates.
    step : float
        Distance of one label from the next at the same place.
    """
    palette = {label: colour for label, colour in palette.items() if label in set(rows["label"])}
    # The median of an estimate and its bounds is the estimate, their range the interval.
    long = rows.melt(["place", "label"], ["estimate", *bounds], value_name="value")
    where = {"x": "place", "y": "value"} if value == "y" else {"x": "value", "y": "place"}
    options = {"markersize": 3, "markeredgewidth": 1, "linewidth": 1.6, "legend": False} | options
    sns.pointplot(
        long.dropna(subset="value"),
        **where,
        hue="label",
        hue_order=list(palette),
        palette=palette,
        estimator="median",
        errorbar=("pi", 100),
        dodge=step * (len(palette) - 1),
        linestyle="none",
        orient="x" if value == "y" else "y",
        native_scale=True,
        ax=axes,
        **options,
    )
    axes.set(xlabel="", ylabel="")
    (axes.axhline if value == "y" else axes.axvline)(0, color=GREY, lw=0.6, zorder=1)


def legend_above(axes, columns=2, **options):
    """Put the legend above the axes, outside the data."""
    if axes.get_legend_handles_labels()[0]:
        options = {"bbox_to_anchor": (0.5, 1.0), "loc": "lower center"} | options
        axes.legend(ncols=columns, title=None, **options)


def label_ends(axes, wide, palette, gap, size):
    """Name every line of a table (index: years, one column a line) at its last year."""
    for label, line in wide.items():
        axes.annotate(
            label,
            (line.index[-1], line.iloc[-1]),
            xytext=(gap, 0),
            color=palette[label],
            fontsize=size,
            textcoords="offset points",
            va="center",
        )


def year_ticks(axes, years, step):
    """Ticks at every ``step`` years from the first."""
    axes.set_xticks(np.arange(min(years), max(years) + 1, step))
