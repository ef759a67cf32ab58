import pandas as pd
from monotowns.figures.gap import base_year, event_plot
from monotowns.figures.spatial import MODELS, impacts


def test_the_base_year_is_the_one_without_a_term():
    panel = pd.DataFrame({"year": [2004, 2005, 2006, 2007]})
    records = pd.DataFrame({"specification": "gap_main", "term": ["2004", "2006", "2007", "band"]})
    assert base_year(panel, records) == 2005
    assert base_year(panel, records[:2]) is None


def test_an_event_study_that_was_not_estimated_has_no_place_in_the_legend():
    records = pd.DataFrame(
        [("gap_main", str(y), 0.0, 0.1, -0.2, 0.2) for y in (2004, 2006)],
        columns=["specification", "term", "estimate", "standard_error", "ci_low", "ci_high"],
    )
    drawn = event_plot(records, {"gap_main": "all", "gap_balanced": "balanced"}, "y", "year", 2005)
    labels = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    assert labels == ["all"]


def test_impacts_are_drawn_over_whatever_weights_were_estimated():
    terms = [f"{kind} monotown" for kind in ("direct", "indirect", "total")]
    rows = [
        (f"spatial_{model}_{weights}", term, 0.0, -1.0, 1.0)
        for model in MODELS
        for weights in ("mine", "main")
        for term in terms
    ]
    rows += [(f"spatial_slx_region{end}", "W_monotown", 0.0, -1.0, 1.0) for end in ("", "_mine")]
    rows += [("spatial_sdm_placebo", term, 0.0, -1.0, 1.0) for term in terms]
    records = pd.DataFrame(rows, columns=["specification", "term", "estimate", "ci_low", "ci_high"])
    labels = [text.get_text() for text in impacts(records).axes[0].get_yticklabels()]
    assert labels == ["ten nearest", "mine"]
