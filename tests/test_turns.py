import pandas as pd
import pytest
from monotowns.measures.classification import Step
from monotowns.studies.turns import stage_fits


def test_records_by_hand():
    table = pd.DataFrame({"region": ["A", "A", "B"], "year": [2015, 2016, 2016]})
    step = Step(-0.09, 0.02, pd.Series([0.01, -0.1, 0.05]), 2016, "log")
    grid = pd.DataFrame(
        [
            (3, 1.0, 10, 6.0, 3, 9, 0.04, "adjusted", "years in one order for all"),
            (3, 1.0, 7, 6.5, 3, 9, 0.5, "published", "each region apart"),
        ],
        columns=["k", "threshold", "turned", "expected", "low", "high", "p_value", "share", "null"],
    )
    fits = stage_fits(table, step, grid)
    # One of three other years moved more: rank 2 of 4.
    assert fits["step"][0]["step 2016"]["p_value"] == pytest.approx(0.5)
    fit, group = fits["turns_adjusted_together"]
    row = fit["k 3 threshold 1"]
    assert row[["estimate", "ci_low", "ci_high", "p_value"]].tolist() == [4.0, 1.0, 7.0, 0.04]
    assert group == "headline"
    assert fits["turns_published_apart"][1] == "robustness"
