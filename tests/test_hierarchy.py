import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.hierarchy import gibrat, rank_size
from monotowns.run.errors import DesignError


def test_rank_size_by_hand():
    # Three towns of 100, 10 and 1: log sizes are equally spaced, so the slope is that of the ends.
    row = rank_size([10, 100, 1])["exponent"]
    exponent = (np.log(2.5) - np.log(0.5)) / np.log(100)
    assert row["estimate"] == pytest.approx(exponent, rel=1e-12)
    assert row["standard_error"] == pytest.approx(exponent * np.sqrt(2 / 3), rel=1e-12)


def test_exact_rank_size_rule_is_recovered():
    # Sizes made so that rank - 1/2 = (C / size)^1.3 exactly.
    size = 1e6 * (np.arange(1, 200) - 0.5) ** (-1 / 1.3)
    fit = rank_size(np.random.default_rng(0).permutation(size), minimum=size[99])
    assert fit["exponent"]["estimate"] == pytest.approx(1.3, rel=1e-10)
    assert fit.n_obs == 100


def test_p_value_is_that_of_zipfs_law():
    size = 1e6 / (np.arange(1, 500) - 0.5)
    assert rank_size(size)["exponent"]["p_value"] == pytest.approx(1, abs=1e-10)
    assert rank_size(size**0.5)["exponent"]["p_value"] < 1e-6


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**7), min_size=5, max_size=40).filter(lambda s: len(set(s)) > 2),
    st.floats(0.01, 100),
    st.randoms(),
)
def test_exponent_does_not_depend_on_units_or_order(sizes, factor, shuffle):
    one = rank_size(sizes)["exponent"]["estimate"]
    shuffle.shuffle(sizes)
    other = rank_size(np.array(sizes) * factor)["exponent"]["estimate"]
    assert other == pytest.approx(one, rel=1e-8)


def test_gibrat_finds_what_is_planted():
    rng = np.random.default_rng(4)
    log_size = rng.normal(10, 1, 2000)
    noise = rng.normal(0, 0.02, 2000) * np.exp(-0.25 * (log_size - 10))
    fit = gibrat(np.exp(log_size), np.exp(log_size + 9 * (0.05 - 0.005 * log_size + noise)), 9)
    # exp(-z/2) for a standard normal z projects on z with slope -1/2, relative to its mean.
    for term, planted in (("mean", -0.005), ("variance", -0.5)):
        assert fit[term]["ci_low"] < planted < fit[term]["ci_high"] < 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: rank_size([1, 2, 3, 0]),
        lambda: rank_size([1, 2, 3, -5]),
        lambda: rank_size([1, 2, 3, np.nan]),
        lambda: rank_size([5, 5, 5]),
        lambda: rank_size([1, 2, 3, 4], minimum=3),
        lambda: gibrat([2, 2, 2], [1, 2, 3], 5),
        lambda: gibrat([1, 2, -1], [1, 2, 3], 5),
    ],
)
def test_what_cannot_be_measured_is_refused(call):
    with pytest.raises(DesignError):
        call()


@pytest.mark.montecarlo
@pytest.mark.parametrize("exponent", [1.0, 1.5])
def test_interval_covers_the_exponent_of_pareto_draws(exponent):
    rng = np.random.default_rng(7)
    draws = [rank_size(1 + rng.pareto(exponent, 320)) for _ in range(1000)]
    rows = [fit["exponent"] for fit in draws]
    covered = np.mean([row["ci_low"] <= exponent <= row["ci_high"] for row in rows])
    assert 0.93 <= covered <= 0.97
    # The shift of the rank leaves no bias to speak of: 1 per cent, an eighth of the spread.
    assert np.mean([row["estimate"] for row in rows]) == pytest.approx(exponent, rel=0.01)
