"""The curve of specifications, with what each specification chose."""

import numpy as np

from monotowns.figures.marks import in_order, legend_above
from monotowns.figures.style import BLUE, GREY, ORANGE, canvas

CHOICES = ["outcome", "treatment", "sample", "fixed_effects", "weights"]


def curve(curve):
    """Estimates in order, the band that chance fills, and a mark for every choice."""
    import seaborn as sns

    rows = curve.sort_values("estimate", ignore_index=True)
    place = rows.index + 1
    # What is the same in all of them is no choice.
    choices = [choice for choice in CHOICES if rows[choice].astype(str).nunique() > 1]
    marks = rows.astype(dict.fromkeys(choices, str)).melt(value_vars=choices, ignore_index=False)
    marks = in_order(marks.sort_values("value"), "variable", choices)
    marks["choice"] = marks["variable"] + " " + marks["value"]
    names = marks.drop_duplicates("choice")["value"]
    height = 0.12 * len(names)
    figure, (top, bottom) = canvas(1, 2.2 + height, 2, 1, sharex=True, height_ratios=[2.0, height])
    low, high = np.sort(rows["chance_low"]), np.sort(rows["chance_high"])
    label = "95 per cent of permuted curves"
    top.fill_between(place, low, high, color=GREY, alpha=0.25, lw=0, label=label)
    surely = (rows["ci_high"] < 0) | (rows["ci_low"] > 0)
    kinds = (BLUE, surely, "interval without zero"), (ORANGE, ~surely, "interval with zero")
    for colour, of, label in kinds:
        top.plot(place[of], rows["estimate"][of], ".", ms=1.5, color=colour, label=label)
    top.axhline(0, color=GREY, lw=0.6)
    top.set_ylabel("effect on log income")
    legend_above(top, 3, markerscale=4)
    options = {"marker": "|", "size": 3, "linewidth": 0.25, "jitter": False, "color": BLUE}
    sns.stripplot(marks, x=marks.index + 1, y="choice", native_scale=True, ax=bottom, **options)
    labels = [name.replace("_", " ").replace(":from 2014", "") for name in names]
    bottom.set_yticks(range(len(labels)), labels, fontsize=5.5)
    bottom.set(xlabel="specifications in order of their estimate", ylabel="")
    return figure
