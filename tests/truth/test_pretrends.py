"""The published example of pre-trend power: Roth (2022) on He and Wang (2017), figure 2C."""

import numpy as np
import pytest
from monotowns.estimate.power import bias_after_pretest, detectable_slope, pretest_power

#: Covariance of the event-study coefficients at -4 -3 -2 and 0 1 2 3 (lower triangle), as
#: the example gives it.
COVARIANCE = np.zeros((7, 7))
COVARIANCE[np.tril_indices(7)] = [
    0.0089065712,
    0.0044883136,
    0.0059369169,
    0.0014587025,
    0.0027500791,
    0.0030386248,
    0.0012157689,
    0.0013505858,
    0.0009056166,
    0.0039247409,
    0.0020327645,
    0.0014315459,
    0.0006791299,
    0.002596118,
    0.008065897,
    0.0013225015,
    0.0012067792,
    0.0010167636,
    0.0017326149,
    0.0058753751,
    0.007881579,
    0.0019617728,
    0.0013847158,
    0.0007090144,
    0.0022345525,
    0.0037414359,
    0.0036507095,
    0.0097884266,
]
COVARIANCE += np.tril(COVARIANCE, -1).T
PERIODS, REFERENCE = np.array([-4, -3, -2, 0, 1, 2, 3]), -1
PRE = PERIODS < REFERENCE
EARLY = COVARIANCE[:3, :3]
SLOPE = 0.0520662478
#: Error of a quasi-random probability, with room.
INTEGRATION = 2e-5


def test_slope_with_half_the_power():
    found = detectable_slope(0.5, EARLY, PERIODS[PRE], REFERENCE)
    assert found == pytest.approx(SLOPE, abs=1e-6)
    trend = SLOPE * (PERIODS[PRE] - REFERENCE)
    assert pretest_power(trend, EARLY) == pytest.approx(0.5, abs=INTEGRATION)
    # The published Bayes factor: chance of passing with the trend over that without.
    without = 1 - pretest_power(np.zeros(3), EARLY)
    assert (1 - pretest_power(trend, EARLY)) / without == pytest.approx(0.5690177, abs=4e-5)


def test_power_against_a_quadratic_trend():
    power = pretest_power(0.024 * (PERIODS[PRE] - REFERENCE) ** 2, EARLY)
    assert power == pytest.approx(0.6624492, abs=INTEGRATION)


def test_mean_of_the_coefficients_after_passing():
    found = bias_after_pretest(SLOPE * (PERIODS - REFERENCE), COVARIANCE, PRE)
    published = [-0.0923171, -0.0555576, -0.0279117, 0.0649147, 0.1208691, 0.1694932, 0.2245753]
    error = found["simulation_error"]
    assert (np.abs(found["after_passing"] - published) < 4 * error).all()
    assert error.max() < 3e-4
