import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.tables import (
    check_estimated,
    effects,
    effects_print,
    estimates_table,
    samples_table,
)
from monotowns.run.errors import DesignError

RECORD = {
    "specification": "gap_main",
    "group": "headline",
    "estimator": "event_study",
    "term": "2021",
    "estimate": -0.1,
    "standard_error": 0.05,
    "ci_low": -0.2,
    "ci_high": 0.0,
    "p_value": 0.0002,
    "n_obs": 21435,
    "n_clusters": 82,
    "variance": "CRV1(region), fixest",
}
OPEN = {"estimator": "ols", "term": "a_b:c", "ci_low": -np.inf, "ci_high": np.inf}


def test_one_row_a_term_without_other_variances_and_earlier_years():
    further = {"variance": "CRV3(region)"}, {"term": "band", "p_value": np.nan}
    changes = {"term": "2020"}, {}, *further, OPEN | {"specification": "s"}
    table = estimates_table(pd.DataFrame([RECORD | change for change in changes]))
    assert table["term"].tolist() == ["2021", "a b × c"]
    own = table.loc[0, ["interval", "p_value", "n", "variance"]].tolist()
    assert own == ["−0.200 to 0.000", "< 0.001", "21,435", "CRV1(region)"]
    assert table.loc[1, "interval"] == ""


def test_samples_by_hand():
    refused = [f"not estimated: {why}" for why in ("no treated row", "one region")]
    flows = pd.DataFrame({"specification": ["gap_main"] * 4 + ["iv", "ols"]})
    flows["step"] = ["panel", "sample main", "x", "y", *refused]
    flows = flows.assign(rows=[2000, 1500, 1400, 1300, 0, 0], entities=[9, 8, 7, 6, 0, 0])
    table = samples_table(flows)
    assert table.to_numpy().tolist() == [["gap main", "main", "1,500", "1,400", "1,300", "6"]]
    with pytest.raises(DesignError, match=r"2 of them(.|\n)*iv: no treated row\n *ols: one region"):
        check_estimated(flows)
    check_estimated(flows[:4])


ROW = {
    "row": "A1",
    "effect": "nearness",
    "comparison": "others",
    "cells": {"near": "x", "one": "z"},
}
CELL = {"group": "headline", "n_obs": 1000, "n_entities": 90, "n_clusters": 31}


def cell(name, outcome, term, p_value, variance="CRV1(region), fixest", **changed):
    parts = {"specification": name, "outcome": outcome, "term": term, "p_value": p_value}
    return CELL | parts | {"estimate": 0.1, "standard_error": 0.05, "variance": variance} | changed


def test_a_row_of_effects_has_every_outcome_and_one_family():
    records = pd.DataFrame(
        [
            cell("near_wage", "wage", "x", 0.01),
            cell("near_wage", "wage", "x", 0.03, "wild cluster bootstrap (region), Webb"),
            cell("near_jobs", "jobs", "x", 0.02),
            cell("near_jobs", "jobs", "control", 0.0001),
            cell("nearness_jobs", "jobs", "x", 0.0001),
            cell("one", "income", "z", 0.5),
        ]
    )
    table = effects(records, {"rows": [ROW]})
    assert table["specification"].tolist() == ["near_wage", "near_jobs", "one"]
    assert table["p_value"].tolist() == [0.03, 0.02, 0.5]
    assert table["p_by"].tolist() == ["wild", "crv1", "crv1"]
    # Holm: .02 times three, .03 times two but no less, .5 once.
    assert table["p_family"].tolist() == pytest.approx([0.06, 0.06, 0.5])
    # Two-sided 5 per cent and power 80 per cent with 30 degrees of freedom: 2.042 + .854.
    assert table["detectable"].tolist() == pytest.approx([0.05 * 2.896] * 3, rel=1e-3)
    within = ROW | {"cells": {"near{outcome}": "x"}}
    inside = pd.DataFrame([cell("near_jobs", "_jobs", "x", 0.2)])
    assert effects(inside, {"rows": [within]})["outcome"].tolist() == ["_jobs"]
    printed = effects_print(table, {"wage": "the wage", "one": "the other income"})
    assert printed["outcome"].tolist() == ["the wage", "jobs", "the other income"]
    assert printed["row"].tolist() == ["A1", "", ""]
    assert printed.loc[0, "estimate"] == "0.100 (0.050)"
    with pytest.raises(DesignError, match="row A1: no result of its specifications"):
        effects(records, {"rows": [ROW | {"cells": {"far": "x"}}]})


def test_a_joint_test_of_the_design_goes_before_holm():
    joint = "Romano-Wolf (2 outcomes), permutation of shocks, 99 draws"
    records = [cell("near_wage", "wage", "x", 0.04), cell("near_wage", "wage", "x", 0.05, joint)]
    table = effects(pd.DataFrame(records), {"rows": [ROW]})
    assert table[["p_value", "p_family"]].to_numpy().tolist() == [[0.04, 0.05]]
