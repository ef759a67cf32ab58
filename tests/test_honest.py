from dataclasses import replace

import numpy as np
import pytest
from monotowns.estimate import staggered
from monotowns.estimate.honest import _relative, _relative_test, _smooth, honest
from monotowns.run.errors import DesignError
from panels import panel
from scipy.optimize import linprog


def identified(beta, before, m):
    """Bounds of the first effect under relative magnitudes, by the definition."""
    change = np.delete(np.diff(np.eye(len(beta) + 1), axis=0), before, axis=1)
    largest = np.abs(change[:before] @ np.append(beta[:before], np.zeros(len(beta) - before))).max()
    ends = []
    for sign in (1, -1):
        after = change[before:, before:]
        found = linprog(
            sign * np.eye(len(after))[0],
            A_ub=np.vstack([after, -after]),
            b_ub=np.full(2 * len(after), m * largest),
            bounds=(None, None),
        )
        ends.append(beta[before] - sign * found.fun)
    return sorted(ends)


@pytest.mark.parametrize("largest", range(4))
@pytest.mark.parametrize("after", [1, 2, 4])
def test_relative_magnitudes_of_precise_estimates_are_the_identified_set(largest, after):
    # Whichever change before the treatment is the largest, the first and the last included.
    step = np.where(np.arange(4) == largest, 0.3, 0.1) * [1, -1, 1, -1]
    beta = np.append(np.append(0, np.cumsum(step)[:3]) - step.sum(), np.full(after, 0.5))
    normal = np.random.default_rng(0).standard_normal((12, 4000))
    for m in (0.5, 1.5):
        ends = _relative(beta, 1e-10 * np.eye(len(beta)), 4, np.eye(after)[0], m, normal)
        np.testing.assert_allclose(ends, identified(beta, 4, m), atol=1e-3)


def test_sensitivity_without_slack_is_the_conventional_interval():
    # Under relative magnitudes of 0 trends are parallel after the treatment.
    beta, sigma = np.array([0.1, -0.2, 1.0, 1.2]), np.diag([0.01, 0.01, 0.04, 0.04])
    normal, first = np.random.default_rng(0).standard_normal((8, 50_000)), np.array([1.0, 0.0])
    ends = _relative(beta, sigma, 2, first, 0.0, normal)
    np.testing.assert_allclose(ends, [1 - 1.96 * 0.2, 1 + 1.96 * 0.2], atol=0.01)
    # A constant slope: the shortest interval around a linear extrapolation, by least squares.
    low, high = _smooth(beta, sigma, 2, first, 0.0)
    slope = np.array([-2.0, -1.0]) / 5
    variance = 0.04 + 0.01 * (slope @ slope)
    np.testing.assert_allclose((low + high) / 2, 1 - slope @ beta[:2], atol=1e-5)
    np.testing.assert_allclose((high - low) / 2, 1.959964 * np.sqrt(variance), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [("relative_magnitudes", (0.1, 0.5, 1.0, 3.0)), ("smoothness", (0, 0.02, 0.05, 0.2))],
)
def test_sensitivity_widens_with_the_bound_and_breaks_where_the_interval_meets_zero(kind, bounds):
    fit = staggered.callaway_santanna(
        panel(), "y", "cohort", base_period="universal", window=(-3, 2)
    )
    found = honest(fit, bounds, kind=kind, target=0)
    table = found.terms.iloc[:-1]
    assert (table["ci_low"].diff()[1:] < 0).all()
    assert (table["ci_high"].diff()[1:] > 0).all()
    assert (table["estimate"] == fit["event 0"]["estimate"]).all()
    m = found["breakdown"]["estimate"]
    inside, outside = honest(fit, [1.01 * m, 0.99 * m], kind=kind, target=0).terms["ci_low"][:2]
    assert inside < 0 < outside
    mean = honest(fit, bounds, kind=kind)
    late = [fit[f"event {e}"]["estimate"] for e in range(3)]
    assert mean.terms["estimate"][0] == pytest.approx(np.mean(late))
    null = panel(seed=8).assign(y=lambda f: f["y"] - f["effect"])
    null = honest(staggered.sun_abraham(null, "y", "cohort"), bounds, kind=kind, target=0)
    assert null["breakdown"]["estimate"] == 0


def test_refusals_of_the_sensitivity():
    for estimator in ("callaway_santanna", "imputation", "two_stage"):
        with pytest.raises(DesignError, match=r"one base period\n.*\n.*universal"):
            honest(getattr(staggered, estimator)(panel(), "y", "cohort"))
    # Without 2013 the cohort of 2014 is measured from two years before, that of 2016 from one.
    gap = panel(cohorts=(2014, 2016)).query("year != 2013")
    with pytest.raises(DesignError, match="one base period"):
        honest(staggered.callaway_santanna(gap, "y", "cohort", base_period="universal"))
    fit = staggered.sun_abraham(panel(), "y", "cohort")
    with pytest.raises(DesignError, match="no such target"):
        honest(fit, target=9)
    with pytest.raises(DesignError, match="no covariance"):
        honest(staggered.local_projections(panel(), "y", "cohort"))
    with pytest.raises(DesignError, match="too few periods"):
        honest(staggered.sun_abraham(panel(), "y", "cohort", window=(-2, 3)))
    keep = np.flatnonzero(fit.terms["term"] != "event -3")
    terms = fit.terms.iloc[keep].reset_index(drop=True)
    with pytest.raises(DesignError, match=r"a period is missing\n  at: -3"):
        honest(replace(fit, terms=terms, covariance=fit.covariance[np.ix_(keep, keep)]))


@pytest.mark.montecarlo
def test_coverage_of_relative_magnitudes(draws=1_000, m=1.0):
    # The worst case: the change after the treatment is the bound itself, the first change before
    # it the largest by far, the one that is easily forgotten.
    beta = np.array([0.6, 0.0, 0.0, 0.6, 0.6])
    root = 0.05 * (np.eye(5) + 0.5)
    normal = np.random.default_rng(0).standard_normal((10, 10_000))
    weights, noise = np.array([1.0, 0.0]), np.random.default_rng(1).standard_normal((draws, 5))
    covered = 0
    for one in noise:
        accept = _relative_test(beta + root @ one, root @ root.T, 3, weights, m, normal)
        covered += accept(np.zeros(1))[0]
    assert 0.93 <= covered / draws <= 0.97
