"""Facts counted by hand on small tables."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from monotowns.studies.facts import panel_facts, stage_facts, toser_facts


def values(facts):
    return {name: value for name, (value, _) in facts.items()}


def test_facts_of_a_panel_of_three_entities():
    # a: monotown 2013-2021 with two listed towns; b: monotown from 2015 only; c: never.
    rows = [("a", y, 1, 2) for y in (2013, 2015, 2021)]
    rows += [("b", y, 1, 1) for y in (2015, 2021)] + [("c", y, 0, 0) for y in (2013, 2015, 2021)]
    panel = pd.DataFrame(rows, columns=["entity", "year", "monotown", "listed_2014"])
    panel["territory_id"] = panel["entity"].map({"a": 1, "b": 2, "c": 3})
    matched = pd.DataFrame({"list": ["monotowns_2014"], "official": [3], "rows": [np.nan]})
    coverage = pd.DataFrame(
        {
            "year": [2013, 2013, 2021, 2021],
            "panel": [45.0, 45.0, 80.0, None],
            "published": [50.0, 50.0, 100.0, 9.0],
        }
    )
    access = pd.DataFrame({"territory_id": [1, 2, 3], "market_access": [1.0, 2.0, 3.0]})
    measures = panel[["entity", "year"]].assign(log_mp_inverse=[1.0] * 3 + [3.0] * 2 + [2.0] * 3)
    found = values(panel_facts(panel, matched, coverage, measures, access))
    assert found["panel.entities"] == 3 and found["panel.rows"] == 8
    assert found["panel.per_year"] == pytest.approx(8 / 3)
    assert (found["panel.monotowns"], found["panel.listed_towns"]) == (2, 3)
    assert (found["panel.around_2014"], found["panel.around_2020"]) == (1, 2)
    assert found["panel.residents_share"] == pytest.approx(85)  # 90 and 80 per cent; a gap is none
    assert found["market_access.rank_correlation"] == pytest.approx(0.5)  # ranks 1 3 2 beside 1 2 3
    assert found["monotowns_2014.official"] == 3 and "monotowns_2014.rows" not in found
    assert "panel.residents_share" not in panel_facts(panel, matched, coverage.iloc[:0])


def test_facts_of_the_stages():
    nulls = ["years in one order for all", "each region apart"]
    grid = pd.DataFrame(
        [
            (k, 1, share, null, 4, turned, 1.5, 0.25, p)
            for k, turned in ((2, 3), (3, 2))
            for share, null, p in (
                ("adjusted", nulls[0], k / 10),
                ("adjusted", nulls[1], k / 100),
                ("published", nulls[0], 0.5),
            )
        ],
        columns=[
            "k",
            "threshold",
            "share",
            "null",
            "regions",
            "turned",
            "expected",
            "false_positive_rate",
            "p_value",
        ],
    )
    whole, falling = ["industrialised"], ["de-industrialising"]
    stages = {
        2009: whole * 4,
        2013: falling + whole * 3,
        2019: ["re-industrialising"] * 4,
        2022: falling * 3 + whole,
    }
    table = pd.DataFrame(
        [
            (region, year, stage, kind, p)
            for year, of in stages.items()
            for region, stage, kind, p in zip(
                "abcd",
                of,
                ["share only", "share and volume", "share only", ""],
                [0.01, 0.2, 0.9, None],
                strict=True,
            )
        ],
        columns=["region", "year", "stage", "kind", "break_p"],
    )
    step = SimpleNamespace(estimate=-0.1, standard_error=0.02, placebos=pd.Series([0.03, -0.05]))
    found = values(stage_facts(table, step, grid, rising_years=3, threshold=1))
    assert (found["stages.turned"], found["stages.turned.p"], found["stages.apart.p"]) == (
        2,
        0.3,
        0.03,
    )
    assert (found["stages.grid.rules"], found["stages.grid.p"], found["stages.grid.apart.p"]) == (
        2,
        0.2,
        0.02,
    )
    assert (found["stages.breaks"], found["stages.breaks.regions"]) == (1, 3)
    assert found["stages.breaks.expected"] == pytest.approx(0.15)
    assert found["stages.years_after_2020"] == 2
    assert found["stages.falling"] == 75  # three of four
    assert found["stages.2013.de-industrialising"] == 1
    assert (found["stages.share_only"], found["stages.share_and_volume"]) == (2, 1)
    assert found["stages.step.placebo"] == 0.05


def test_facts_of_the_status():
    rows = pd.DataFrame({"entity": list("aabcd"), "toser_cohort": [2016, 2016, 2018, 2018, 0]})
    left_out = pd.DataFrame(
        {
            "by": ["toser_cohort", "toser_cohort", "region", "region"],
            "left_out": [2016, 2018, 0, 0],
            "estimate": [-0.1, -0.3, -0.2, 0.1],
            "ci_low": [-0.2, -0.5, 0, 0],
            "ci_high": [0, -0.1, 0, 0],
        }
    )
    overlap = pd.DataFrame({"column": ["log_population"], "standardised_difference": [0.5]})
    tests = {
        "imputation": {"p_value": 0.1, "slope_50": 0.01, "slope_80": 0.02},
        "universal": {"p_value": 0.04},
    }
    fits = {"toser_honest_relative": {"breakdown": {"estimate": 0.0}}}
    means = pd.DataFrame({"year": [2012, 2021]})
    found = values(toser_facts(rows, means, overlap, left_out, tests, fits))
    assert (found["toser.treated"], found["toser.never"]) == (3, 1)
    assert found["toser.cohorts"] == "1 in 2016, 2 in 2018"
    assert found["toser.left_out.which"] == "2018" and found["toser.left_out.high"] == -0.1
    assert (found["toser.left_region.lowest"], found["toser.left_region.highest"]) == (-0.2, 0.1)
    assert found["toser.overlap.log_population"] == 0.5
    assert found["toser.years"] == "2012-2021"
