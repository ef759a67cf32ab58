import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monotowns.estimate.multiple import q_values, romano_wolf
from monotowns.run.errors import DesignError

p_arrays = arrays(float, st.integers(1, 12), elements=st.floats(0, 1))


def test_romano_wolf_worked_by_hand():
    # Order: 3.0, -2.5, 1.0. Largest of all: 3.1 2.9 1 2.6 -> 1 above 3; without the first:
    # 2.0 2.9 1 .5 -> 1 above 2.5; the last alone: .5 2.9 .2 .1 -> 1 above 1.
    draws = [[2.0, 0.5, 3.1], [1.0, -2.9, 0.0], [1.0, 0.2, 0.3], [0.5, 0.1, -2.6]]
    found = romano_wolf([-2.5, 1.0, 3.0], draws)
    np.testing.assert_allclose(found, [2 / 5, 2 / 5, 2 / 5])
    # With the second draw's 2.9 gone only the first step has a larger draw; the rest are raised.
    draws[1][1] = 0.9
    np.testing.assert_allclose(romano_wolf([-2.5, 1.0, 3.0], draws), [2 / 5, 2 / 5, 2 / 5])
    draws[0][2] = 0.0
    np.testing.assert_allclose(romano_wolf([-2.5, 1.0, 3.0], draws), [1 / 5, 1 / 5, 1 / 5])


def test_romano_wolf_against_pyfixest():
    from pyfixest.estimation.post_estimation.multcomp import _get_rwolf_pval

    rng = np.random.default_rng(0)
    draws = rng.normal(size=(499, 8)) + rng.normal(size=(499, 1))
    for _ in range(20):
        statistics = rng.normal(size=8) * 2
        peer = _get_rwolf_pval(statistics, draws)
        np.testing.assert_allclose(romano_wolf(statistics, draws), peer, atol=1e-12)


def test_romano_wolf_of_one_and_of_copies_is_the_plain_p_value():
    draws = np.random.default_rng(1).normal(size=(999, 1))
    plain = (np.sum(np.abs(draws) >= 1.7) + 1) / 1000
    assert romano_wolf([1.7], draws)[0] == plain
    np.testing.assert_array_equal(romano_wolf([1.7] * 4, np.repeat(draws, 4, axis=1)), [plain] * 4)


@settings(max_examples=50, deadline=None)
@given(p=p_arrays)
def test_benjamini_hochberg_against_statsmodels(p):
    from statsmodels.stats.multitest import multipletests

    np.testing.assert_allclose(q_values(p), multipletests(p, method="fdr_bh")[1], atol=1e-12)


def test_sharpened_values_worked_by_hand():
    # m = 4; Benjamini-Hochberg values .004, .02, .04, .8. From a rate of .004 stage one rejects
    # one: stage two needs 3/4 of a value, so it takes the first at once and the second at .015.
    # From .02 it rejects two and needs 2/4: the third at .02. From .04 three, 1/4: the last at .2.
    p = np.array([0.001, 0.01, 0.03, 0.8])
    rates = np.array([0.004, 0.015, 0.02, 0.2])
    np.testing.assert_allclose(q_values(p, "sharpened"), rates / (1 - rates))


def by_grid(p, step=1e-3):
    """Anderson's own way: the two stages at every rate of a grid, from one downwards."""
    m, order = len(p), np.argsort(p)
    rank, found = np.empty(m), np.ones(m)
    rank[order] = np.arange(1, m + 1)
    for q in np.arange(1.0, 0.0, -step):
        first = q / (1 + q)
        rejected = rank[p <= first * rank / m].max(initial=0)
        second = first * m / (m - rejected) if rejected < m else np.inf
        with np.errstate(invalid="ignore"):
            last = rank[p <= second * rank / m].max(initial=0)
        found[rank <= last] = q
    return found


@settings(max_examples=40, deadline=None)
@given(p=arrays(float, st.integers(1, 9), elements=st.floats(0.001, 1), unique=True))
def test_sharpened_values_against_a_grid_of_rates(p):
    exact, grid = q_values(p, "sharpened"), by_grid(p)
    assert (grid >= exact - 1e-9).all()
    assert (grid <= exact + 1e-3 + 1e-9).all()


def test_sharpened_rejections_against_statsmodels():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(2)
    for _ in range(50):
        p = rng.beta(0.4, 2, size=10)
        found = q_values(p, "sharpened")
        for rate in (0.05, 0.1, 0.3):
            peer = multipletests(p, rate, method="fdr_tsbky")[0]
            np.testing.assert_array_equal(found <= rate, peer)


@settings(max_examples=30, deadline=None)
@given(p=p_arrays, seed=st.integers(0, 99))
def test_q_values_keep_the_order_of_p_values(p, seed):
    order = np.random.default_rng(seed).permutation(len(p))
    for method in ("bh", "sharpened"):
        found = q_values(p, method)
        np.testing.assert_array_equal(q_values(p[order], method), found[order])
        assert (np.diff(found[np.argsort(p)]) >= 0).all()


def test_what_is_refused():
    with pytest.raises(DesignError, match="not within 0 and 1\n  at: 1, 2"):
        q_values([0.5, np.nan, 1.2])
    with pytest.raises(DesignError, match="unknown method"):
        q_values([0.5], "storey")
    with pytest.raises(DesignError, match="do not fit"):
        romano_wolf([1.0, 2.0], np.zeros((9, 3)))
    with pytest.raises(DesignError, match="NaN\n  at: 1"):
        romano_wolf([1.0, 2.0], [[0.0, np.nan]])


@pytest.mark.montecarlo
def test_family_wise_error_and_false_discovery_rate():
    rng = np.random.default_rng(9)
    errors, discoveries = 0, []
    for _ in range(1000):
        # Ten correlated nulls; their joint law under the null is simulated.
        draws = rng.normal(size=(200, 10)) + rng.normal(size=(200, 1))
        statistics = draws[0]
        errors += (romano_wolf(statistics, draws[1:]) <= 0.05).any()
        p = np.r_[rng.random(15), rng.random(5) * 1e-3]
        rejected = q_values(p, "sharpened") <= 0.1
        discoveries.append(rejected[:15].sum() / max(rejected.sum(), 1))
    assert 0.03 <= errors / 1000 <= 0.07
    assert np.mean(discoveries) <= 0.1
