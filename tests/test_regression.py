"""Least squares, event studies and their variances against other implementations."""

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import variances
from monotowns.estimate.absorb import drop_singletons
from monotowns.estimate.conley import conley
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.record import terms_by_chance
from monotowns.estimate.regression import event_study, joint_test, least_squares, ols, sup_t
from monotowns.run.errors import DesignError
from scipy import stats


def simulated(seed=1, entities=120, years=range(2012, 2020)):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), years], names=["entity", "year"])
    frame = index.to_frame(index=False)
    frame["region"] = "r" + (frame["entity"] % 12).astype(str)
    frame["region_year"] = frame["region"] + frame["year"].astype(str)
    frame["monotown"] = (frame["entity"] % 3 == 0).astype(float)
    frame["x"] = rng.normal(size=len(frame)) + frame["monotown"]
    frame["z"] = np.sin(frame["year"] * frame["entity"])
    frame["w"] = 1 + frame["entity"] % 5
    frame["y"] = rng.normal(0, 0.05, len(frame)) + rng.normal(0, 1, entities)[frame["entity"]]
    frame["y"] += 0.03 * frame["year"] + 0.1 * frame["x"]
    frame["lat"], frame["lon"] = 55.0, 40.0 + frame["entity"] / 10
    return frame.sample(frac=0.8, random_state=0).sort_index()  # unbalanced


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("effects", [["entity", "region_year"], ["region"], []])
@pytest.mark.parametrize("cluster", ["region", "entity"])
def test_least_squares_is_fixests(effects, cluster, weights):
    import pyfixest

    frame = simulated()
    fit = least_squares(frame, "y", ["x", "z"], effects, cluster, weights)
    peer = pyfixest.feols(
        "y ~ x + z" + (f" | {' + '.join(effects)}" if effects else ""),
        drop_singletons(frame, effects),
        vcov={"CRV1": cluster},
        weights=weights,
        fixef_tol=1e-12,
    )
    for name in ("x", "z"):
        assert fit[name]["estimate"] == pytest.approx(peer.coef()[name], abs=1e-9)
        assert fit[name]["standard_error"] == pytest.approx(peer.se()[name], abs=1e-9)
        assert fit[name]["p_value"] == pytest.approx(peer.pvalue()[name], abs=1e-9)


def test_driscoll_and_kraay_by_fixests_rule():
    import pyfixest

    frame = drop_singletons(simulated(), ["entity"])
    wanted = {"fixed_effects": ["entity"], "variances": ["driscoll_kraay"]}
    _, fit = ols(frame, "y", ["x", "z"], "region", **wanted)
    peer = pyfixest.feols("y ~ x + z | entity", frame, vcov="iid", fixef_tol=1e-12)
    peer.vcov("DK", vcov_kwargs={"time_id": "year", "panel_id": "entity", "lag": variances.LAGS})
    for name in ("x", "z"):
        assert fit[name]["standard_error"] == pytest.approx(peer.se()[name], abs=1e-9)
        assert fit[name]["p_value"] == pytest.approx(peer.pvalue()[name], abs=1e-9)  # t(T - 1)
    assert fit.n_clusters == 8
    with pytest.raises(DesignError, match="too few years"):
        ols(frame[frame["year"] < 2015], "y", "x", "region", **wanted)


def test_further_variances_keep_the_estimate_and_have_fixests_factor():
    wanted = ["crv3", "wild", "conley_100"]
    frame, effects = simulated(), ["entity", "year"]
    fits = ols(frame, "y", "x", "region", fixed_effects=effects, variances=wanted, draws=999)
    assert len({fit["x"]["estimate"] for fit in fits}) == 1
    names = [fit.variance.split("(")[0].split(",")[0].strip() for fit in fits]
    assert names == ["CRV1", "CRV3", "wild cluster bootstrap", "Conley 100 km"]
    wild = fits[2]["x"]
    assert wild["ci_low"] < wild["estimate"] < wild["ci_high"]
    details, rows = fits[0].details, fits[0].details["rows"]
    place = (rows["lat"], rows["lon"], rows["year"])
    bare = conley(details["X"], details["residuals"], *place, 100, lags=3, entity=rows["entity"])
    n, k = len(rows), 1 + rows["entity"].nunique() + rows["year"].nunique() - 1
    assert fits[3]["x"]["standard_error"] ** 2 == pytest.approx(bare[0, 0] * (n - 1) / (n - k))
    with pytest.raises(DesignError, match="weighted"):
        ols(frame, "y", "x", "region", weights="w", variances=["crv3"])


def test_an_event_study_recovers_a_planted_path():
    frame = simulated()
    path = frame["monotown"] * (frame["year"] - 2013) ** 2
    frame["y"] = path + np.random.default_rng(0).normal(0, 1e-6, len(frame))
    (fit,) = event_study(frame, "y", "monotown", 2013, "region", fixed_effects=["entity", "year"])
    assert "2013" not in set(fit.terms["term"])
    for year in (2012, 2015, 2019):
        assert fit[str(year)]["estimate"] == pytest.approx((year - 2013) ** 2, abs=1e-5)
    # Between the pointwise and the Bonferroni value of seven estimates.
    assert 1.96 < fit["band"]["estimate"] < 2.70


def test_the_uniform_band_of_independent_estimates_is_sidaks():
    exact = stats.norm.ppf((1 + 0.95 ** (1 / 5)) / 2)
    assert sup_t(np.diag([1.0, 4.0, 9.0, 1.0, 1.0])) == pytest.approx(exact, abs=0.03)
    assert sup_t(np.ones((3, 3))) == pytest.approx(1.96, abs=0.03)


@pytest.mark.parametrize("noise", [0, 1e-6])
def test_regressors_that_nearly_explain_one_another_are_refused_by_name(noise):
    frame = simulated()
    frame["twice"] = 2 * frame["x"] + np.random.default_rng(2).normal(size=len(frame)) * noise
    with pytest.raises(DesignError, match=r"explain one another\n  at: .*x.*twice"):
        least_squares(frame, "y", ["z", "x", "twice"], ["entity"])
    frame["constant"] = frame["entity"] * 2.0
    with pytest.raises(DesignError, match=r"explained by the fixed effects\n  at: constant"):
        least_squares(frame, "y", ["z", "constant"], ["entity"])


def test_singletons_are_dropped_until_none_is_left():
    # b's first row shares its year only with c, which is alone: dropping c makes b a singleton.
    rows = pd.DataFrame({"e": list("aabbc"), "t": [1, 2, 1, 3, 3]})
    assert len(drop_singletons(rows, ["e", "t"])) == 0
    whole = pd.DataFrame({"e": list("aabb"), "t": [1, 2, 1, 2]})
    assert len(drop_singletons(whole, ["e", "t"])) == 4


def test_the_joint_test_of_the_years_before_is_statsmodels_own():
    from statsmodels.formula.api import ols as formula

    frame = simulated().assign(code=lambda f: f["region"].str[1:].astype(int))
    found = event_study(frame, "y", "monotown", 2015, "region", fixed_effects=["year"])[0]
    years = [year for year in range(2012, 2020) if year != 2015]
    columns = {f"d{year}": frame["monotown"] * (frame["year"] == year) for year in years}
    fit = formula("y ~ C(year) + " + " + ".join(columns), frame.assign(**columns)).fit(
        cov_type="cluster", cov_kwds={"groups": frame["code"]}, use_t=True
    )
    peer = fit.f_test("d2012 = 0, d2013 = 0, d2014 = 0")
    assert found["before"]["estimate"] == pytest.approx(float(peer.fvalue), rel=1e-6)
    assert found["before"]["p_value"] == pytest.approx(float(peer.pvalue), rel=1e-6)
    # One number: the square of its t.
    f, p_value = joint_test([0.3], [[0.01]], 20)
    assert (f, p_value) == pytest.approx((9.0, 0.00708), abs=1e-5)


def test_an_event_study_from_its_first_year_has_nothing_to_test():
    frame = simulated()
    found = event_study(frame, "y", "monotown", 2012, "region", fixed_effects=["entity", "year"])[0]
    assert "before" not in set(found.terms["term"])


def test_one_terms_bootstrap_is_that_of_all():
    frame = simulated()
    fit, wild = ols(frame, "y", ["x", "z"], "region", variances=["wild"], draws=99, seed=2)
    shared = clustered_fit(*fit.details["raw"])
    alone = variances.wild_bootstrap(fit, shared, 99, 2, only=["z"])
    assert alone.terms["term"].tolist() == ["z"]
    assert alone["z"].tolist()[1:] == pytest.approx(wild["z"].tolist()[1:], nan_ok=True)


def test_terms_by_chance_have_no_error_and_no_interval():
    terms = terms_by_chance(["a", "b"], [0.5, -1.0], [0.04, 0.7])
    assert terms[["term", "estimate", "p_value"]].to_numpy().tolist() == [
        ["a", 0.5, 0.04],
        ["b", -1.0, 0.7],
    ]
    assert terms[["standard_error", "ci_low", "ci_high"]].isna().all().all()
