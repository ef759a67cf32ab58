"""One style for all figures: fonts, colours, sizes; byte-stable SVG and PNG."""

from contextlib import contextmanager

#: Okabe and Ito's colour-blind safe palette.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY = "#7F7F7F"
#: Width of the text block, inches: figures are drawn at the size at which they are printed.
WIDTH = 6.2
THIN = ["axes.linewidth", "xtick.major.width", "ytick.major.width"]
SMALL = ["xtick.labelsize", "ytick.labelsize", "legend.fontsize"]
RC = {
    "svg.hashsalt": "monotowns",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "figure.dpi": 200,
    "legend.frameon": False,
    **dict.fromkeys(["font.size", "axes.labelsize"], 8),
    **dict.fromkeys(SMALL, 7.5),
    **dict.fromkeys(THIN, 0.6),
    **dict.fromkeys(["axes.spines.top", "axes.spines.right"], False),
    "figure.constrained_layout.use": True,
}


@contextmanager
def style():
    """Draw and save in the style of the study, whatever a user's matplotlibrc says."""
    import matplotlib
    import seaborn as sns

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        sns.set_theme(context="paper", style="ticks", rc=RC)
        yield


def canvas(width, height, *shape, **options):
    """A figure (``width`` in widths of the text, ``height`` in inches) and its axes, no pyplot."""
    from matplotlib.figure import Figure

    figure = Figure((WIDTH * width, height))
    return figure, figure.subplots(*shape, **options)


def save(figure, svg, png):
    """Write both formats in one layout and without dates: equal results are equal bytes."""
    figure.savefig(svg, metadata={"Date": None}, bbox_inches="tight")
    figure.set_layout_engine("none")
    figure.savefig(png, metadata={"Software": None}, bbox_inches="tight")
