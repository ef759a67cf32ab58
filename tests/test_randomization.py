from itertools import permutations

import numpy as np
import pytest
from monotowns.estimate.imputation import imputation
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.run.errors import DesignError
from panels import grid


def panel(seed=0, entities=60, effect=0.0, missing=0.1, years=range(2012, 2022)):
    rng = np.random.default_rng(seed)
    frame = grid(entities, years)
    frame["cohort"] = rng.choice([0, 0, 2016, 2018, 2020], entities)[frame["entity"]]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(size=entities)[frame["entity"]] + effect * on
    frame["y"] += 0.1 * rng.normal(size=len(frame))
    # Years before the first cohort stay, so that every entity is seen untreated.
    gone = (rng.random(len(frame)) < missing) & (frame["year"] > 2014)
    return frame[~gone].sample(frac=1, random_state=seed)


def statistic_of(frame):
    return imputation_statistic(frame["y"], frame["entity"], frame["year"])


def adopted(frame):
    return frame.drop_duplicates("entity").sort_values("entity")["cohort"].to_numpy()


@pytest.mark.parametrize("seed", range(3))
def test_the_statistic_is_the_estimate_of_imputation_on_unbalanced_panels(seed):
    frame = panel(seed, effect=0.3)
    expected = imputation(frame, "y", "cohort")["att"]["estimate"]
    assert statistic_of(frame)(adopted(frame)) == pytest.approx(expected, abs=1e-10)


def test_what_cannot_be_imputed_does_not_count():
    # Entity 1 is treated throughout; only entity 2 shows an effect: 3 - 1 = 2.
    y, entity, year = [1.0, 2.0, 9.0, 9.0, 1.0, 4.0], [0, 0, 1, 1, 2, 2], [1, 2] * 3
    statistic = imputation_statistic(y, entity, year)
    assert statistic(np.array([0, 1, 2])) == pytest.approx(2.0)
    assert np.isnan(statistic(np.zeros(3)))


def test_draws_are_permutations_within_strata():
    rng = np.random.default_rng(0)
    cohort, strata = rng.choice([0, 2014, 2016, 2018], 30), rng.integers(0, 3, 30)
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
    statistic = statistic_of(panel(3, entities=6, missing=0, years=range(2012, 2016)))
    cohort = np.array([2014, 2014, 0, 0, 0, 0])
    every = np.array([statistic(np.array(c)) for c in sorted(set(permutations(cohort)))])
    share = np.mean(np.abs(every) >= abs(statistic(cohort)) * (1 - 1e-9))
    found = randomization_test(statistic, cohort, [0] * 6, draws=3999, seed=1)
    assert len(every) == 15
    error = 4 * np.sqrt(share * (1 - share) / 3999)
    assert found.p_value == pytest.approx(share, abs=error)
    assert set(np.round(found.draws, 9)) == set(np.round(every, 9))


def test_observed_draw_counts_and_ties_are_as_extreme():
    found = randomization_test(lambda c: 2.0, [0, 1], [0, 0], draws=9)
    assert (found.statistic, found.p_value) == (2.0, 1.0)
    order = iter([3.0, 1.0, -3.0, 2.0, 4.0])
    assert randomization_test(lambda c: next(order), [0, 1], [0, 0], draws=4).p_value == 3 / 5


@pytest.mark.parametrize(("seed", "scale", "shift"), [(0, 0.01, 50.0), (1, 100.0, -3.0)])
def test_levels_trends_units_and_order_do_not_matter(seed, scale, shift):
    frame = panel(seed, effect=0.1)
    cohort, strata = adopted(frame), np.arange(60) % 3
    first = randomization_test(statistic_of(frame), cohort, strata, 49, seed)
    y = scale * frame["y"] + shift * np.cos(frame["entity"]) + shift * frame["year"]
    # Names in the same order are the same entities and strata.
    mixed = frame.assign(y=y, entity=7 * frame["entity"] + 3).sample(frac=1, random_state=seed)
    names = [f"s{s}" for s in strata]
    again = randomization_test(statistic_of(mixed), cohort, names, 49, seed)
    np.testing.assert_allclose(again.draws, scale * first.draws, rtol=1e-6, atol=1e-7 * scale)
    assert again.p_value == first.p_value


def test_what_cannot_be_permuted_is_refused():
    cohort = np.array([0, 2014, 2016])
    with pytest.raises(DesignError, match="do not vary within any stratum"):
        randomization_test(sum, cohort, cohort)
    with pytest.raises(DesignError, match="cohort is not finite\n  at: 1"):
        randomization_test(sum, [0, np.nan, 1], [0, 0, 0])
    with pytest.raises(DesignError, match="different length"):
        randomization_test(sum, cohort, [0, 0])
    with pytest.raises(DesignError, match="statistic is not finite"):
        randomization_test(lambda c: np.nan, cohort, [0, 0, 0], 9)


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
        statistic = imputation_statistic(y, entity, year)
        test = randomization_test(statistic, cohort, strata, 99, rng.integers(2**32))
        p_values.append(test.p_value)
    # P(p <= a) = a; four standard errors of 1,000 draws.
    for level in (0.05, 0.1, 0.5):
        error = 4 * np.sqrt(level * (1 - level) / 1000)
        assert np.mean(np.array(p_values) <= level + 1e-9) == pytest.approx(level, abs=error)
