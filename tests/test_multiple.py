import numpy as np
import pytest
from monotowns.estimate.multiple import romano_wolf
from pyfixest.estimation.post_estimation.multcomp import _get_rwolf_pval


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


@pytest.mark.montecarlo
def test_family_wise_error_of_ten_correlated_nulls():
    rng = np.random.default_rng(9)
    errors = 0
    for _ in range(1000):
        draws = rng.normal(size=(200, 10)) + rng.normal(size=(200, 1))
        errors += (romano_wolf(draws[0], draws[1:]) <= 0.05).any()
    assert 0.03 <= errors / 1000 <= 0.07
