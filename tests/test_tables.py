import numpy as np
import pandas as pd
from monotowns.manuscript.tables import estimates_table, samples_table


def record(**change):
    row = {
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
    return row | change


def test_one_row_a_term_without_other_variances_and_earlier_years():
    records = pd.DataFrame(
        [
            record(term="2020"),
            record(),
            record(variance="CRV3(region)"),
            record(term="band", p_value=np.nan),
            record(
                specification="s", estimator="ols", term="a_b:c", ci_low=-np.inf, ci_high=np.inf
            ),
        ]
    )
    table = estimates_table(records)
    assert table["term"].tolist() == ["2021", "a b × c"]
    assert table.loc[0, ["interval", "p_value", "n"]].tolist() == [
        "−0.200 to 0.000",
        "< 0.001",
        "21,435",
    ]
    assert table.loc[1, "interval"] == ""


def test_samples_by_hand():
    flows = pd.DataFrame(
        {
            "specification": "gap_main",
            "step": ["panel", "sample main", "x", "y"],
            "rows": [2000, 1500, 1400, 1300],
            "entities": [9, 8, 7, 6],
        }
    )
    assert samples_table(flows).iloc[0].tolist() == [
        "gap main",
        "main",
        "1,500",
        "1,400",
        "1,300",
        "6",
    ]
