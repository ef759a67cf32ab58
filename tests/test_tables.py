import numpy as np
import pandas as pd
from monotowns.manuscript.tables import estimates_table, not_estimated, samples_table

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
    names = ["gap_main"] * 4 + ["iv"] * 2
    flows = pd.DataFrame({"specification": names, "rows": [2000, 1500, 1400, 1300, 9, 0]})
    flows["step"] = ["panel", "sample main", "x", "y", "panel", "not estimated: no treated row"]
    flows["entities"] = [9, 8, 7, 6, 5, 0]
    table = samples_table(flows)
    assert table.to_numpy().tolist() == [["gap main", "main", "1,500", "1,400", "1,300", "6"]]
    assert not_estimated(flows) == {"iv": "no treated row"}
