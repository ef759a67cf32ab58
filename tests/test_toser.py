import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.imputation import imputation
from monotowns.run.errors import DesignError
from monotowns.studies import toser


def panel(effect=0.3, seed=0, entities=90, years=range(2012, 2022), drift=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.MultiIndex.from_product([range(entities), years], names=["entity", "year"])
    frame = frame.to_frame(index=False)
    frame["region"] = "r" + (frame["entity"] % 6).astype(str)
    frame["category"] = 1 + frame["entity"] % 2
    frame["cohort"] = frame["entity"].map(lambda e: {0: 2016, 1: 2018}.get(e % 3, 0))
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(0, 0.1, len(frame)) + frame["entity"] / 10 + effect * on
    frame["y"] += drift * (frame["cohort"] > 0) * (frame["year"] - 2012)
    return frame


def test_raw_means_by_hand():
    frame = pd.DataFrame(
        {"entity": [1, 2, 3], "year": 2012, "cohort": [0, 0, 2016], "y": [1.0, 3.0, 5.0]}
    )
    table = toser.cohort_means(frame, "y", "cohort")
    assert table.to_dict("list") == {
        "cohort": [0, 2016],
        "year": [2012, 2012],
        "mean": [2.0, 5.0],
        "entities": [2, 1],
    }


def test_overlap_by_hand():
    frame = pd.DataFrame({"year": 2013, "cohort": [0, 0, 2016, 2017], "y": [0.0, 2.0, 4.0, 6.0]})
    row = toser.overlap(frame, "cohort", ["y"], 2013).iloc[0]
    # Both groups have variance 2, their means are 4 apart.
    assert row["standardised_difference"] == pytest.approx(4 / 2**0.5)
    assert row[["ever", "never", "entities_ever"]].tolist() == [5.0, 1.0, 2]
    with pytest.raises(DesignError, match="empty"):
        toser.overlap(frame, "cohort", ["y"], 2014)


def test_leaving_out_is_the_estimate_on_the_rest():
    frame = panel()
    table = toser.leave_one_out(frame, "y", "cohort", "region")
    assert table["left_out"].tolist() == [f"r{i}" for i in range(6)]
    rest = imputation(frame[frame["region"] != "r2"], "y", "cohort")["att"]
    assert table.loc[2, "estimate"] == pytest.approx(rest["estimate"])
    by_cohort = toser.leave_one_out(frame, "y", "cohort", "cohort")
    assert by_cohort["left_out"].tolist() == [2016, 2018]  # never is not left out


def test_randomization_finds_an_effect_and_no_more():
    found = toser.randomization(panel(), "y", "cohort", "category", 99, 1)
    assert found["att"]["p_value"] == pytest.approx(0.01)
    assert found["att"]["estimate"] == pytest.approx(
        imputation(panel(), "y", "cohort")["att"]["estimate"]
    )
    null = toser.randomization(panel(effect=0.0), "y", "cohort", "category", 99, 1)
    assert null["att"]["p_value"] > 0.05


def test_differing_trends_are_caught_and_the_slope_is_in_reach():
    quiet = toser.pretrends(imputation(panel(), "y", "cohort"), 1)
    loud = toser.pretrends(imputation(panel(drift=0.1), "y", "cohort"), 1)
    assert quiet["p_value"] > 0.05 > loud["p_value"]
    assert 0 < quiet["slope_50"] < quiet["slope_80"] < 0.1
