"""Time and memory of the stages by the size of the panel."""

from monotowns.figures.style import GREY, WIDTH, style


def growth_plot(table):
    """One line a stage on logarithmic axes, with slope one and two beside them."""
    plt = style()
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharex=True)
    stages = list(dict.fromkeys(table["stage"]))
    colours = plt.get_cmap("tab20").colors
    for axis, column, label in zip(axes, ("seconds", "peak_mb"), ("seconds", "peak memory, MB"),
                                   strict=True):  # fmt: skip
        for place, stage in enumerate(stages):
            part = table[table["stage"] == stage]
            axis.plot(
                part["copies"],
                part[column],
                marker="o",
                ms=2.5,
                lw=0.9,
                color=colours[place % len(colours)],
                label=stage.replace("_", " "),
            )
        low, high = table["copies"].min(), table["copies"].max()
        start = table[column].min()
        for power in (1, 2):
            axis.plot([low, high], [start, start * (high / low) ** power], color=GREY, lw=0.6,
                      ls=":")  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="copies of every entity", ylabel=label)
        axis.set_ylim(top=2 * table[column].max())
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, ncols=5,
                  loc="outside upper center", fontsize=6.5)  # fmt: skip
    return figure


def draw(frames):
    """Draw from ``scale``."""
    return {"scale": growth_plot(frames["scale"])}
