import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate import clubs
from monotowns.estimate.convergence import beta_convergence, sigma_convergence, theil
from monotowns.run.errors import DesignError


def panel(speed=0.03, seed=0, entities=240, years=range(2012, 2022), regions=24, noise=0.02):
    rng = np.random.default_rng(seed)
    since = np.array(years) - years[0]
    start = rng.normal(0, 0.4, entities)
    region = np.arange(entities) % regions
    shock = rng.normal(0, noise, regions)[region] + rng.normal(0, noise, entities)
    paths = start[:, None] * np.exp(-speed * since) + np.outer(shock, since / since[-1])
    frame = pd.DataFrame(paths + 0.04 * since, columns=list(years)).rename_axis("entity")
    frame = frame.reset_index().melt("entity", var_name="year", value_name="y")
    frame = frame.astype({"year": int}).assign(region=frame["entity"] % regions)
    frame["size"] = rng.normal(size=entities)[frame["entity"]]
    return frame.sort_values(["entity", "year"], ignore_index=True)


def test_beta_convergence_against_statsmodels_and_the_delta_method():
    frame = panel()
    fit = beta_convergence(frame, "y", ["size"])
    wide = frame.pivot(index="entity", columns="year", values="y")
    cross = pd.DataFrame({"growth": (wide[2021] - wide[2012]) / 9, "initial": wide[2012]})
    cross["size"] = frame.groupby("entity")["size"].first()
    by_region = {"groups": cross.index % 24}
    # Clustered errors of statsmodels have the same correction, G / (G - 1) (N - 1) / (N - k).
    peer = smf.ols("growth ~ initial + size", cross).fit(cov_type="cluster", cov_kwds=by_region)
    for term in ("initial", "size"):
        assert fit[term]["estimate"] == pytest.approx(peer.params[term], abs=1e-10)
        assert fit[term]["standard_error"] == pytest.approx(peer.bse[term], rel=1e-8)
    slope, error, step = peer.params["initial"], peer.bse["initial"], 1e-6

    def speed(b):
        return -np.log(1 + 9 * b) / 9

    derivative = (speed(slope + step) - speed(slope - step)) / (2 * step)
    assert fit["speed"]["estimate"] == pytest.approx(speed(slope), rel=1e-10)
    assert fit["speed"]["standard_error"] == pytest.approx(error * abs(derivative), rel=1e-6)
    low, high = fit["speed"][["ci_low", "ci_high"]]
    assert fit["half_life"]["ci_low"] == pytest.approx(np.log(2) / high)
    assert fit["half_life"]["ci_high"] == pytest.approx(np.log(2) / low)


def test_conditional_convergence_holds_region_effects_constant():
    frame = panel(noise=1e-9)
    # Regions drift apart: without effects the poor seem to fall behind.
    mean = frame[frame["year"] == 2012].groupby("region")["y"].mean()
    frame["y"] += 2 * frame["region"].map(mean) * (frame["year"] - 2012)
    absolute = beta_convergence(frame, "y")
    conditional = beta_convergence(frame, "y", fixed_effects=["region"])
    assert conditional["speed"]["estimate"] == pytest.approx(0.03, abs=1e-7)
    assert absolute["speed"]["estimate"] < 0
    assert np.isnan(absolute["half_life"]["estimate"])
    assert absolute["half_life"]["ci_high"] == np.inf


def test_sigma_convergence_by_hand():
    rows = pd.DataFrame({"entity": [1, 1, 1, 2, 2, 2], "year": [2012, 2013, 2014] * 2})
    rows = rows.assign(y=[3.0, 2.0, 2.0, -3.0, -2.0, 0.0], region=rows["entity"])
    fit = sigma_convergence(rows, "y")
    assert fit.terms["term"].tolist() == ["trend", "2012", "2013", "2014"]
    np.testing.assert_allclose(fit.terms["estimate"], [-1, 3, 2, 1])


def test_sigma_errors_against_redrawn_entities():
    frame = panel(entities=300, regions=300, noise=0.2)
    fit = sigma_convergence(frame, "y")
    wide = frame.pivot(index="entity", columns="year", values="y").to_numpy()
    draws = np.random.default_rng(3).integers(300, size=(2000, 300))
    spread = np.array([wide[d].std(axis=0) for d in draws])
    slope = np.polyfit(np.arange(10), spread.T, 1)[0]
    # The bootstrap's own error is 1.6 per cent; the influence function is exact to order 1 / N.
    assert fit["trend"]["standard_error"] == pytest.approx(slope.std(), rel=0.06)
    assert fit["2021"]["standard_error"] == pytest.approx(spread[:, -1].std(), rel=0.06)
    trend = np.polyfit(np.arange(10), wide.std(axis=0), 1)[0]
    assert fit["trend"]["estimate"] == pytest.approx(trend)


def test_sigma_errors_follow_the_clusters():
    # Every entity twice, in one cluster: nothing is learned from the copies.
    frame = panel(entities=100, regions=100)
    copies = pd.concat([frame, frame.assign(entity=frame["entity"] + 1000)])
    one, two = (sigma_convergence(rows, "y")["trend"] for rows in (frame, copies))
    assert two["standard_error"] == pytest.approx(one["standard_error"], rel=1e-10)


def test_theil_by_hand():
    # Two groups of two people: incomes 1 and 3, 2 and 2.
    index = theil([1.0, 3.0, 2.0, 2.0], np.ones(4), ["a", "a", "b", "b"])
    own = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    assert index.to_numpy() == pytest.approx([own / 2, 0, own / 2], abs=1e-15)
    # Two groups of one: all of it lies between them, sum s log(s / p).
    index = theil([1.0, 3.0], [3.0, 1.0], ["a", "b"])
    assert index.to_numpy() == pytest.approx([0.5 * np.log(4 / 3)] * 2 + [0], abs=1e-15)


persons = st.lists(
    st.tuples(st.floats(0.01, 1e4), st.floats(0.1, 1e3), st.sampled_from("abc")),
    min_size=2,
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(persons, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_theil_splits_exactly_and_has_no_units(rows, money, heads):
    value, weight, group = (np.array(v) for v in zip(*rows, strict=True))
    index = theil(value, weight, group)
    # Within groups: the income-weighted mean of the groups' own indices.
    income = {g: (value * weight)[group == g].sum() for g in set(group)}
    own = {g: theil(value[group == g], weight[group == g], group[group == g]) for g in income}
    within = sum(own[g]["total"] * income[g] for g in income) / sum(income.values())
    assert index["within"] == pytest.approx(within, abs=1e-12)
    assert index["total"] >= -1e-12
    scaled = theil(value * money, weight * heads, group)
    np.testing.assert_allclose(scaled, index, atol=1e-12)
    # A person split in two halves of the same income is the same population.
    double = theil(np.r_[value, value], np.r_[weight, weight] / 2, np.r_[group, group])
    np.testing.assert_allclose(double, index, atol=1e-12)


def transitions(levels, sizes, periods=30, seed=0):
    """Units that approach the levels of their clubs at rate 1 / t."""
    rng = np.random.default_rng(seed)
    level = np.repeat(np.array(levels, float), sizes)
    start = level + rng.normal(0, 1, len(level))
    gone = np.arange(1, periods + 1) ** -1.5
    return level[:, None] + (start - level)[:, None] * gone


def test_log_t_against_its_definition():
    paths = np.abs(transitions([5, 7], [6, 5], seed=4))
    fit = clubs.log_t(paths)
    h = ((paths / paths.mean(axis=0) - 1) ** 2).mean(axis=0)
    t = np.arange(10, 31)
    design = np.column_stack([np.ones(21), np.log(t)])
    y = np.log(h[0] / h[t - 1]) - 2 * np.log(np.log(t))
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    u = y - design @ coefficients
    rho = (u[1:] @ u[:-1]) / (u[:-1] @ u[:-1])
    bandwidth = 1.3221 * (4 * rho**2 / (1 - rho) ** 4 * 21) ** 0.2

    def kernel(z):
        a = 6 * np.pi * z / 5
        return 25 / (12 * np.pi**2 * z**2) * (np.sin(a) / a - np.cos(a))

    total = u @ u
    for s in range(20):
        total += sum(2 * kernel((s - r) / bandwidth) * u[s] * u[r] for r in range(s))
    error = np.sqrt(total / 20 / np.sum((np.log(t) - np.log(t).mean()) ** 2))
    assert fit["log t"]["estimate"] == pytest.approx(coefficients[1], rel=1e-10)
    assert fit["log t"]["standard_error"] == pytest.approx(error, rel=1e-8)
    assert fit.details["t"] == pytest.approx([coefficients[1] / error], rel=1e-8)


def test_planted_clubs_are_found_whatever_the_order_and_scale():
    paths = transitions([20, 12, 6], [15, 12, 10])
    order = np.random.default_rng(1).permutation(37)
    shuffled, planted = 7.5 * paths[order], np.repeat([1, 2, 3], [15, 12, 10])[order]
    club = clubs.find_clubs(shuffled)
    assert (club == planted).all()
    assert (clubs.merge_clubs(shuffled, club) == planted).all()
    fit = clubs.club_fits(shuffled, club)
    # Deviations fall as t^-1.5 and H as its square: 3 log t, less what 2 log log t takes away.
    time = np.log(np.arange(10, 31))
    slope = np.polyfit(time, 3 * time - 2 * np.log(time), 1)[0]
    np.testing.assert_allclose(fit.terms["estimate"], slope, atol=0.01)
    assert min(fit.details["t"]) > 1.65
    one, other = clubs.log_t(paths)["log t"], clubs.log_t(shuffled)["log t"]
    assert one["p_value"] < 1e-6
    assert other["estimate"] == pytest.approx(one["estimate"], rel=1e-10)


def test_clubs_that_converge_are_merged_and_a_stray_unit_stays_alone():
    paths = np.vstack([transitions([10], [12]), 30 + np.arange(30.0)])
    club = np.r_[np.repeat([1, 2], 6), 0]
    assert clubs.merge_clubs(paths, club).tolist() == [1] * 12 + [0]
    assert clubs.find_clubs(paths).tolist() == [1] * 12 + [0]


@pytest.mark.parametrize("seed", range(12))
def test_every_club_converges_whatever_the_paths(seed):
    # Noise makes units join a core that do not converge together: the bound must be raised.
    rng = np.random.default_rng(seed)
    paths = 20 + 3 * rng.normal(size=(60, 1)) + np.cumsum(0.3 * rng.normal(size=(60, 20)), axis=1)
    paths = clubs.hp_trend(paths)
    club = clubs.find_clubs(paths)
    merged = clubs.merge_clubs(paths, club)
    assert 0 < merged.max() <= club.max()
    for found in (club, merged):
        assert min(clubs.club_fits(paths, found).details["t"]) > clubs.CRITICAL
        assert min(np.bincount(found)[1:]) > 1


@pytest.mark.parametrize("estimator", [beta_convergence, sigma_convergence])
def test_panels_that_do_not_do_are_refused(estimator):
    rows = panel(entities=48)
    for bad, words in (
        (rows.assign(y=rows["y"].where(rows.index != 9)), "all years.*\n  at: 0"),
        (rows.drop(index=9), "all years.*\n  at: 0"),
        (rows[rows["year"] == 2012], "fewer than two"),
        (rows.assign(region=1), "two clusters"),
    ):
        with pytest.raises(DesignError, match=words):
            estimator(bad, "y")


def test_values_without_dispersion_theil_index_or_log_t_are_refused():
    rows = panel(entities=48)
    with pytest.raises(DesignError, match=r"no dispersion.*\n  at: 2014"):
        sigma_convergence(rows.assign(y=rows["y"].where(rows["year"] != 2014, 1.0)), "y")
    for bad in ([1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(DesignError, match="at: 1"):
            theil(bad, [1, 1], ["a", "b"])
    good = transitions([5, 8], [4, 4])
    for bad, words in [
        (np.where(good == good[2, 3], np.nan, good), "missing\n  at: 2"),
        (good - 10, "not positive"),
        (np.vstack([good, good[3]]), "same path\n  at: 3"),
        (good[:, :4], "too few"),
        (good[:1], "2 or more"),
    ]:
        with pytest.raises(DesignError, match=words):
            clubs.log_t(bad)


@pytest.mark.montecarlo
def test_trend_of_dispersion_is_covered():
    region, covered = np.arange(200) % 40, []
    frame = pd.DataFrame({"entity": np.arange(200), "region": region})
    frame = frame.merge(pd.DataFrame({"year": range(2016, 2022)}), how="cross")
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        # Standard deviation sqrt(1 + .25) (1 - .02 t): dependence in time and by region.
        noise = rng.normal(size=200) + 0.5 * rng.normal(size=40)[region]
        y = np.outer(noise, 1 - 0.02 * np.arange(6)).ravel()
        row = sigma_convergence(frame.assign(y=y), "y")["trend"]
        covered.append(row["ci_low"] <= -0.02 * np.sqrt(1.25) <= row["ci_high"])
    assert 0.93 <= np.mean(covered) <= 0.97
