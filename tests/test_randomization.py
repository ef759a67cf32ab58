from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.randomization import randomization_test, twoway_statistic
from monotowns.run.errors import DesignError

#: Ours and the oracle differ by rounding alone.
ROUNDING = 1e-9


def panel(seed=0, entities=30, years=8, missing=0.2):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), range(2012, 2012 + years)])
    frame = index.to_frame(index=False, name=["entity", "year"])
    frame["y"] = rng.normal(size=len(frame)) + rng.normal(size=entities)[frame["entity"]]
    frame = frame[rng.random(len(frame)) >= missing].reset_index(drop=True)
    cohort = rng.choice([0, 2014, 2016, 2018], entities)
    return frame, cohort, rng.integers(0, 3, entities)


def by_dummies(frame, cohort):
    start = cohort[frame["entity"]]
    d = ((start > 0) & (frame["year"] >= start)).to_numpy(float)
    W = np.c_[d, pd.get_dummies(frame["entity"]), pd.get_dummies(frame["year"])].astype(float)
    return np.linalg.lstsq(W, frame["y"], rcond=None)[0][0]


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_coefficient_is_that_of_a_regression_on_dummies(missing):
    frame, cohort, _ = panel(missing=missing)
    coefficient = twoway_statistic(frame["y"], frame["entity"], frame["year"])
    # Adopted before the panel, after it, never, and in years between.
    for other in (
        cohort,
        np.roll(cohort, 3),
        np.where(cohort == 2014, 2010, cohort),
        np.where(cohort == 2014, 2030, cohort),
    ):
        assert coefficient(other) == pytest.approx(by_dummies(frame, other), abs=ROUNDING)


def test_draws_are_permutations_within_strata():
    _, cohort, strata = panel()
    seen = []
    randomization_test(lambda c: seen.append(c.copy()) or float(len(seen)), cohort, strata, 50)
    seen = np.array(seen)
    np.testing.assert_array_equal(seen[0], cohort)
    assert len(np.unique(seen, axis=0)) == 51
    for stratum in range(3):
        inside = np.sort(seen[:, strata == stratum], axis=1)
        assert (inside == inside[0]).all()


def test_p_value_approaches_the_share_of_all_assignments():
    # Six entities, two adopt: fifteen assignments, counted one by one.
    frame, _, _ = panel(seed=3, entities=6, years=4, missing=0.0)
    cohort = np.array([2014, 2014, 0, 0, 0, 0])
    coefficient = twoway_statistic(frame["y"], frame["entity"], frame["year"])
    every = np.array([coefficient(np.array(c)) for c in sorted(set(permutations(cohort)))])
    share = np.mean(np.abs(every) >= abs(coefficient(cohort)) * (1 - 1e-9))
    found = randomization_test(coefficient, cohort, draws=3999, seed=1)
    assert len(every) == 15
    error = 4 * np.sqrt(share * (1 - share) / 3999)
    assert found.p_value == pytest.approx(share, abs=error)
    assert set(np.round(found.draws, 9)) == set(np.round(every, 9))


def test_observed_draw_counts_and_ties_are_as_extreme():
    found = randomization_test(lambda c: 2.0, [0, 1], draws=9)
    assert (found.statistic, found.p_value) == (2.0, 1.0)
    order = iter([3.0, 1.0, -3.0, 2.0, 4.0])
    assert randomization_test(lambda c: next(order), [0, 1], draws=4).p_value == (2 + 1) / 5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_invariances(seed, scale, shift):
    frame, cohort, strata = panel(seed)
    first = randomization_test(
        twoway_statistic(frame["y"], frame["entity"], frame["year"]), cohort, strata, 49, seed
    )
    y = scale * frame["y"] + shift * np.cos(frame["entity"]) + shift * frame["year"]
    mixed = frame.assign(y=y).sample(frac=1, random_state=seed)
    # Names in the same order are the same entities and strata.
    again = randomization_test(
        twoway_statistic(mixed["y"], 7 * mixed["entity"] + 3, mixed["year"]),
        cohort,
        [f"s{s}" for s in strata],
        49,
        seed,
    )
    np.testing.assert_allclose(again.draws, scale * first.draws, rtol=1e-6, atol=1e-7 * scale)
    assert again.p_value == first.p_value


def test_what_cannot_be_permuted_is_refused():
    frame, cohort, strata = panel()
    with pytest.raises(DesignError, match="do not vary within any stratum"):
        randomization_test(sum, cohort, cohort)
    with pytest.raises(DesignError, match="cohort is not finite\n  at: 1"):
        randomization_test(sum, [0, np.nan, 1])
    with pytest.raises(DesignError, match="different length"):
        randomization_test(sum, cohort, strata[1:])
    with pytest.raises(DesignError, match="statistic is not finite"):
        randomization_test(lambda c: np.nan, cohort, strata, 9)
    twice = pd.concat([frame, frame[4:5]])
    with pytest.raises(DesignError, match=f"twice in a period\n  at: {len(frame)}"):
        twoway_statistic(twice["y"], twice["entity"], twice["year"])
    coefficient = twoway_statistic(frame["y"], frame["entity"], frame["year"])
    with pytest.raises(DesignError, match="one adoption year an entity"):
        coefficient(cohort[1:])
    assert np.isnan(coefficient(0 * cohort))
    assert np.isnan(coefficient(0 * cohort + 2014))


@pytest.mark.montecarlo
def test_exactness_under_the_sharp_null():
    # Heavy tails, 24 entities, adoption tied to strata with different trends: still exact.
    rng = np.random.default_rng(4)
    strata, years = np.repeat([0, 1], 12), np.arange(2012, 2019)
    entity, year = np.repeat(np.arange(24), 7), np.tile(years, 24)
    p_values = []
    for _ in range(1000):
        many, few = [2014] * 9 + [0] * 3, [2016] * 2 + [0] * 10
        cohort = np.r_[rng.permutation(many), rng.permutation(few)]
        y = rng.standard_t(2, len(year)) + strata[entity] * (year - 2012) / 2
        coefficient = twoway_statistic(y, entity, year)
        p_values.append(
            randomization_test(coefficient, cohort, strata, 99, rng.integers(2**32)).p_value
        )
    p_values = np.array(p_values)
    # P(p <= a) = a; four standard errors of 1,000 draws.
    for level in (0.05, 0.1, 0.5):
        error = 4 * np.sqrt(level * (1 - level) / 1000)
        assert np.mean(p_values <= level + 1e-9) == pytest.approx(level, abs=error)
    assert 0.03 <= np.mean(p_values <= 0.05 + 1e-9) <= 0.07
