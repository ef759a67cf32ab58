import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import shiftshare
from monotowns.run.errors import DesignError
from scipy import stats


def simulated(seed=0, n=250, count=20, complete=True):
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.4, size=(n, count)) + 1e-3
    shares /= shares.sum(axis=1, keepdims=True)
    if not complete:
        shares *= rng.uniform(0.3, 0.9, n)[:, None]
    shocks, latent = rng.normal(size=(2, count))
    x = shares @ shocks
    treatment = x + 0.3 * rng.normal(size=n) + shares @ latent
    y = 0.8 * treatment + 2 * (shares @ rng.normal(size=count)) + rng.normal(size=n)
    controls = np.column_stack([np.ones(n), rng.normal(size=n), rng.uniform(size=n)])
    return {"y": y, "x": x, "controls": controls, "shares": shares}, shocks, treatment


def weighted_iv(y, treatment, x, controls, weights):
    left = np.column_stack([treatment, controls])
    instruments = np.column_stack([x, controls]) * weights[:, None]
    return np.linalg.solve(instruments.T @ left, instruments.T @ y)[0]


WEIGHTS = np.random.default_rng(9).uniform(0.5, 3, 250)


def test_akm_with_own_shocks_is_the_heteroskedasticity_robust_error():
    # One unit a shock, identity shares: nothing is left but White's variance without correction.
    import pyfixest

    rng = np.random.default_rng(0)
    n = 80
    shocks, c = rng.normal(size=(2, n))
    y = shocks + c + np.abs(shocks) * rng.normal(size=n)
    fit = shiftshare.fit(y, shocks, np.column_stack([np.ones(n), c]), np.eye(n))
    rows = pd.DataFrame({"y": y, "g": shocks, "c": c})
    peer = pyfixest.feols("y ~ g + c", rows, vcov="hetero", ssc=pyfixest.ssc(k_adj=False))
    assert fit["exposure"]["estimate"] == pytest.approx(peer.coef()["g"], abs=1e-10)
    assert fit["exposure"]["standard_error"] == pytest.approx(peer.se()["g"], abs=1e-10)
    assert fit.details["effective_shocks"] == pytest.approx(n)


def test_akm_with_one_industry_a_town_is_the_robust_error_clustered_by_industry():
    # One-hot shares: units of one industry share one shock, AKM is the clustered sandwich.
    rng = np.random.default_rng(1)
    n, count = 300, 12
    industry = rng.integers(count, size=n)
    shocks = rng.normal(size=count)
    x, y = shocks[industry], rng.normal(size=count)[industry] + rng.normal(size=n)
    fit = shiftshare.fit(y, x, np.ones((n, 1)), np.eye(count)[industry])
    left = x - x.mean()
    residual = y - y.mean() - left * (left @ y) / (left @ left)
    sums = np.bincount(industry, left * residual)
    expected = np.sqrt(sums @ sums) / (left @ left)
    assert fit["exposure"]["standard_error"] == pytest.approx(expected, rel=1e-10)
    sizes = np.bincount(industry)
    effective = n**2 / (sizes @ sizes)
    assert fit.details["effective_shocks"] == pytest.approx(effective)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("endogenous", [False, True])
def test_akm_by_its_definition_one_shock_at_a_time(weights, endogenous):
    data, _, treatment = simulated()
    treatment = treatment if endogenous else data["x"]
    cluster = np.arange(20) // 2
    fit = shiftshare.fit(**data, treatment=treatment, weights=weights, shock_cluster=cluster)
    w = np.ones(250) if weights is None else weights
    y, x, shares, controls = (data[k] for k in ("y", "x", "shares", "controls"))
    effect = weighted_iv(y, treatment, x, controls, w)
    root = np.diag(np.sqrt(w))

    def residual(v):
        return v - controls @ np.linalg.pinv(root @ controls) @ root @ v

    latent = np.linalg.pinv(root @ shares) @ root @ residual(x)
    error = residual(y) - effect * residual(treatment)
    total = 0.0
    for s in range(0, 20, 2):
        total += sum(latent[r] * (w * shares[:, r]) @ error for r in (s, s + 1)) ** 2
    expected = np.sqrt(total) / abs(w @ (residual(x) * residual(treatment)))
    assert fit["exposure"]["estimate"] == pytest.approx(effect, abs=1e-10)
    assert fit["exposure"]["standard_error"] == pytest.approx(expected, rel=1e-9)
    assert fit.n_clusters == 10


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("endogenous", [False, True])
@pytest.mark.parametrize("complete", [False, True])
def test_shock_level_gives_the_unit_level_coefficient(weights, endogenous, complete):
    data, shocks, treatment = simulated(complete=complete)
    treatment = treatment if endogenous else None
    q = np.random.default_rng(5).normal(size=(20, 2))
    total = shiftshare.share_sum(data["shares"])
    data["controls"] = np.column_stack([data["controls"], total, data["shares"] @ q])
    options = {"treatment": treatment, "weights": weights}
    unit = shiftshare.fit(**data, **options)
    shock = shiftshare.shock_level(**data, shocks=shocks, shock_controls=q, **options)
    assert shock["exposure"]["estimate"] == pytest.approx(unit["exposure"]["estimate"], abs=1e-10)
    assert (shock.n_obs, shock.n_clusters) == (20, 20)


def test_shock_level_error_is_the_robust_error_of_the_regression_of_shocks():
    data, shocks, treatment = simulated()
    fit = shiftshare.shock_level(**data, shocks=shocks, treatment=treatment)
    t = fit.details["shocks"]
    left = np.column_stack([t["treatment"], np.ones(20)])
    right = np.column_stack([t["shock"], np.ones(20)]) * t["weight"].to_numpy()[:, None]
    inverse = np.linalg.inv(right.T @ left)
    residual = t["outcome"] - left @ inverse @ right.T @ t["outcome"]
    scores = right * residual.to_numpy()[:, None]
    expected = np.sqrt((20 / 18 * inverse @ scores.T @ scores @ inverse.T)[0, 0])
    assert fit["exposure"]["standard_error"] == pytest.approx(expected, rel=1e-9)


def test_incomplete_shares_without_their_control_are_refused_at_the_shock_level():
    data, shocks, _ = simulated(complete=False)
    with pytest.raises(DesignError, match="share_sum"):
        shiftshare.shock_level(**data, shocks=shocks)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_rotemberg_weights_add_up_and_give_back_the_estimate(weights):
    data, shocks, treatment = simulated()
    options = {"treatment": treatment, "weights": weights}
    table = shiftshare.rotemberg(**data, shocks=shocks, **options)
    unit = shiftshare.fit(**data, **options)["exposure"]["estimate"]
    assert table["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert (table["weight"] * table["estimate"]).sum() == pytest.approx(unit, abs=1e-10)
    w = np.ones(250) if weights is None else weights
    third = weighted_iv(data["y"], treatment, data["shares"][:, 3], data["controls"], w)
    assert table.loc[3, "estimate"] == pytest.approx(third, rel=1e-9)
    assert table["exposure"].sum() == pytest.approx(1)


@pytest.mark.parametrize("endogenous", [False, True])
def test_akm0_is_the_set_of_effects_that_are_not_rejected(endogenous):
    data, _, treatment = simulated()
    treatment = treatment if endogenous else data["x"]
    fit = shiftshare.fit(**data, treatment=treatment, null_imposed=True)
    plain = shiftshare.fit(**data, treatment=treatment)
    row, usual = fit["exposure"], plain["exposure"]
    assert row["ci_low"] < usual["estimate"] == row["estimate"] < row["ci_high"]
    # With few shocks imposing the null widens the interval.
    assert row["ci_high"] - row["ci_low"] > usual["ci_high"] - usual["ci_low"]
    shares, controls, x = data["shares"], data["controls"], data["x"]
    project = np.eye(250) - controls @ np.linalg.pinv(controls)
    latent = np.linalg.pinv(shares) @ project @ x

    def statistic(b):
        error = project @ (data["y"] - b * treatment)
        return (x @ error) ** 2 / np.sum((latent * (shares.T @ error)) ** 2)

    critical = stats.chi2.ppf(0.95, 1)
    for end in (row["ci_low"], row["ci_high"]):
        assert statistic(end) == pytest.approx(critical, rel=1e-8)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic(0.0), 1), rel=1e-9)


def test_akm0_with_an_irrelevant_instrument_is_unbounded_and_holds_the_estimate():
    data, _, _ = simulated()
    treatment = np.random.default_rng(3).normal(size=250)
    fit = shiftshare.fit(**data, treatment=treatment, null_imposed=True)
    row = fit["exposure"]
    assert (row["ci_low"], row["ci_high"]) == (-np.inf, np.inf)
    assert np.isnan(row["standard_error"])
    assert any(low <= row["estimate"] <= high for low, high in fit.details["set"])


def test_absorbing_first_or_as_controls_is_the_same():
    data, _, _ = simulated()
    project = np.eye(250) - data["controls"] @ np.linalg.pinv(data["controls"])
    absorbed = data | {"y": project @ data["y"], "x": project @ data["x"], "controls": None}
    one, other = shiftshare.fit(**data).terms, shiftshare.fit(**absorbed).terms
    np.testing.assert_allclose(
        one.iloc[:, 1:].to_numpy(float), other.iloc[:, 1:].to_numpy(float), rtol=1e-8
    )


def test_effective_shocks_by_hand():
    shares = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])
    assert shiftshare.effective_shocks(shares) == pytest.approx(1 / (0.25 + 1 / 36 + 1 / 9))
    assert shiftshare.effective_shocks(shares, weights=[0, 2, 0]) == pytest.approx(2)
    assert shiftshare.effective_shocks(shares, shock_cluster=["a", "b", "b"]) == pytest.approx(2)


def test_share_sum_by_period():
    shares = np.array([[0.2, 0.3], [0.1, 0.1], [0.4, 0.0]])
    np.testing.assert_allclose(shiftshare.share_sum(shares), [[0.5], [0.2], [0.4]])
    by_period = shiftshare.share_sum(shares, [2013, 2012, 2013])
    np.testing.assert_allclose(by_period, [[0, 0.5], [0.2, 0], [0, 0.4]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["y"].__setitem__(4, np.nan), r"y is not finite\n  at: 4"),
        (lambda d: d["shares"].__setitem__((7, 2), -0.1), r"negative\n  at: 7"),
        (lambda d: d["shares"].__setitem__((slice(None), 5), 0), r"exposed to a shock\n  at: 5"),
        (lambda d: d["shares"].__setitem__((slice(None), 5), d["shares"][:, 4]), "collinear"),
        (lambda d: d.update(shock_cluster=np.zeros(20)), "two independent"),
        (lambda d: d.update(shock_cluster=np.zeros(19)), "one cluster a shock"),
        (lambda d: d.update(controls=np.column_stack([d["controls"], d["x"]])), "no variation"),
        (lambda d: d.update(weights=np.zeros(250)), "positive"),
        (lambda d: d.update(x=d["x"][1:]), "differ in length"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, words):
    data = simulated()[0]
    change(data)
    with pytest.raises(DesignError, match=words):
        shiftshare.fit(**data)


@pytest.mark.montecarlo
def test_placebo_shocks():
    # The placebo of Adao, Kolesar and Morales: outcomes fixed, shocks drawn at random, no effect.
    # Residuals follow the shares, so that clustering by region rejects far too often.
    rng = np.random.default_rng(11)
    n, count, regions = 600, 120, 30
    shares = rng.gamma(0.3, size=(n, count)) + 1e-4
    shares /= shares.sum(axis=1, keepdims=True)
    region, constant = np.arange(n) % regions, np.ones((n, 1))
    draws, rejected = 1000, np.zeros(3)
    for _ in range(draws):
        y = shares @ rng.normal(size=count) + 0.05 * rng.normal(size=n)
        x = shares @ rng.normal(size=count)
        akm = shiftshare.fit(y, x, constant, shares)["exposure"]
        akm0 = shiftshare.fit(y, x, constant, shares, null_imposed=True)["exposure"]
        left = x - x.mean()
        score = np.bincount(region, left * (y - y.mean() - akm["estimate"] * left))
        usual = np.sqrt(regions / (regions - 1) * score @ score) / (left @ left)
        t = abs(akm["estimate"]) / usual
        rejected += [
            akm["p_value"] < 0.05,
            akm0["p_value"] < 0.05,
            t > stats.t.ppf(0.975, regions - 1),
        ]
    akm, akm0, usual = rejected / draws
    assert 0.03 <= akm <= 0.07
    assert 0.03 <= akm0 <= 0.07
    assert usual > 0.3
