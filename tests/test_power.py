import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.power import (
    bias_after_pretest,
    detectable_slope,
    minimum_detectable_effect,
    power_of_test,
    pretest_power,
)
from monotowns.run.errors import DesignError
from scipy import stats


def test_multipliers_of_bloom():
    assert minimum_detectable_effect() == pytest.approx(2.8016, abs=5e-5)
    # A one-sided test of 5 per cent, as in Bloom (1995): 1.645 + .842.
    assert minimum_detectable_effect(level=0.10) == pytest.approx(2.487, abs=1e-3)
    # 82 degrees of freedom: 1.98932 + .84602 of printed t tables.
    assert minimum_detectable_effect(df=82) == pytest.approx(2.8353, abs=1e-4)
    np.testing.assert_allclose(minimum_detectable_effect([0.1, 0.2]), [0.28016, 0.56032], atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 0.99), st.floats(0.001, 0.2), st.sampled_from([np.inf, 8.0, 82.0]))
def test_the_detectable_effect_has_its_power(power, level, df):
    effect = minimum_detectable_effect(0.3, power, level, df)
    # The other tail is on top, and adding central quantiles is close to the noncentral t only.
    far = stats.t.cdf(-2 * stats.t.ppf(1 - level / 2, df) - stats.t.ppf(power, df), df)
    room = 1e-9 if np.isinf(df) else 1 / df
    assert power_of_test(effect, 0.3, level, df) == pytest.approx(power + far, abs=room + 1e-9)


def test_power_by_simulation_and_its_limits():
    rng = np.random.default_rng(7)
    effect, df, draws = 1.5, 6, 200_000
    t = (effect + rng.normal(size=draws)) / np.sqrt(rng.chisquare(df, draws) / df)
    rejected = (np.abs(t) > stats.t.ppf(0.975, df)).mean()
    assert power_of_test(effect, 1.0, df=df) == pytest.approx(rejected, abs=0.005)
    assert power_of_test(0.0, 1.0) == pytest.approx(0.05)
    assert power_of_test(0.0, 1.0, level=0.01, df=5) == pytest.approx(0.01)
    assert power_of_test(-1.5, 1.0, df=6) == power_of_test(1.5, 1.0, df=6)
    assert (np.diff(power_of_test(np.linspace(0, 5, 30), 1.0)) > 0).all()


def test_one_period_is_the_test_of_one_coefficient():
    variance = np.array([[0.04]])
    for test in ("individual", "joint"):
        assert pretest_power([0.3], variance, test) == pytest.approx(power_of_test(0.3, 0.2))
    slope = detectable_slope(0.8, variance, [-3], -1)
    assert slope == pytest.approx(minimum_detectable_effect(0.2) / 2, rel=1e-4)


def test_independent_periods_multiply():
    spread, violation = np.array([0.1, 0.2, 0.4]), np.array([0.3, 0.2, 0.1])
    each = power_of_test(violation, spread)
    together = pretest_power(violation, np.diag(spread**2))
    assert together == pytest.approx(1 - np.prod(1 - each), abs=1e-5)


def correlated(k, seed=0):
    root = np.random.default_rng(seed).normal(size=(k, 2 * k))
    return root @ root.T / (2 * k)


@pytest.mark.parametrize("k", [2, 4, 6])
def test_power_against_brute_force_and_another_implementation(k):
    from diff_diff import PreTrendsPower

    covariance = correlated(k)
    violation = 0.4 * np.arange(k, 0, -1.0)
    draws = np.random.default_rng(1).multivariate_normal(violation, covariance, 200_000)
    wald = np.einsum("nk,nk->n", draws @ np.linalg.inv(covariance), draws)
    brute = {
        "individual": (np.abs(draws) > 1.959964 * np.sqrt(np.diag(covariance))).any(axis=1),
        "joint": wald > stats.chi2.ppf(0.95, k),
    }
    for test, form in (("individual", "nis"), ("joint", "wald")):
        found = pretest_power(violation, covariance, test)
        assert found == pytest.approx(brute[test].mean(), abs=0.005)
        peer = PreTrendsPower(alpha=0.05, power=0.8, pretest_form=form)
        assert found == pytest.approx(peer._compute_power(1.0, violation, covariance)[0], abs=5e-5)
        slope = detectable_slope(0.8, covariance, -np.arange(k, 0, -1.0) - 1, -1, test)
        other = peer._compute_mdv(np.arange(k, 0, -1.0), covariance)
        assert slope == pytest.approx(other, rel=1e-3)


def test_bias_after_one_tested_period_is_that_of_the_truncated_normal():
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    violation = np.array([0.25, -0.1])
    found = bias_after_pretest(violation, covariance, [True, False], seed=2)
    bound = stats.norm.ppf(0.975) * 0.2
    mean = stats.truncnorm.mean((-bound - 0.25) / 0.2, (bound - 0.25) / 0.2, 0.25, 0.2)
    exact = [mean, -0.1 + 0.03 / 0.04 * (mean - 0.25)]
    error = found["simulation_error"]
    assert (np.abs(found["after_passing"] - exact) < 4 * error).all()
    assert (error < 0.001).all()
    np.testing.assert_array_equal(found["violation"], violation)


@pytest.mark.parametrize("test", ["individual", "joint"])
def test_bias_after_a_test_of_many_against_brute_force(test):
    covariance, k = correlated(6), 4
    violation = np.array([0.9, 0.6, 0.3, 0.2, -0.2, -0.5])
    pre = np.arange(6) < k
    draws = np.random.default_rng(3).multivariate_normal(violation, covariance, 400_000)
    early = draws[:, :k]
    if test == "joint":
        inverse = np.linalg.inv(covariance[:k, :k])
        passed = np.einsum("nk,nk->n", early @ inverse, early) <= stats.chi2.ppf(0.95, k)
    else:
        passed = (np.abs(early) <= 1.959964 * np.sqrt(np.diag(covariance)[:k])).all(axis=1)
    found = bias_after_pretest(violation, covariance, pre, test)
    np.testing.assert_allclose(found["after_passing"], draws[passed].mean(axis=0), atol=0.01)
    assert passed.mean() == pytest.approx(
        1 - pretest_power(violation[:k], covariance[:k, :k], test), abs=0.003
    )
    again = bias_after_pretest(violation, covariance, pre, test)
    np.testing.assert_array_equal(found, again)


def test_no_violation_leaves_no_bias():
    found = bias_after_pretest(np.zeros(5), correlated(5), [True] * 3 + [False] * 2)
    assert (found["after_passing"].abs() < 4 * found["simulation_error"]).all()


@pytest.mark.parametrize(
    ("violation", "covariance", "change", "words"),
    [
        ([0.1], np.eye(2), {}, "do not match"),
        ([0.1, np.nan], np.eye(2), {}, "not finite\n  at: 1"),
        ([0.1, 0.2], np.ones((2, 2)), {}, "positive definite"),
        ([0.1, 0.2], np.array([[1, 0.5], [0, 1]]), {}, "symmetric"),
        ([0.1], np.eye(1), {"test": "wald"}, "unknown test"),
        ([0.1], np.eye(1), {"level": 5}, "level is not a probability"),
    ],
)
def test_bad_input_is_refused(violation, covariance, change, words):
    with pytest.raises(DesignError, match=words):
        pretest_power(violation, covariance, **change)
    with pytest.raises(DesignError, match=words):
        bias_after_pretest(violation, covariance, [True] * len(violation), **change)


def test_what_has_no_answer_is_refused():
    with pytest.raises(DesignError, match=r"above 0.14"):
        detectable_slope(0.1, np.eye(3), [-4, -3, -2], -1)
    with pytest.raises(DesignError, match="reference period"):
        detectable_slope(0.5, np.eye(2), [-2, -1], -1)
    with pytest.raises(DesignError, match="hardly ever passes"):
        bias_after_pretest([9.0, 0.0], np.eye(2), [True, False])
    with pytest.raises(DesignError, match="no period"):
        bias_after_pretest([0.1, 0.0], np.eye(2), [False, False])
    with pytest.raises(DesignError, match="negative\n  at: 1"):
        minimum_detectable_effect([1.0, -1.0])
    with pytest.raises(DesignError, match="power is not a probability"):
        minimum_detectable_effect(power=80)
