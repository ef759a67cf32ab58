import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.synthetic import synthetic_did
from monotowns.run.errors import DesignError
from panels import grid


def panel(effect=0.3, entities=60, treated=(6, 4), seed=0, noise=0.05):
    """Two common factors; the treated load on the second, so that plain differences mislead."""
    rng = np.random.default_rng(seed)
    frame = grid(entities, range(2008, 2020))
    who, year = frame["entity"].to_numpy(), frame["year"].to_numpy()
    cohort = np.zeros(entities, int)
    cohort[: treated[0]], cohort[treated[0] : sum(treated)] = 2014, 2016
    load = rng.uniform(0, 1, entities) + 0.3 * (cohort > 0)
    frame["cohort"] = cohort[who]
    on = (cohort[who] > 0) & (year >= cohort[who])
    frame["y"] = rng.normal(size=entities)[who] + 0.1 * load[who] * (year - 2008) + effect * on
    return frame.assign(y=frame["y"] + noise * rng.normal(size=len(frame)))


def test_planted_effects_are_found_where_trends_differ():
    fit = synthetic_did(panel(), "y", "cohort")
    for term in ("att", "group 2014", "group 2016"):
        assert fit[term]["ci_low"] < 0.3 < fit[term]["ci_high"]
    assert fit["att"]["standard_error"] < 0.05


def test_by_hand_two_years_and_equal_controls():
    # Controls that moved alike: whatever the weights, the effect is 5 - 1 - (3 - 1) = 2.
    rows = [(0, 2016, [1, 1, 5])] + [(i, 0, [i, i, i + 2]) for i in range(1, 6)]
    frame = pd.DataFrame(
        [
            (e, g, year, v)
            for e, g, ys in rows
            for year, v in zip((2014, 2015, 2016), ys, strict=True)
        ],
        columns=["entity", "cohort", "year", "y"],
    )
    assert synthetic_did(frame, "y", "cohort")["att"]["estimate"] == pytest.approx(2, abs=1e-6)


def test_the_mean_and_its_error_are_those_of_leaving_out_entities():
    frame = panel(entities=30, treated=(3, 2))
    fit = synthetic_did(frame, "y", "cohort")
    one, two = (fit[f"group {g}"]["estimate"] for g in (2014, 2016))
    # 3 entities by 6 years and 2 by 4.
    assert fit["att"]["estimate"] == pytest.approx((18 * one + 8 * two) / 26)
    alone = synthetic_did(frame[frame["cohort"].isin([0, 2014])], "y", "cohort")["att"]
    assert alone["estimate"] == pytest.approx(one)
    n, m = 30, 28
    error = fit["group 2014"]["standard_error"]
    # The two entities of the other cohort leave the estimate as it is: n - 1 over n is all.
    assert error == pytest.approx(
        alone["standard_error"] * np.sqrt((n - 1) / n * m / (m - 1)), rel=0.02
    )
    w = np.array([18, 8]) / 26
    assert fit.covariance[0, 0] == pytest.approx(w @ fit.covariance[1:, 1:] @ w)


def test_placebos_hold_their_size_and_find_an_effect():
    p = [
        synthetic_did(panel(e, 25, (2, 0), s), "y", "cohort", placebos=39, seed=s).details[
            "placebo"
        ][2014][1]
        for e in (0.0, 0.5)
        for s in range(20)
    ]
    assert np.mean(np.array(p[:20]) <= 0.05) <= 0.2
    assert np.mean(np.array(p[20:]) <= 0.05) > 0.9


def test_the_jackknife_covers_less_than_it_says_with_few_treated():
    # 95 per cent are said; with eight treated on a factor of their own it is about 85.
    inside = []
    for seed in range(60):
        att = synthetic_did(panel(0.3, 60, (8, 0), seed), "y", "cohort")["att"]
        inside.append(att["ci_low"] < 0.3 < att["ci_high"])
    assert 0.75 < np.mean(inside) < 0.97


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f[f["cohort"] > 0], "no entity is never treated"),
        (lambda f: f[f["year"] > 2012], "too few years before"),
        (lambda f: f[(f["cohort"] != 2016) | (f["year"] != 2010)], "seen in every year"),
        (lambda f: f.assign(y=f["y"].where(f.index != 3)), "missing"),
    ],
)
def test_rows_that_cannot_tell_are_refused(change, words):
    with pytest.raises(DesignError, match=words):
        synthetic_did(change(panel()), "y", "cohort")
