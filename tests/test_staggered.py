from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monotowns.estimate import staggered
from monotowns.estimate.honest import _relative, _relative_test, _smooth, honest
from monotowns.run.errors import DesignError
from scipy.optimize import linprog

#: Ours and the oracle differ by rounding alone.
ROUNDING = 1e-9


def panel(entities=90, first=2012, years=9, seed=1, noise=0.1, cohorts=(2015, 2016, 2018)):
    """A third never treated; the effect is .2 + .1 a year, another .1 for the last cohort."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), range(first, first + years)])
    frame = index.to_frame(index=False, name=["entity", "year"])
    order = rng.permutation(entities) % (len(cohorts) + 2)
    frame["cohort"] = np.array([0, 0, *cohorts])[order][frame["entity"]]
    frame["region"] = frame["entity"] % 15
    level, shock = rng.normal(size=entities), 0.05 * rng.normal(size=years)
    frame["effect"] = (
        0.2 + 0.1 * (frame["year"] - frame["cohort"]) + 0.1 * (frame["cohort"] == cohorts[-1])
    )
    frame["effect"] *= (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["x"] = rng.normal(size=entities)[frame["entity"]]
    frame["z"] = rng.normal(size=len(frame))
    frame["y"] = level[frame["entity"]] + shock[frame["year"] - first] + frame["effect"]
    frame["y"] += noise * rng.normal(size=len(frame))
    return frame


def planted(frame):
    """Mean effect over treated rows, and by event time."""
    on = frame[frame["effect"] != 0]
    event = on["year"] - on["cohort"]
    return on["effect"].mean(), on.groupby(event)["effect"].mean()


ESTIMATORS = (
    "callaway_santanna",
    "imputation",
    "local_projections",
    "stacked",
    "sun_abraham",
    "two_stage",
)
HEADLINE = ("callaway_santanna", "imputation")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_planted_effects_are_recovered(estimator):
    frame = panel(noise=0.02)
    fit = getattr(staggered, estimator)(frame, "y", "cohort")
    att, events = planted(frame)
    # These two average over the events, and weight the cohorts by more than their size.
    if estimator in ("stacked", "local_projections"):
        att = events[:3].mean() if estimator == "stacked" else events[:5].mean()
    slack = 0.01 if estimator in ("stacked", "local_projections") else 0
    for term, truth in (("att", att), *((f"event {e}", events[e]) for e in range(3))):
        row = fit[term]
        assert abs(row["estimate"] - truth) < min(4 * row["standard_error"], 0.03) + slack
    early = fit.terms[fit.terms["term"].str.contains("event -")]
    assert len(early) >= 2
    assert (early["estimate"].abs() < 4 * early["standard_error"]).all()
    adopted = frame[frame["cohort"] > 0].groupby("cohort")["entity"].nunique().to_dict()
    assert fit.details["cohorts"] == adopted
    assert (fit.n_obs, fit.n_entities, fit.n_clusters) == (len(frame), 90, 90)


@pytest.mark.parametrize("estimator", HEADLINE)
def test_planted_effects_without_noise_are_exact(estimator):
    frame = panel(noise=0)
    fit = getattr(staggered, estimator)(frame, "y", "cohort", window=(-3, 3))
    att, events = planted(frame)
    found = fit.terms.set_index("term")["estimate"]
    assert found["att"] == pytest.approx(att, abs=1e-10)
    for e in range(4):
        assert found[f"event {e}"] == pytest.approx(events[e], abs=1e-10)
    assert "event 4" not in found


def test_aggregates_are_the_means_that_they_claim():
    frame = panel(noise=0)
    found = staggered.callaway_santanna(frame, "y", "cohort").terms.set_index("term")["estimate"]
    on = frame[frame["effect"] != 0]
    groups, years = (on.groupby(c)["effect"].mean() for c in ("cohort", "year"))
    size = on.groupby("cohort")["entity"].nunique()
    assert found["group"] == pytest.approx(np.average(groups, weights=size), abs=1e-10)
    assert found["calendar"] == pytest.approx(years.mean(), abs=1e-10)
    assert found["dynamic"] == pytest.approx(planted(frame)[1].mean(), abs=1e-10)
    assert found["group 2016"] == pytest.approx(groups[2016], abs=1e-10)
    assert found["calendar 2017"] == pytest.approx(years[2017], abs=1e-10)


def test_synthetic_did_recovers_a_planted_effect_and_equals_its_library_on_one_cohort():
    from diff_diff import SyntheticDiD

    frame = panel(cohorts=(2016,))
    with pytest.raises(DesignError, match="balanced"):
        staggered.synthetic_did(frame[1:], "y", "cohort")
    fit = staggered.synthetic_did(frame, "y", "cohort", draws=50)
    assert abs(fit["att"]["estimate"] - planted(frame)[0]) < 4 * fit["att"]["standard_error"]
    assert fit["group 2016"]["estimate"] == fit["att"]["estimate"]
    peer = SyntheticDiD(n_bootstrap=2, seed=1).fit(
        frame.assign(ever=(frame["cohort"] > 0).astype(int)),
        outcome="y",
        treatment="ever",
        unit="entity",
        time="year",
        post_periods=list(range(2016, 2021)),
    )
    assert fit["att"]["estimate"] == pytest.approx(peer.att, abs=1e-6)
    with pytest.raises(DesignError, match="too few never treated"):
        staggered.synthetic_did(panel(), "y", "cohort")
    with pytest.raises(DesignError, match="by entity only"):
        staggered.synthetic_did(frame, "y", "cohort", "region")


@pytest.mark.parametrize("cluster", ["entity", "region"])
@pytest.mark.parametrize("covariates", [(), ("z",)])
def test_imputation_against_diff_diff(cluster, covariates):
    from diff_diff import ImputationDiD

    frame = panel().query(
        "not (entity == 3 and year == 2014) and not (entity == 4 and year > 2016)"
    )
    fit = staggered.imputation(frame, "y", "cohort", cluster, covariates=covariates)
    peer = ImputationDiD(cluster=cluster, pretrends=True, df_convention="cluster").fit(
        frame,
        outcome="y",
        unit="entity",
        time="year",
        first_treat="cohort",
        covariates=list(covariates) or None,
    )
    events = peer.aggregate("event_study").to_dataframe().set_index("event_time")
    grown = np.sqrt(fit.n_clusters / (fit.n_clusters - 1))
    assert fit["att"]["estimate"] == pytest.approx(peer.overall_att, abs=ROUNDING)
    assert fit["att"]["standard_error"] == pytest.approx(peer.overall_se * grown, abs=ROUNDING)
    for e in (-5, -3, 0, 2, 4):
        row = fit[f"event {e}"]
        assert row["estimate"] == pytest.approx(events.loc[e, "att"], abs=ROUNDING)
        # The leads of the peer carry fixest's correction already.
        mapped = events.loc[e, "se"] * (grown if e >= 0 else 1)
        assert row["standard_error"] == pytest.approx(mapped, abs=1e-7)


def test_two_stage_has_the_point_estimates_of_imputation():
    frame = panel()
    one, two = (e(frame, "y", "cohort") for e in (staggered.imputation, staggered.two_stage))
    for term in ("att", "event 0", "event 3"):
        assert one[term]["estimate"] == pytest.approx(two[term]["estimate"], abs=1e-8)


@pytest.mark.parametrize("cluster", ["entity", "region"])
def test_sun_abraham_against_the_saturated_regression(cluster):
    # Year dummies stand among the regressors: with several absorbed effects the peer's correction
    # depends on the order in which Python's hash happens to put them.
    import pyfixest

    frame = panel()
    event = np.where(frame["cohort"] > 0, frame["year"] - frame["cohort"], -1)
    cells = frame.assign(event=event)[(frame["cohort"] > 0) & (event != -1)]
    cells = cells.groupby(["cohort", "event"]).size()
    dummies = {
        f"d{i}": ((frame["cohort"] == g) & (event == e)).astype(float)
        for i, (g, e) in enumerate(cells.index)
    }
    peer = pyfixest.feols(
        f"y ~ {' + '.join(dummies)} + C(year) | entity",
        frame.assign(**dummies),
        vcov={"CRV1": cluster},
    )
    at = [peer._coefnames.index(name) for name in dummies]
    effects, covariance = peer.coef().to_numpy()[at], peer._vcov[np.ix_(at, at)]
    fit = staggered.sun_abraham(frame, "y", "cohort", cluster)
    of = cells.index.get_level_values("event")
    for term, chosen in (("att", of >= 0), *((f"event {e}", of == e) for e in (-3, 0, 3))):
        weight = cells.to_numpy() * chosen / cells[chosen].sum()
        row = fit[term]
        assert row["estimate"] == pytest.approx(weight @ effects, abs=1e-8)
        assert row["standard_error"] == pytest.approx(
            np.sqrt(weight @ covariance @ weight), rel=1e-6
        )


@pytest.mark.parametrize("cluster", ["entity", "region"])
def test_local_projections_against_their_regressions(cluster):
    import pyfixest

    frame = panel()
    fit = staggered.local_projections(frame, "y", "cohort", cluster)
    wide = frame.pivot(index="entity", columns="year", values="y")
    for h in (-3, 0, 2):
        ahead, before = wide.shift(-h, axis=1), wide.shift(1, axis=1)
        change = (ahead - before).stack().rename("change").reset_index()
        rows = frame.merge(change, on=["entity", "year"]).dropna()
        adopts = rows["year"] == rows["cohort"]
        clean = (rows["cohort"] == 0) | (rows["cohort"] > rows["year"] + max(h, 0))
        rows = rows.assign(adopts=adopts.astype(float))[adopts | clean]
        peer = pyfixest.feols("change ~ adopts | year", rows, vcov={"CRV1": cluster})
        row = fit[f"event {h}"]
        assert row["estimate"] == pytest.approx(peer.coef()["adopts"], abs=1e-8)
        assert row["standard_error"] == pytest.approx(peer.se()["adopts"], rel=1e-8)


def test_stacked_against_its_weighted_regression():
    import pyfixest
    from diff_diff import StackedDiD

    frame = panel()
    fit = staggered.stacked(frame, "y", "cohort")
    # 2015 was preceded by three years, 2018 followed by two.
    assert fit.details["window"] == (-3, 2)
    stack = StackedDiD(kappa_pre=3, kappa_post=2).fit(
        frame, outcome="y", unit="entity", time="year", first_treat="cohort"
    )
    rows = stack.stacked_data.rename(columns={"_event_time": "e", "_D_sa": "d", "_Q_weight": "w"})
    rows = rows.astype({"e": int, "d": float})
    peer = pyfixest.feols(
        "y ~ d + i(e, ref=-1) + i(e, d, ref=-1)", rows, weights="w", vcov={"CRV1": "entity"}
    )
    for e in (-3, 0, 2):
        row = fit[f"event {e}"]
        assert row["estimate"] == pytest.approx(peer.coef()[f"e::{e}:d"], abs=1e-8)
        assert row["standard_error"] == pytest.approx(peer.se()[f"e::{e}:d"], rel=1e-8)
    with pytest.raises(DesignError, match="by entity only"):
        staggered.stacked(frame, "y", "cohort", "region")


@pytest.mark.parametrize(("library", "sum_to_one"), [("moderndid", True), ("diff_diff", False)])
def test_doubly_robust_cell_by_hand(library, sum_to_one):
    import statsmodels.api as sm

    frame = panel(entities=60)
    fit = staggered.callaway_santanna(
        frame, "y", "cohort", control_group="never", covariates=["x"], library=library
    )
    cells = fit.details["group_time"].set_index(["cohort", "year"])["estimate"]
    wide = frame.pivot(index="entity", columns="year", values="y")
    of = frame.groupby("entity")[["cohort", "x"]].first()
    kept = of["cohort"].isin([0, 2016])
    d, x = (of.loc[kept, "cohort"] > 0).to_numpy(float), sm.add_constant(of.loc[kept, "x"])
    change = (wide[2018] - wide[2015])[kept].to_numpy()
    score = sm.Logit(d, x).fit(disp=0, tol=1e-14, maxiter=200).predict(x)
    rest = change - sm.OLS(change[d == 0], x[d == 0]).fit().predict(x)
    odds = (score / (1 - score) * (1 - d)).to_numpy()
    total = odds.sum() if sum_to_one else d.sum()
    by_hand = (d @ rest) / d.sum() - (odds @ rest) / total
    assert cells[2016, 2018] == pytest.approx(by_hand, abs=1e-8)


def test_influence_functions_cluster_by_region_and_libraries_agree():
    frame = panel()
    one, two = (
        staggered.callaway_santanna(
            frame,
            "y",
            "cohort",
            "region",
            control_group="never",
            base_period="universal",
            anticipation=1,
            library=library,
        )
        for library in ("diff_diff", "moderndid")
    )
    columns = ["estimate", "standard_error"]
    np.testing.assert_allclose(one.terms[columns], two.terms[columns], atol=1e-9)
    assert one.n_clusters == 15
    assert "CRV1(region)" in one.variance
    # The base year with one year of anticipation is two years before the cohort's.
    assert "event -2" not in set(one.terms["term"])
    assert {"event -1", "event -3"} <= set(one.terms["term"])


def test_a_year_of_anticipation_is_kept_out_of_the_untreated():
    frame = panel(noise=0)
    early = (frame["cohort"] > 0) & (frame["year"] == frame["cohort"] - 1)
    frame["y"] += 0.5 * early
    truth = planted(frame)[0]
    for estimator in HEADLINE:
        fit = getattr(staggered, estimator)(frame, "y", "cohort", anticipation=1)
        assert fit["att"]["estimate"] == pytest.approx(truth, abs=1e-10)
        assert fit["event -1"]["estimate"] == pytest.approx(0.5, abs=1e-10)
        naive = getattr(staggered, estimator)(frame, "y", "cohort")["att"]["estimate"]
        assert abs(naive - truth) > 0.05


@pytest.mark.parametrize(
    "estimator", ["callaway_santanna", "imputation", "sun_abraham", "two_stage"]
)
def test_the_covariance_has_the_order_of_the_terms(estimator):
    call = getattr(staggered, estimator)
    fit = call(panel(), "y", "cohort", "region", seed=3)
    assert fit.terms["term"].iloc[-1] == "band"
    # Without a seed nothing is drawn: the same terms but the band.
    plain = call(panel(), "y", "cohort", "region").terms
    pd.testing.assert_frame_equal(plain, fit.terms.iloc[:-1])
    spread = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(spread, fit.terms["standard_error"].iloc[:-1], rtol=1e-10)
    events = fit.terms["term"].iloc[:-1].str.startswith("event").to_numpy()
    block = fit.covariance[np.ix_(events, events)]
    assert np.linalg.eigvalsh(block).min() > -1e-12
    # The uniform band is wider than the pointwise and not wider than Bonferroni's.
    assert 1.96 < fit["band"]["estimate"] < 3.1


@pytest.mark.parametrize("estimator", [*HEADLINE, "sun_abraham", "stacked"])
def test_a_misdated_treatment_is_caught_by_the_pretrend_test(estimator):
    frame = panel(cohorts=(2016, 2017, 2018))
    fit = getattr(staggered, estimator)(frame, "y", "cohort")
    good = staggered.pretrend_test(fit)
    assert good.p_value > 0.01
    late = frame.assign(cohort=frame["cohort"] + 2 * (frame["cohort"] > 0))
    bad = staggered.pretrend_test(getattr(staggered, estimator)(late, "y", "cohort"))
    assert bad.p_value < 1e-6
    assert bad.df == 90 - bad.restrictions


def test_pretrend_test_by_hand_and_its_refusals():
    fit = staggered.imputation(panel(), "y", "cohort", window=(-2, 2))
    row, result = fit["event -2"], staggered.pretrend_test(fit)
    # One restriction: F is the square of t, with the same p-value.
    assert result.statistic == pytest.approx((row["estimate"] / row["standard_error"]) ** 2)
    assert result.p_value == pytest.approx(row["p_value"])
    refusals = {
        "no event before": staggered.imputation(panel(), "y", "cohort", window=(0, 2)),
        "gives no covariance": staggered.local_projections(panel(), "y", "cohort"),
        "singular": staggered.callaway_santanna(
            panel().assign(region=lambda f: f["entity"] % 3), "y", "cohort", "region"
        ),
    }
    for words, refused in refusals.items():
        with pytest.raises(DesignError, match=words):
            staggered.pretrend_test(refused)


def test_a_single_treated_entity_has_an_estimate_but_no_standard_error():
    frame = panel()
    alone = frame.loc[frame["cohort"] == 2018, "entity"].min()
    frame = frame[(frame["cohort"] != 2018) | (frame["entity"] == alone)]
    fit = staggered.callaway_santanna(frame, "y", "cohort")
    assert np.isfinite(fit["group 2018"]["estimate"])
    assert np.isnan(fit["group 2018"]["standard_error"])
    assert np.isfinite(fit["att"]["standard_error"])
    # Only the first cohort, here of one, is seen five years later.
    frame = panel()
    alone = frame.loc[frame["cohort"] == 2015, "entity"].min()
    frame = frame[(frame["cohort"] != 2015) | (frame["entity"] == alone)]
    fit = staggered.imputation(frame, "y", "cohort", window=(-3, 5), seed=3)
    assert np.isnan(fit["event 5"]["standard_error"])
    assert np.isfinite(fit["event 4"]["standard_error"])
    assert np.isfinite(fit["band"]["estimate"])


def test_without_never_treated_entities_what_is_not_identified_is_left_out():
    frame = panel(noise=0)
    frame = frame[frame["cohort"] > 0]
    on = frame[(frame["effect"] != 0) & (frame["year"] < 2018)]
    for estimator in HEADLINE:
        fit = getattr(staggered, estimator)(frame, "y", "cohort")
        expected = on["effect"].mean()
        assert fit["att"]["estimate"] == pytest.approx(expected, abs=1e-10)
    assert fit.details["not_imputed"] == frame["year"].ge(2018).sum()
    for estimator in ("sun_abraham", "callaway_santanna"):
        chosen = {"control_group": "never"} if estimator == "callaway_santanna" else {}
        with pytest.raises(DesignError, match="never treated"):
            getattr(staggered, estimator)(frame, "y", "cohort", **chosen)


@cache
def fitted(estimator):
    return getattr(staggered, estimator)(panel(45, years=7), "y", "cohort").terms


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("estimator", HEADLINE)
def test_relabelling_reordering_rescaling_and_entity_levels_do_not_matter(
    estimator, seed, scale, shift
):
    frame, rng = panel(45, years=7), np.random.default_rng(seed)
    names, levels = rng.permutation(45), shift * rng.normal(size=45)
    changed = frame.assign(
        entity=names[frame["entity"]], y=scale * (frame["y"] + levels[frame["entity"]])
    ).sample(frac=1, random_state=seed)
    found = getattr(staggered, estimator)(changed, "y", "cohort").terms
    before = fitted(estimator)
    assert found["term"].tolist() == before["term"].tolist()
    np.testing.assert_allclose(found["p_value"], before["p_value"], rtol=1e-5, atol=1e-9)
    for column in ("estimate", "standard_error"):
        np.testing.assert_allclose(
            found[column][:-1] / scale, before[column][:-1], rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("estimator", HEADLINE)
def test_levels_of_entities_do_not_matter_on_an_unbalanced_panel(estimator):
    frame = panel().sample(frac=0.85, random_state=3)
    frame = frame[frame.groupby("entity")["year"].transform("min") < 2015]
    lifted = frame.assign(y=frame["y"] + 10 * frame["entity"])
    one, two = (getattr(staggered, estimator)(f, "y", "cohort") for f in (frame, lifted))
    np.testing.assert_allclose(one.terms["estimate"], two.terms["estimate"], atol=1e-8)
    assert abs(one["att"]["estimate"] - planted(frame)[0]) < 4 * one["att"]["standard_error"]


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "bacon", "synthetic_did"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(y=f["y"].where(f.index != 7)), r"value is missing\n  at: \(0, 2019\)"),
        (lambda f: f.assign(y=f["y"].where(f.index != 7, np.inf)), "value is missing"),
        (lambda f: f.assign(cohort=f["cohort"].where(f["entity"] > 0)), "value is missing"),
        (lambda f: pd.concat([f, f[10:11]]), r"stands twice\n  at: \(1, 2013\)"),
        (lambda f: f.assign(cohort=f["cohort"].where(f.index != 3, 2014)), "cohort varies"),
        (lambda f: f.assign(cohort=0), "no entity is treated"),
        (lambda f: f.assign(cohort=2016), "no entity is a control"),
        (lambda f: f.assign(cohort=f["cohort"].replace(2015, 2012)), "outside the panel"),
        (lambda f: f.assign(cohort=f["cohort"].replace(2015, 2021)), "outside the panel"),
        (lambda f: f.assign(entity_region="one"), "fewer than two clusters"),
        (lambda f: f.assign(entity_region=f["year"]), "entity_region varies"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_name(estimator, change, words):
    frame = change(panel(30))
    cluster = "entity_region" if "entity_region" in frame else "entity"
    with pytest.raises(DesignError, match=words):
        getattr(staggered, estimator)(frame, "y", "cohort", cluster)


def test_further_refusals():
    frame = panel(30)
    treated = frame.loc[frame["cohort"] == 2015, "entity"].min()
    unseen = frame[(frame["entity"] != treated) | (frame["year"] >= 2015)]
    with pytest.raises(DesignError, match="never seen untreated"):
        staggered.imputation(unseen, "y", "cohort")
    with pytest.raises(DesignError, match="not balanced"):
        staggered.bacon(frame[1:], "y", "cohort")
    with pytest.raises(DesignError, match="not balanced"):
        staggered.callaway_santanna(frame[1:], "y", "cohort", library="moderndid")
    for option in ("control_group", "base_period", "library"):
        with pytest.raises(DesignError, match=f"{option}.*unknown"):
            staggered.callaway_santanna(frame, "y", "cohort", **{option: "other"})
    with pytest.raises(DesignError, match="beside the effects"):
        staggered.imputation(frame, "y", "cohort", covariates=["x"])
    apart = frame[(frame["entity"] != 0) | (frame["year"] > 2017)]
    apart = apart[(apart["entity"] == 0) | (apart["year"] <= 2017)]
    with pytest.raises(DesignError, match=r"fall apart.*\n  at: 0\n"):
        staggered.imputation(
            apart.assign(cohort=apart["cohort"].where(apart["entity"] > 0, 0)).query(
                "cohort != 2018"
            ),
            "y",
            "cohort",
        )
    with pytest.raises(DesignError, match="no window"):
        staggered.stacked(panel(30, cohorts=(2013, 2015)), "y", "cohort")


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
    rng = np.random.default_rng(0)
    sigma = 1e-10 * np.eye(len(beta))
    weights = np.eye(after)[0]
    for m in (0.5, 1.5):
        ends = _relative(beta, sigma, 4, weights, m, 0.95, rng.standard_normal((12, 4000)))
        np.testing.assert_allclose(ends, identified(beta, 4, m), atol=1e-3)


def test_sensitivity_without_slack_is_the_conventional_interval():
    # Under relative magnitudes of 0 trends are parallel after the treatment.
    beta, sigma = np.array([0.1, -0.2, 1.0, 1.2]), np.diag([0.01, 0.01, 0.04, 0.04])
    normal = np.random.default_rng(0).standard_normal((8, 50_000))
    low, high = _relative(beta, sigma, 2, np.array([1.0, 0.0]), 0.0, 0.95, normal)
    np.testing.assert_allclose([low, high], [1 - 1.96 * 0.2, 1 + 1.96 * 0.2], atol=0.01)
    # A constant slope: the shortest interval around a linear extrapolation, by least squares.
    low, high = _smooth(beta, sigma, 2, np.array([1.0, 0.0]), 0.0, 0.95)
    slope = np.array([-2.0, -1.0]) / 5
    variance = 0.04 + 0.01 * (slope @ slope)
    np.testing.assert_allclose((low + high) / 2, 1 - slope @ beta[:2], atol=1e-5)
    np.testing.assert_allclose((high - low) / 2, 1.959964 * np.sqrt(variance), atol=1e-5)


@pytest.mark.parametrize("kind", ["relative_magnitudes", "smoothness"])
def test_sensitivity_widens_with_the_bound_and_breaks_where_the_interval_meets_zero(kind):
    frame = panel()
    fit = staggered.callaway_santanna(frame, "y", "cohort", base_period="universal", window=(-3, 2))
    bounds = (0.1, 0.5, 1.0, 3.0) if kind == "relative_magnitudes" else (0, 0.02, 0.05, 0.2)
    found = honest(fit, bounds, kind=kind)
    table = found.terms.iloc[:-1]
    assert (table["ci_low"].diff()[1:] < 0).all()
    assert (table["ci_high"].diff()[1:] > 0).all()
    assert (table["estimate"] == fit["event 0"]["estimate"]).all()
    m = found["breakdown"]["estimate"]
    inside, outside = (honest(fit, [b], kind=kind).terms["ci_low"][0] for b in (1.01 * m, 0.99 * m))
    assert inside < 0 < outside
    mean = honest(fit, bounds, kind=kind, target=None)
    late = [fit[f"event {e}"]["estimate"] for e in range(3)]
    assert mean.terms["estimate"][0] == pytest.approx(np.mean(late))
    assert honest(fit, bounds, kind=kind).terms.equals(found.terms)
    null = panel(seed=8).assign(y=lambda f: f["y"] - f["effect"])
    null = honest(staggered.sun_abraham(null, "y", "cohort"), bounds, kind=kind)
    assert null["breakdown"]["estimate"] == 0


def test_refusals_of_the_sensitivity():
    for estimator in (*HEADLINE, "two_stage"):
        with pytest.raises(DesignError, match=r"one base period\n.*\n.*universal"):
            honest(getattr(staggered, estimator)(panel(), "y", "cohort"))
    fit = staggered.sun_abraham(panel(), "y", "cohort")
    with pytest.raises(DesignError, match="unknown kind"):
        honest(fit, kind="magnitudes")
    with pytest.raises(DesignError, match="no such target"):
        honest(fit, target=9)
    with pytest.raises(DesignError, match="no covariance"):
        honest(staggered.local_projections(panel(), "y", "cohort"))
    with pytest.raises(DesignError, match="too few periods"):
        honest(staggered.sun_abraham(panel(), "y", "cohort", window=(-2, 3)))
    keep = np.flatnonzero(fit.terms["term"] != "event -3")
    gap = replace(
        fit,
        terms=fit.terms.iloc[keep].reset_index(drop=True),
        covariance=fit.covariance[np.ix_(keep, keep)],
    )
    with pytest.raises(DesignError, match=r"a period is missing\n  at: -3"):
        honest(gap)


#: Share of draws within which coverage of 95 and size of 5 per cent must lie.
COVERAGE, SIZE = (0.93, 0.97), (0.03, 0.07)


@pytest.mark.montecarlo
@pytest.mark.parametrize("estimator", HEADLINE)
def test_coverage_and_size(estimator, draws=1_000):
    estimate = getattr(staggered, estimator)
    covered = rejected = pretrends = 0
    for seed in range(draws):
        frame = panel(60, years=8, seed=seed, noise=1.0, cohorts=(2015, 2016, 2017))
        fit, truth = estimate(frame, "y", "cohort", window=(-3, 0)), planted(frame)[0]
        covered += fit["att"]["ci_low"] <= truth <= fit["att"]["ci_high"]
        pretrends += staggered.pretrend_test(fit).p_value < 0.05
        # Without events: their band takes a good part of the time.
        null = frame.assign(y=frame["y"] - frame["effect"])
        fit = estimate(null, "y", "cohort", window=(0, -1))
        rejected += fit["att"]["p_value"] < 0.05
    assert COVERAGE[0] <= covered / draws <= COVERAGE[1]
    assert SIZE[0] <= rejected / draws <= SIZE[1]
    assert SIZE[0] <= pretrends / draws <= SIZE[1]


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
        accept = _relative_test(beta + root @ one, root @ root.T, 3, weights, m, 0.95, normal)
        covered += accept(np.zeros(1))[0]
    assert COVERAGE[0] <= covered / draws <= COVERAGE[1]
