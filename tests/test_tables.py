import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.tables import check_estimated, estimates_table, samples_table
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
