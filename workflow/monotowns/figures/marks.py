"""Marks that several figures share: intervals, legends, names of lines, ticks."""

import numpy as np

from monotowns.figures.style import GREY


def in_order(rows, column, values):
    """Rows sorted by the place of a column's value among ``values``."""
    place = {value: i for i, value in enumerate(values)}
    return rows.sort_values(column, key=lambda values: values.map(place), kind="stable")


def labelled(records, labels):
    """The records of the labelled specifications that there are, with ``label``, in its order."""
    rows = records[records["specification"].isin(labels)]
    rows = in_order(rows, "specification", labels)
    return rows.assign(label=rows["specification"].map(labels))


def present(labels: dict, found) -> dict:
    """The entries of a table of labels that are found."""
    return {label: value for label, value in labels.items() if label in set(found)}


def intervals(axes, rows, palette, value="y", step=0.2, bounds=("ci_low", "ci_high"), **options):
    """Points with their intervals, one colour a label.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``estimate``, the two ``bounds`` (either may be missing), ``place`` and ``label``; the first
        row of a place and label is drawn.
    palette : dict
        Label -> colour, in the order of the legend; labels without rows are left out.
    value : {"x", "y"}
        The axis of the estimates.
    step : float
        Distance of one label from the next at the same place.
    """
    import seaborn as sns

    rows = rows.drop_duplicates(["place", "label"])
    palette = present(palette, rows["label"])
    where = {"x": "place", "y": "value"} if value == "y" else {"x": "value", "y": "place"}
    colours = {"hue": "label", "hue_order": list(palette), "palette": palette}
    look = {"markersize": 3, "markeredgewidth": 1, "linewidth": 1.6, "linestyle": "none"}
    spread = {"dodge": step * (len(palette) - 1), "orient": "x" if value == "y" else "y"}
    options = colours | look | spread | {"native_scale": True, "legend": False} | options
    # The bar spans the bounds, whether or not they contain the estimate.
    bar = {"errorbar": ("pi", 100), "marker": "", "legend": False}
    for columns, layer in ((["estimate"], {"errorbar": None}), ([*bounds], bar)):
        long = rows.melt(["place", "label"], columns, value_name="value").dropna(subset="value")
        sns.pointplot(long, ax=axes, **where, **options | layer)
    axes.set(xlabel="", ylabel="")
    (axes.axhline if value == "y" else axes.axvline)(0, color=GREY, lw=0.6, zorder=1)


def legend_above(axes, columns=2, **options):
    """Put the legend above the axes, outside the data."""
    if axes.get_legend_handles_labels()[0]:
        options = {"bbox_to_anchor": (0.5, 1.0), "loc": "lower center"} | options
        axes.legend(ncols=columns, title=None, **options)


def label_ends(axes, wide, palette, gap, size):
    """Name every line of a table (index: years, one column a line) at its last year."""
    options = {"fontsize": size, "textcoords": "offset points", "va": "center"}
    for label, line in wide.items():
        end = line.index[-1], line.iloc[-1]
        axes.annotate(label, end, xytext=(gap, 0), color=palette[label], **options)


def year_ticks(axes, years, step):
    """Ticks at every ``step`` years from the first."""
    axes.set_xticks(np.arange(min(years), max(years) + 1, step))
