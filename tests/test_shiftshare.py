import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from monotowns.estimate import shiftshare
from monotowns.run.errors import DesignError
from monotowns.studies.reindustrialisation import changes, exposure_fits
from scipy import stats


def simulated(seed=0, n=250, count=20):
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.4, size=(n, count)) + 1e-3
    shares /= shares.sum(axis=1, keepdims=True)
    shocks = rng.normal(size=count)
    x = shares @ shocks
    y = 0.8 * x + 2 * (shares @ rng.normal(size=count)) + rng.normal(size=n)
    return y, x, shares, shocks


def test_akm_with_own_shocks_is_the_heteroskedasticity_robust_error():
    # One unit a shock, identity shares: nothing is left but White's variance without correction.
    rng = np.random.default_rng(0)
    n = 80
    shocks, c = rng.normal(size=(2, n))
    y = shocks + c + np.abs(shocks) * rng.normal(size=n)
    rows = pd.DataFrame({"y": y, "g": shocks, "c": c})
    controls = sm.add_constant(c)
    absorbed = [sm.OLS(v, controls).fit().resid for v in (y, shocks)]
    fit = shiftshare.fit(*absorbed, np.eye(n))
    peer = pyfixest.feols("y ~ g + c", rows, vcov="hetero", ssc=pyfixest.ssc(k_adj=False))
    assert fit["exposure"]["estimate"] == pytest.approx(peer.coef()["g"], abs=1e-10)
    assert fit["exposure"]["standard_error"] == pytest.approx(peer.se()["g"], abs=1e-10)


def test_akm_with_one_industry_a_town_is_the_robust_error_clustered_by_industry():
    # One-hot shares: units of one industry share one shock, AKM is the clustered sandwich.
    rng = np.random.default_rng(1)
    n, count = 300, 12
    industry, shocks = rng.integers(count, size=n), rng.normal(size=count)
    x, y = shocks[industry], rng.normal(size=count)[industry] + rng.normal(size=n)
    fit = shiftshare.fit(y, x, np.eye(count)[industry])
    peer = sm.OLS(y, sm.add_constant(x)).fit(
        cov_type="cluster", cov_kwds={"groups": industry, "use_correction": False}
    )
    assert fit["exposure"]["standard_error"] == pytest.approx(peer.bse[1], rel=1e-9)
    assert fit.n_clusters == count


def test_akm_and_akm0_by_their_definition():
    y, x, shares, _ = simulated()
    project = np.eye(250) - 1 / 250
    latent = np.linalg.pinv(shares) @ project @ x

    def spread(b):
        return np.sum((latent * (shares.T @ (project @ (y - b * x)))) ** 2)

    def statistic(b):
        return (x @ project @ (y - b * x)) ** 2 / spread(b)

    usual = shiftshare.fit(y, x, shares)["exposure"]
    assert usual["estimate"] == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-10)
    error = np.sqrt(spread(usual["estimate"])) / (x @ project @ x)
    assert usual["standard_error"] == pytest.approx(error, rel=1e-9)
    row = shiftshare.fit(y, x, shares, null_imposed=True)["exposure"]
    for end in (row["ci_low"], row["ci_high"]):
        assert statistic(end) == pytest.approx(stats.chi2.ppf(0.95, 1), rel=1e-8)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic(0.0), 1), rel=1e-9)
    # With few shocks imposing the null widens the interval.
    assert row["ci_low"] < usual["ci_low"] < row["estimate"] < usual["ci_high"] < row["ci_high"]


def test_akm0_with_one_dominant_shock_is_unbounded_and_holds_the_estimate():
    y, _, shares, _ = simulated(n=40, count=3)
    fit = shiftshare.fit(y, shares @ [1.0, 0, 0], shares, null_imposed=True)
    row = fit["exposure"]
    assert (row["ci_low"], row["ci_high"]) == (-np.inf, np.inf)
    assert np.isnan(row["standard_error"])
    assert any(low <= row["estimate"] <= high for low, high in fit.details["set"])


def test_the_regression_of_shocks_gives_the_coefficient_of_units():
    # Proposition 1 of Borusyak, Hull and Jaravel (2022): outcome and regressor averaged over units
    # by exposure, weighted by total exposure, with the shock as instrument.
    y, x, shares, shocks = simulated()
    exposure = shares.sum(axis=0)
    outcome, regressor = (shares.T @ (v - v.mean()) / exposure for v in (y, x))
    model = IV2SLS(outcome, np.ones(len(exposure)), regressor, shocks, weights=exposure)
    unit = shiftshare.fit(y, x, shares)["exposure"]["estimate"]
    assert model.fit().params.iloc[1] == pytest.approx(unit, abs=1e-10)


def test_rotemberg_weights_add_up_and_give_back_the_estimate():
    y, x, shares, shocks = simulated()
    table = shiftshare.rotemberg(y, pd.DataFrame(shares), pd.Series(shocks))
    assert table["weight"].sum() == pytest.approx(1, abs=1e-12)
    unit = shiftshare.fit(y, x, shares)["exposure"]["estimate"]
    assert (table["weight"] * table["estimate"]).sum() == pytest.approx(unit, abs=1e-10)
    third = IV2SLS(y, np.ones(250), x, shares[:, 3]).fit().params["endog"]
    assert table.loc[3, "estimate"] == pytest.approx(third, rel=1e-9)
    assert table["exposure"].sum() == pytest.approx(1)
    # The level of the shocks is arbitrary.
    moved = shiftshare.rotemberg(y, pd.DataFrame(shares), pd.Series(shocks + 5))
    np.testing.assert_allclose(moved["weight"], table["weight"], rtol=1e-8)


def test_effective_shocks_by_hand():
    shares = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])
    assert shiftshare.effective_shocks(shares) == pytest.approx(1 / (0.25 + 1 / 36 + 1 / 9))
    towns = np.eye(3)[[0] * 8 + [1] + [2]]  # one industry a town: few shocks count
    assert shiftshare.effective_shocks(towns) == pytest.approx(1 / (0.64 + 0.01 + 0.01))


def test_what_cannot_be_estimated_is_refused():
    y, x, shares, _ = simulated()
    with pytest.raises(DesignError, match="two independent"):
        shiftshare.fit(y, x, shares[:, :1])
    for other in (shares[:, 4], 0.0):  # twice the same industry, an industry that nobody has
        broken = shares.copy()
        broken[:, 5] = other
        with pytest.raises(DesignError, match="collinear"):
            shiftshare.fit(y, x, broken)


def design(effect=0.5, seed=0, n=400, shocks=40):
    rng = np.random.default_rng(seed)
    share = pd.DataFrame(rng.dirichlet(np.full(shocks, 0.1), n), index=[f"e{i}" for i in range(n)])
    growth = pd.Series(rng.normal(size=shocks), index=share.columns)
    units = pd.DataFrame({"entity": share.index, "key": share.index, "region": np.arange(n) % 20})
    units["exposure"] = (share @ growth).to_numpy()
    units["change"] = effect * units["exposure"] + rng.normal(0, 0.5, n)
    return units, share, growth


def test_a_planted_effect_is_estimated_under_every_variance():
    units, share, growth = design()
    fits, weights, effective = exposure_fits(units, share, growth)
    for fit in fits.values():
        row = fit.terms.iloc[0]
        assert row["ci_low"] < 0.5 < row["ci_high"]
        assert row["estimate"] == pytest.approx(fits["akm"].terms["estimate"].iloc[0])
    assert weights["weight"].sum() == pytest.approx(1)
    assert 20 < effective <= 40
    # Units without exposure are left out, and too few are refused.
    part = units.assign(exposure=units["exposure"].where(units.index < 300))
    assert exposure_fits(part, share, growth)[0]["region"].n_obs == 300
    with pytest.raises(DesignError, match="fewer than three"):
        exposure_fits(units.iloc[:2], share, growth)


def test_changes_by_hand():
    rows = [("a", 2018, 1.0), ("a", 2019, 3.0), ("a", 2021, 7.0), ("b", 2019, 1.0)]
    panel = pd.DataFrame(rows, columns=["entity", "year", "y"]).assign(region="R")
    table = changes(panel, "y", (2017, 2019), (2020, 2021))
    assert table.to_numpy().tolist() == [["a", "R", 5.0]]


@pytest.mark.montecarlo
def test_placebo_shocks():
    # The placebo of Adao, Kolesar and Morales: outcomes fixed, shocks drawn at random, no effect.
    # Residuals follow the shares, so that clustering by region rejects far too often.
    rng = np.random.default_rng(11)
    n, count, regions = 600, 120, 30
    shares = rng.gamma(0.3, size=(n, count)) + 1e-4
    shares /= shares.sum(axis=1, keepdims=True)
    region = np.arange(n) % regions
    draws, rejected = 1000, np.zeros(3)
    for _ in range(draws):
        y = shares @ rng.normal(size=count) + 0.05 * rng.normal(size=n)
        x = shares @ rng.normal(size=count)
        akm = shiftshare.fit(y, x, shares)["exposure"]
        akm0 = shiftshare.fit(y, x, shares, null_imposed=True)["exposure"]
        left = x - x.mean()
        score = np.bincount(region, left * (y - y.mean() - akm["estimate"] * left))
        usual = np.sqrt(regions / (regions - 1) * score @ score) / (left @ left)
        critical = stats.t.ppf(0.975, regions - 1)
        by_region = abs(akm["estimate"]) > critical * usual
        rejected += [akm["p_value"] < 0.05, akm0["p_value"] < 0.05, by_region]
    akm, akm0, usual = rejected / draws
    assert 0.03 <= akm <= 0.07
    assert 0.03 <= akm0 <= 0.07
    assert usual > 0.3
