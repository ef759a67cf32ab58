import numpy as np
import pytest
from diff_diff import PreTrendsPower
from monotowns.estimate.power import detectable_slope, minimum_detectable_effect
from monotowns.run.errors import DesignError
from scipy import stats

#: Roth (2022) on He and Wang (2017), figure 2C: covariance of the coefficients at -4, -3, -2.
ROTH = np.array(
    [
        [0.0089065712, 0.0044883136, 0.0014587025],
        [0.0044883136, 0.0059369169, 0.0027500791],
        [0.0014587025, 0.0027500791, 0.0030386248],
    ]
)


def correlated(k):
    root = np.random.default_rng(0).normal(size=(k, 2 * k))
    return root @ root.T / (2 * k)


def test_multipliers_of_bloom():
    assert minimum_detectable_effect(1.0) == pytest.approx(2.8016, abs=5e-5)
    # A one-sided test of 5 per cent, as in Bloom (1995): 1.645 + .842.
    assert minimum_detectable_effect(1.0, level=0.10) == pytest.approx(2.487, abs=1e-3)
    # 82 degrees of freedom: 1.98932 + .84602 of printed t tables.
    assert minimum_detectable_effect(1.0, df=82) == pytest.approx(2.8353, abs=1e-4)
    np.testing.assert_allclose(minimum_detectable_effect([0.1, 0.2]), [0.28016, 0.56032], atol=1e-5)


@pytest.mark.parametrize("covariance", [np.array([[0.04]]), ROTH, correlated(6)])
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_slope_against_simulation_and_another_implementation(covariance, power):
    k = len(covariance)
    distance = np.arange(k, 0, -1.0)
    slope = detectable_slope(power, covariance, -distance - 1, -1)
    draws = np.random.default_rng(1).multivariate_normal(slope * distance, covariance, 200_000)
    wald = np.einsum("nk,nk->n", draws @ np.linalg.inv(covariance), draws)
    assert (wald > stats.chi2.ppf(0.95, k)).mean() == pytest.approx(power, abs=0.005)
    peer = PreTrendsPower(alpha=0.05, power=power, pretest_form="wald")
    assert slope == pytest.approx(peer._compute_mdv(distance, covariance), rel=1e-3)


def test_slope_of_one_period_is_a_detectable_effect():
    # The other tail of the test is below 1e-6 at this power.
    slope = detectable_slope(0.8, [[0.04]], [-3], -1)
    assert slope == pytest.approx(minimum_detectable_effect(0.2) / 2, rel=1e-4)


def test_what_has_no_answer_is_refused():
    with pytest.raises(DesignError, match="power out of range"):
        detectable_slope(0.05, np.eye(3), [-4, -3, -2], -1)
    with pytest.raises(DesignError, match="positive definite"):
        detectable_slope(0.5, np.ones((2, 2)), [-3, -2], -1)
