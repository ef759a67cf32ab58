from itertools import combinations, pairwise

import numpy as np
import pytest
from monotowns.estimate.breaks import bai_quantiles, structural_breaks
from monotowns.run.errors import DesignError


def series(levels, lengths, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    level = np.repeat(np.array(levels, float), lengths)
    return level + noise * rng.normal(size=len(level))


@pytest.mark.parametrize("interval", ["bai", "bootstrap"])
def test_planted_breaks_are_found_and_lie_in_their_intervals(interval):
    y = series([0, 2, 1], [12, 10, 18])
    years = np.arange(1980, 2020)
    fit = structural_breaks(y, years, interval=interval)
    assert fit.terms["estimate"].tolist() == [1991, 2001]
    assert (fit.terms["ci_low"] <= fit.terms["estimate"]).all()
    assert (fit.terms["estimate"] <= fit.terms["ci_high"]).all()
    regimes = fit.details["regimes"]
    assert regimes["first"].tolist() == [1980, 1992, 2002]
    assert regimes["last"].tolist() == [1991, 2001, 2019]
    assert regimes["level"].tolist() == pytest.approx(
        [y[:12].mean(), y[12:22].mean(), y[22:].mean()]
    )
    assert regimes["sigma"][0] == pytest.approx(y[:12].std(ddof=1))


@pytest.mark.parametrize("trend", [False, True])
def test_partitions_against_all_partitions(trend):
    y = series([0, 2, -1, 0], [6, 5, 7, 4], noise=1.0, seed=3)
    time = np.arange(22.0)
    fit = structural_breaks(y, trend=trend, min_length=4, max_breaks=3)

    def ssr(ends):
        edges = [0, *ends, 22]
        return sum(
            np.sum((y[a:b] - np.polyval(np.polyfit(time[a:b], y[a:b], int(trend)), time[a:b])) ** 2)
            for a, b in pairwise(edges)
        )

    for m in range(4):
        partitions = [
            ends
            for ends in combinations(range(4, 19), m)
            if all(b - a >= 4 for a, b in zip((0, *ends), (*ends, 22), strict=True))
        ]
        assert fit.details["ssr"][m] == pytest.approx(min(map(ssr, partitions)), rel=1e-9)


def test_trend_regimes_are_reported_in_units_per_date():
    t = np.arange(30.0)
    y = np.where(t < 14, 5 + 0.5 * t, 20 - 0.25 * t) + 1e-3 * np.sin(t**2)
    fit = structural_breaks(y, np.arange(1990, 2020), trend=True)
    assert fit.terms["estimate"].tolist() == [2003]
    np.testing.assert_allclose(fit.details["regimes"]["slope"], [0.5, -0.25], atol=1e-3)
    np.testing.assert_allclose(fit.details["regimes"]["level"], [5, 20 - 0.25 * 14], atol=2e-3)


def test_no_break_in_noise_around_one_level():
    fits = [structural_breaks(series([1], [60], seed=seed)) for seed in range(20)]
    found = [len(fit.terms) for fit in fits]
    assert found == [int(np.argmin(fit.details["bic"])) for fit in fits]
    assert sum(count > 0 for count in found) <= 2


def test_a_step_without_noise_is_dated_exactly():
    for interval in ("bai", "bootstrap"):
        row = structural_breaks(series([0, 1], [7, 9], noise=0), interval=interval)["break 1"]
        assert (row["ci_low"], row["estimate"], row["ci_high"]) == (6, 6, 6)
    assert structural_breaks(np.ones(20)).terms.empty


def test_units_and_direction_do_not_matter():
    y = series([0, 1], [20, 25], noise=0.6, seed=1)
    one = structural_breaks(y)["break 1"]
    scaled = structural_breaks(1e5 - 40 * y)["break 1"]
    assert one[["estimate", "ci_low", "ci_high"]].equals(scaled[["estimate", "ci_low", "ci_high"]])
    # Reversed in time, the last date of the first regime is the one before the break.
    back = structural_breaks(y[::-1])["break 1"]
    assert 43 - back["estimate"] == one["estimate"]
    assert (43 - back["ci_high"], 43 - back["ci_low"]) == (one["ci_low"], one["ci_high"])


def test_quantiles_printed_by_bai():
    # Bai (1997): 7.7, 11.0 and, from the same distribution, 19.77 for 90, 95 and 99 per cent.
    for level, value in ((0.90, 7.69), (0.95, 11.03), (0.99, 19.77)):
        early, late = bai_quantiles(1, 1, 1, level)
        assert late == pytest.approx(value, abs=0.005)
        assert early == pytest.approx(-value, abs=0.005)
    assert bai_quantiles(-2, 3, 3)[1] == pytest.approx(11.033 * 9 / 4, abs=0.002)


def test_quantiles_of_unequal_sides():
    early, late = bai_quantiles(1, 0.5, 1)
    assert bai_quantiles(1, 1, 0.5) == (-late, -early)
    # Noise after the break only: the estimate is never early, and the limit is approached.
    assert bai_quantiles(1, 0, 1)[0] == 0
    assert bai_quantiles(1, 0, 1)[1] == pytest.approx(bai_quantiles(1, 1e-3, 1)[1], rel=1e-3)
    assert bai_quantiles(0, 1, 1) == (-np.inf, np.inf)


def test_quantiles_of_unequal_sides_against_simulated_walks():
    rng = np.random.default_rng(5)
    walks, steps, dt = 4000, 1600, 1 / 32
    # Steps must be fine: a walk's peak lies below that of the motion it stands for.
    after = np.cumsum(rng.normal(size=(walks, steps)) * np.sqrt(dt) - dt / 2, axis=1)
    before = np.cumsum(rng.normal(size=(walks, steps)) * 0.5 * np.sqrt(dt) - dt / 2, axis=1)
    place = np.where(
        np.maximum(after.max(axis=1), 0) > np.maximum(before.max(axis=1), 0),
        (after.argmax(axis=1) + 1) * dt,
        -(before.argmax(axis=1) + 1) * dt,
    )
    for level in (0.5, 0.8, 0.95):
        early, late = bai_quantiles(1, 0.5, 1, level)
        # Three standard errors of the simulated shares, and the share of one step.
        room = 3 * np.sqrt(0.25 * (1 - level**2) / walks) + 0.02
        assert np.mean(place < early) == pytest.approx(0.5 - level / 2, abs=room)
        assert np.mean(place > late) == pytest.approx(0.5 - level / 2, abs=room)


def test_bootstrap_depends_on_the_seed_alone():
    y = series([0, 1], [15, 15], noise=0.8, seed=2)
    one, same, other = (structural_breaks(y, interval="bootstrap", seed=s) for s in (1, 1, 2))
    assert one.terms.equals(same.terms)
    assert one.variance == "residual bootstrap, 999 draws"
    assert other["break 1"]["estimate"] == one["break 1"]["estimate"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"series": [1, 2, np.nan, 4, 5, 6], "dates": range(2000, 2006)}, "missing\n  at: 2002"),
        ({"series": range(6), "dates": [1, 2, 3, 3, 5, 6]}, "increase\n  at: 3"),
        ({"series": range(6), "dates": range(5)}, "one date a value"),
        ({"series": range(5)}, "too short"),
        ({"series": range(20), "min_length": 2}, "too short"),
        ({"series": range(20), "interval": "none"}, "no such interval"),
    ],
)
def test_what_cannot_be_estimated_is_refused(arguments, words):
    with pytest.raises(DesignError, match=words):
        structural_breaks(**arguments)


@pytest.mark.montecarlo
@pytest.mark.parametrize(("interval", "count"), [("bai", 1000), ("bootstrap", 500)])
def test_intervals_cover_the_break(interval, count):
    covered = []
    for seed in range(count):
        y = series([0, 1.5], [45, 55], noise=1.0, seed=seed)
        terms = structural_breaks(y, max_breaks=1, interval=interval, draws=199).terms
        if len(terms):
            covered.append(terms["ci_low"][0] <= 44 <= terms["ci_high"][0])
    assert len(covered) > 0.99 * count
    assert 0.93 <= np.mean(covered) <= 0.97
