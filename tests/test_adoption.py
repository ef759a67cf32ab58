import numpy as np
import pandas as pd
import pytest
from monotowns.studies.adoption import away_from_unknown, conditional, in_turn, moved_back


def panel(seed=0, entities=120, effect=0.3, noise=0.02):
    rng = np.random.default_rng(seed)
    frame = pd.MultiIndex.from_product([range(entities), range(2012, 2022)]).to_frame(
        index=False, name=["entity", "year"]
    )
    who = frame["entity"].to_numpy()
    frame["cohort"] = rng.permutation(np.resize([0, 0, 2016, 2018], entities))[who]
    frame["category"] = rng.integers(1, 4, entities)[who]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(size=entities)[who] + effect * frame["category"] * on
    return frame.assign(y=frame["y"] + noise * rng.normal(size=len(frame)))


def test_dates_moved_back_find_nothing_though_the_effect_is_large():
    moved = moved_back(panel(), "cohort", 2)
    assert set(moved["cohort"]) == {0, 2014, 2016}
    assert (moved["year"] < moved["cohort"] + 2)[moved["cohort"] > 0].all()
    fit = in_turn({"placebo": moved}, "y", "cohort")
    assert fit["placebo"]["ci_low"] < 0 < fit["placebo"]["ci_high"]


def test_effects_by_group_are_found_one_by_one():
    frame = panel()
    parts = {f"category {g}": part for g, part in frame.groupby("category")}
    fit = in_turn(parts, "y", "cohort")
    assert fit.terms["estimate"].tolist() == pytest.approx([0.3, 0.6, 0.9], abs=0.03)
    assert (fit.n_obs, fit.n_entities) == (len(frame), 120)


def test_given_the_group_a_trend_of_the_groups_is_no_effect():
    # Group 1 grows and gets the status more often: only the conditional estimate sees through.
    frame = panel(1, entities=400, effect=0.0)
    frame["cohort"] = np.where(
        (frame["category"] > 1) & (frame["entity"] % 3 > 0), 0, frame["cohort"]
    )
    frame["y"] += 0.1 * (frame["category"] == 1) * (frame["year"] - 2012)
    att = conditional(frame, "y", "cohort", "category", 2013, 0)["att"]
    assert att["ci_low"] < 0 < att["ci_high"]
    assert att["standard_error"] < 0.02
    plain = in_turn({"all": frame}, "y", "cohort")["all"]
    assert plain["ci_low"] > 0.05


def test_neighbours_of_holders_that_are_not_in_the_sample_are_left_out():
    # On the equator a degree is 111 km: 1 is near the undated 0, 2 is not; 3 lacks a place.
    years = [2014, 2016]
    frame = pd.DataFrame(
        {
            "entity": np.repeat(range(6), 2),
            "year": years * 6,
            "lat": 0.0,
            "lon": np.repeat([0, 0.5, 2, np.nan, 9, 9.2], 2),
            "cohort": np.repeat([np.nan, 0, 0, 0, 2016, 0], 2),
        }
    )
    frame = frame[(frame["entity"] != 5) | (frame["year"] == 2016)]
    kept = away_from_unknown(frame, frame[frame["cohort"].notna()], "cohort", 100)
    assert sorted(kept["entity"].unique()) == [2, 4]
