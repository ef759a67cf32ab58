import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.imputation import imputation
from monotowns.estimate.record import RECORD
from monotowns.run.errors import DesignError
from monotowns.studies import toser
from panels import grid


def panel(effect=0.3, seed=0, entities=90, drift=0.0):
    rng = np.random.default_rng(seed)
    frame = grid(entities, range(2012, 2022))
    who = frame["entity"].to_numpy()
    frame["region"] = "r" + (frame["entity"] % 6).astype(str)
    frame["category"] = 1 + who % 2
    frame["cohort"] = np.array([2016, 2018, 0])[who % 3]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(0, 0.1, len(frame)) + who / 10 + effect * frame["category"] * on
    frame["y"] += drift * (frame["cohort"] > 0) * (frame["year"] - 2012)
    return frame


RULE = {"path": [2012, 2015], "level": 2013, "pass": 0.05, "placebos": 19, "jumps": [0]}
DRAWS = {"permutation": 99, "cohorts": 99}


def whole(**options):
    """A panel with all that the study reads; a third of the entities is never treated."""
    frame = panel(entities=120, **options)
    rng, who = np.random.default_rng(1), frame["entity"].to_numpy()
    frame = frame.rename(columns={"y": toser.OUTCOME, "cohort": toser.COHORT})
    for column in ("log_population", "transfer_share", "log_mp_inverse", "manufacturing_base"):
        frame[column] = rng.normal(size=120)[who]
    # Each never treated entity lies 20, 70 or 330 km north of one of 2018.
    north = np.array([0.2, 0.65, 3, 3])[who // 3 % 4]
    lat = np.select([who % 3 == 0, who % 3 == 1], [50, 53], 53 + north)
    return frame.assign(lat=lat, lon=30 + 3 * (who // 3), monotown=1, income_spike=0)


def test_the_study_gives_every_record_fact_and_table():
    records, facts, tables = toser.study(whole(), RULE, DRAWS, 1, [0, 50, 100])
    assert list(records) == RECORD
    assert records["specification"].nunique() == 17
    by = records.set_index(["specification", "term"])
    for name in (f"toser_cohort_{toser.OUTCOME}", f"toser_cohort_imputation_{toser.OUTCOME}"):
        for term in ("cohort 2016", "cohort 2018", "pooled"):
            assert by.loc[(name, term), "estimate"] == pytest.approx(0.45, abs=0.1)
    assert by.loc[("toser_categories", "category 2"), "estimate"] == pytest.approx(0.6, abs=0.05)
    placebo = by.loc[("toser_placebo", "att")]
    assert placebo["ci_low"] < 0 < placebo["ci_high"]
    assert by.loc[("toser_honest_relative", "breakdown"), "estimate"] > 0.1
    assert set(records.loc[records["sample"] == "all entities", "specification"]) == {
        "toser_spillover"
    }
    headline = records.loc[records["group"] == "headline", "specification"]
    assert set(headline) == {f"toser_cohort_{toser.OUTCOME}"}
    assert facts["toser.cohorts"] == ["40 in 2016, 40 in 2018", "text"]
    assert facts[f"toser.pool.{toser.OUTCOME}"] == ["2016, 2018", "text"]
    assert facts["toser.never"][0] == 40
    n = records.drop_duplicates("specification").set_index("specification")["n_entities"]
    assert n["toser_cohort_jumps"] == n["toser_cohort_steady"] - 1
    assert facts["toser.years"][0] == "2012-2021"
    assert facts["toser.pretrend.p"][0] > 0.01
    # Only the cohort of 2016 reaches the fourth year after the status.
    assert facts["toser.event4.cohorts"] == ["2016", "text"]
    assert facts["toser.event4.2016"][0] == pytest.approx(facts["toser.event4.all"][0], abs=0.01)
    assert {f"toser.overlap.{c}" for c in toser.COMPARED} <= set(facts)
    assert set(tables) == {"cohorts", "means", "overlap", "left_out"}


def test_a_cohort_that_fell_before_its_status_is_named_and_in_no_mean():
    frame = whole(effect=0.0)
    fell = (frame[toser.COHORT] == 2016) & (frame["year"].isin([2014, 2015]))
    frame[toser.OUTCOME] -= 0.15 * fell
    records, facts, tables = toser.study(frame, RULE, DRAWS, 1, [0, 50, 100])
    assert facts[f"toser.pool.{toser.OUTCOME}"][0] == "2018"
    assert facts[f"toser.apart.{toser.OUTCOME}"][0] == "2016"
    assert facts[f"toser.fall.{toser.OUTCOME}.2016"][0] == pytest.approx(-0.15, abs=0.1)
    assert facts[f"toser.fall_years.{toser.OUTCOME}.2016"][0].endswith("to 2015")
    table = tables["cohorts"].set_index(["method", "cohort"])
    assert table.loc[("path", "2016"), ["passes", "entities"]].tolist() == [0, 40]
    assert table.loc[("path", "pooled"), "entities"] == 40
    # What comes back after the fall is no effect of the pool; honest intervals see the pool alone.
    pooled = records.set_index(["specification", "term"]).loc[("toser_conditional", "att")]
    assert pooled["ci_low"] < 0 < pooled["ci_high"]
    assert pooled["n_entities"] == 80


def test_without_a_passing_cohort_nothing_is_pooled():
    with pytest.raises(DesignError, match="no cohort's path before the status passes"):
        toser.study(whole(drift=0.1), RULE, DRAWS, 1, [0, 50, 100])


def test_raw_means_by_hand():
    frame = pd.DataFrame(
        {"entity": [1, 2, 3], "year": 2012, "cohort": [0, 0, 2016], "y": [1.0, 3.0, 5.0]}
    )
    assert toser.cohort_means(frame, "y", "cohort").to_dict("list") == {
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


def test_randomization_finds_an_effect_and_no_more():
    found = toser.randomization(panel(), "y", "cohort", "category", 99, 1)["att"]
    assert found["p_value"] == pytest.approx(0.01)
    assert found["estimate"] == pytest.approx(imputation(panel(), "y", "cohort")["att"]["estimate"])
    null = toser.randomization(panel(effect=0.0), "y", "cohort", "category", 99, 1)
    assert null["att"]["p_value"] > 0.05


def test_differing_trends_are_caught_and_the_slope_is_in_reach():
    fits = [imputation(panel(drift=drift), "y", "cohort") for drift in (0.0, 0.1)]
    quiet, loud = (toser.pretrend_facts(fit, fit) for fit in fits)
    assert quiet["toser.pretrend.p"][0] > 0.05 > loud["toser.pretrend.p"][0]
    slopes = [quiet[f"toser.pretrend.slope_{power}"][0] for power in (50, 80)]
    assert 0 < slopes[0] < slopes[1] < 0.1


def test_dates_moved_back_find_nothing_though_the_effect_is_large():
    moved = toser.moved_back(panel(), "cohort", 2)
    assert set(moved["cohort"]) == {0, 2014, 2016}
    assert (moved["year"] < moved["cohort"] + 2)[moved["cohort"] > 0].all()
    att = imputation(moved, "y", "cohort")["att"]
    assert att["ci_low"] < 0 < att["ci_high"]


def test_given_the_group_a_trend_of_the_groups_is_no_effect():
    # Group 1 grows and gets the status more often: only the conditional estimate sees through.
    frame = panel(0.0, entities=400)
    rare = (frame["category"] > 1) & (frame["entity"] // 2 % 3 > 0)
    frame["cohort"] = frame["cohort"].where(~rare, 0)
    frame["y"] += 0.1 * (frame["category"] == 1) * (frame["year"] - 2012)
    att = toser.conditional(frame, "y", "cohort", "category", 2013, 0)["att"]
    assert att["ci_low"] < 0 < att["ci_high"]
    assert att["standard_error"] < 0.03
    assert imputation(frame, "y", "cohort")["att"]["ci_low"] > 0.05


def test_neighbours_of_holders_that_are_not_in_the_sample_are_left_out():
    # On the equator a degree is 111 km: 1 is near the undated 0, 2 is not; 3 lacks a place.
    frame = pd.DataFrame(
        {
            "entity": np.repeat(range(6), 2),
            "year": [2014, 2016] * 6,
            "lat": 0.0,
            "lon": np.repeat([0, 0.5, 2, np.nan, 9, 9.2], 2),
            "cohort": np.repeat([np.nan, 0, 0, 0, 2016, 0], 2),
        }
    )
    frame = frame[(frame["entity"] != 5) | (frame["year"] == 2016)]
    kept = toser.away_from_unknown(frame, frame[frame["cohort"].notna()], "cohort", 100)
    assert sorted(kept["entity"].unique()) == [2, 4]
