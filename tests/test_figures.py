from inspect import signature

import matplotlib
import pandas as pd
import pytest
from monotowns.figures import FIGURES, draw, gap, spatial
from monotowns.figures.marks import intervals
from monotowns.figures.style import canvas, save, style

TABLES = {"panel", "measures", "estimates", "literature", "stages", "potential"}
TABLES |= {
    "curve",
    "means",
    "inequality",
    "borders",
    "towns",
    "layer_paths",
    "groups",
    "turns_chance",
}
COLUMNS = ["specification", "term", "estimate", "standard_error", "ci_low", "ci_high"]


def records(*rows):
    table = pd.DataFrame([(*row, 0.0, 0.1, -0.2, 0.2) for row in rows], columns=COLUMNS)
    types = dict.fromkeys(COLUMNS, float) | {"specification": str, "term": str}
    return table.assign(variance="CRV1(region)").astype(types)


def texts(artists):
    return [artist.get_text() for artist in artists]


def test_every_figure_reads_tables_that_the_rule_names():
    named = {name for function in FIGURES.values() for name in signature(function).parameters}
    assert named == TABLES


def test_the_base_year_is_the_one_without_a_term():
    panel = pd.DataFrame({"year": [2004, 2005, 2006, 2007]})
    of = records(*(("gap_main", term) for term in ("2004", "2006", "2007", "band")))
    assert gap.base_year(panel, of) == 2005
    assert gap.base_year(panel, of[:2]) is None


def test_an_event_study_that_was_not_estimated_has_no_place_in_the_legend():
    panel = pd.DataFrame({"year": [2004, 2005, 2006]})
    drawn = gap.effects(panel, records(("gap_main", "2004"), ("gap_main", "2006")))
    assert texts(drawn.axes[0].get_legend().get_texts()) == ["of the region and urban type"]


def test_impacts_are_drawn_over_whatever_weights_were_estimated():
    kinds, ends = ("direct", "indirect", "total"), ("mine", "main", "placebo")
    models = [f"{model}_{weights}" for model in spatial.MODELS for weights in ends]
    models = [name for name in models if name not in ("slx_placebo", "sar_placebo")]
    rows = [(f"spatial_{name}", f"{kind} monotown") for name in models for kind in kinds]
    rows += [(f"spatial_slx_region{end}", "W_monotown") for end in ("", "_mine")]
    labels = texts(spatial.impacts(records(*rows)).axes[0].get_yticklabels())
    assert labels == ["ten nearest", "mine"]


def test_a_point_is_the_first_estimate_even_outside_of_its_interval():
    axes = canvas(1, 1)[1]
    rows = [(2004, "a", 0.5, 1, 2), (2004, "a", 0.5, 0, 9)]
    rows = pd.DataFrame(rows, columns=["place", "label", "estimate", "ci_low", "ci_high"])
    intervals(axes, rows, {"a": "red"})
    drawn = [list(line.get_ydata()) for line in axes.lines]
    assert [0.5] in drawn and [1, 2] in drawn and [0, 9] not in drawn


@pytest.mark.parametrize(
    ("figure", "rows", "labels"),
    [
        ("exposure", [("reindustrialisation_regions_change", "x")], ["regions' structure"]),
        ("scales", [("scales_shift_log_taxable_pc", "log_mp_near:from_1986")], ["near\n1986 on"]),
        ("elasticities", [("market_asia_log_taxable_pc", "x")], ["east: taxable income"]),
    ],
)
def test_a_figure_draws_the_specifications_that_there_are(figure, rows, labels):
    literature = pd.DataFrame(columns=["study", "estimate", "low", "high"])
    axes = draw(figure, {"estimates": records(*rows), "literature": literature}).axes[-1]
    assert labels in (texts(axes.get_xticklabels()), texts(axes.get_yticklabels()))


@pytest.mark.filterwarnings("ignore:No artists with labels")
@pytest.mark.parametrize(
    "figure", ["gap", "toser", "honest", "scales", "exposure", "impacts", "elasticities"]
)
def test_a_figure_without_any_of_its_specifications_is_empty(figure):
    literature = pd.DataFrame(columns=["study", "estimate", "low", "high"])
    panel = pd.DataFrame({"year": [2004, 2005]})
    draw(figure, {"estimates": records(), "literature": literature, "panel": panel})


def test_a_users_matplotlibrc_changes_nothing(tmp_path):
    bytes_of = []
    own = {"savefig.pad_inches": 1, "text.usetex": True, "axes.grid": True, "figure.dpi": 30}
    for rc in ({}, own):
        with matplotlib.rc_context(rc), style():
            figure, axes = canvas(0.5, 1)
            axes.plot([1, 2], label="x")
            save(figure, tmp_path / "x.svg", tmp_path / "x.png")
        bytes_of.append([(tmp_path / name).read_bytes() for name in ("x.svg", "x.png")])
    assert bytes_of[0] == bytes_of[1]
