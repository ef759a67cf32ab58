from functools import cache

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.api as sm
from diff_diff import ImputationDiD, StackedDiD
from monotowns.estimate import staggered
from monotowns.estimate.events import clustered, pretrend_test
from monotowns.run.errors import DesignError
from panels import broken, one_treated, panel, planted

#: Ours and the oracle differ by rounding alone.
ROUNDING = 1e-9

ESTIMATORS = (
    "callaway_santanna",
    "imputation",
    "local_projections",
    "stacked",
    "sun_abraham",
    "two_stage",
)
HEADLINE = ("callaway_santanna", "imputation")


def estimate(estimator, frame, *cluster, **options):
    return getattr(staggered, estimator)(frame, "y", "cohort", *cluster, **options)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_planted_effects_are_recovered(estimator):
    frame = panel(noise=0.02)
    fit = estimate(estimator, frame)
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
    att, events = planted(frame)
    found = estimate(estimator, frame, window=(-3, 3)).terms.set_index("term")["estimate"]
    expected = [att, *events[:4]]
    names = ["att", *(f"event {e}" for e in range(4))]
    np.testing.assert_allclose(found[names], expected, atol=1e-10)
    assert "event 4" not in found


def test_aggregates_are_the_means_that_they_claim():
    frame = panel(noise=0)
    found = estimate("callaway_santanna", frame).terms.set_index("term")["estimate"]
    on = frame[frame["effect"] != 0]
    groups, years = (on.groupby(c)["effect"].mean() for c in ("cohort", "year"))
    size = on.groupby("cohort")["entity"].nunique()
    assert found["group"] == pytest.approx(np.average(groups, weights=size), abs=1e-10)
    assert found["calendar"] == pytest.approx(years.mean(), abs=1e-10)
    assert found["dynamic"] == pytest.approx(planted(frame)[1].mean(), abs=1e-10)
    assert found["group 2016"] == pytest.approx(groups[2016], abs=1e-10)
    assert found["calendar 2017"] == pytest.approx(years[2017], abs=1e-10)


@pytest.mark.parametrize("name", broken())
@pytest.mark.parametrize(
    ("estimator", "options"),
    [
        *((e, {}) for e in ESTIMATORS),
        ("callaway_santanna", {"control_group": "never"}),
        ("callaway_santanna", {"base_period": "universal"}),
    ],
)
def test_rows_that_were_not_published_give_the_effect_or_a_refusal(estimator, options, name):
    try:
        fit = estimate(estimator, broken()[name], **options)
    except DesignError as error:
        assert name != "complete"
        assert any(f"cohort {g}" in str(error) for g in (2014, 2016)) or error.keys == [2017]
        return
    after = fit.terms[fit.terms["term"].str.fullmatch(r"att|dynamic|group.*|calendar.*|event \d+")]
    np.testing.assert_allclose(after["estimate"], 0.3, atol=0.005)
    before = fit.terms[fit.terms["term"].str.startswith("event -")]
    np.testing.assert_allclose(before["estimate"], 0, atol=0.005)
    assert fit.terms["standard_error"][fit.terms["term"] != "band"].between(0, 0.005).all()


@pytest.mark.parametrize(
    ("estimator", "name", "where"),
    [
        *(
            (e, "a cohort lacks the year before treatment", "cohort 2014 in 2013")
            for e in ("callaway_santanna", "local_projections", "stacked", "sun_abraham")
        ),
        ("sun_abraham", "every second year only", "cohort 2014 in 2013, cohort 2016 in 2015"),
        ("stacked", "the year after adoption was not published", "missing\n  at: 2017"),
        ("imputation", "a tenth of the rows at random", "E058 .cohort 2014, first seen in 2014"),
    ],
)
def test_a_refusal_names_cohort_and_year(estimator, name, where):
    with pytest.raises(DesignError, match=where):
        estimate(estimator, broken()[name])


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "bacon"])
def test_one_treated_entity_has_no_standard_error(estimator):
    fit = estimate(estimator, one_treated())
    assert np.isfinite(fit.terms["estimate"][0])
    assert fit.terms[["standard_error", "ci_low", "ci_high", "p_value"]].isna().all(axis=None)
    assert "band" not in set(fit.terms["term"])
    # Two cohorts of one entity each: the spread among the treated is still not seen.
    frame = one_treated()
    frame.loc[frame["entity"] == 2, "cohort"] = 2017
    fit = estimate(estimator, frame)
    assert fit.terms["standard_error"].isna().all()


def test_a_cohort_or_an_event_of_one_entity_has_none_either():
    frame = panel()
    alone = frame.loc[frame["cohort"] == 2018, "entity"].min()
    fit = estimate(
        "callaway_santanna", frame[(frame["cohort"] != 2018) | (frame["entity"] == alone)]
    )
    assert np.isfinite(fit["group 2018"]["estimate"])
    assert np.isnan(fit["group 2018"]["standard_error"])
    assert np.isfinite(fit["att"]["standard_error"])
    # Only the first cohort, here of one, is seen five years later.
    alone = frame.loc[frame["cohort"] == 2015, "entity"].min()
    fit = estimate(
        "imputation",
        frame[(frame["cohort"] != 2015) | (frame["entity"] == alone)],
        window=(-3, 5),
        seed=0,
    )
    assert np.isnan(fit["event 5"]["standard_error"])
    assert np.isfinite(fit["event 4"]["standard_error"])
    assert np.isfinite(fit["band"]["estimate"])


@pytest.mark.parametrize("cluster", ["entity", "region"])
@pytest.mark.parametrize("controls", [(), ("z",)])
def test_imputation_against_diff_diff(cluster, controls):
    frame = panel().query(
        "not (entity == 3 and year == 2014) and not (entity == 4 and year > 2016)"
    )
    fit = estimate("imputation", frame, cluster, controls=controls)
    peer = ImputationDiD(cluster=cluster, pretrends=True, df_convention="cluster").fit(
        frame,
        outcome="y",
        unit="entity",
        time="year",
        first_treat="cohort",
        covariates=list(controls) or None,
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
    one, two = (estimate(e, panel()) for e in ("imputation", "two_stage"))
    for term in ("att", "event 0", "event 3"):
        assert one[term]["estimate"] == pytest.approx(two[term]["estimate"], abs=1e-8)


@pytest.mark.parametrize("cluster", ["entity", "region"])
def test_sun_abraham_against_the_saturated_regression(cluster):
    # Year dummies stand among the regressors: with several absorbed effects the peer's correction
    # depends on the order in which Python's hash happens to put them.
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
    fit = estimate("sun_abraham", frame, cluster)
    of = cells.index.get_level_values("event")
    for term, chosen in (("att", of >= 0), *((f"event {e}", of == e) for e in (-3, 0, 3))):
        weight = cells.to_numpy() * chosen / cells[chosen].sum()
        spread = np.sqrt(weight @ covariance @ weight)
        assert fit[term]["estimate"] == pytest.approx(weight @ effects, abs=1e-8)
        assert fit[term]["standard_error"] == pytest.approx(spread, rel=1e-6)


@pytest.mark.parametrize("cluster", ["entity", "region"])
def test_local_projections_against_their_regressions(cluster):
    frame = panel()
    fit = estimate("local_projections", frame, cluster)
    wide = frame.pivot(index="entity", columns="year", values="y")
    for h in (-3, 0, 2):
        change = wide.shift(-h, axis=1) - wide.shift(1, axis=1)
        change = change.stack().rename("change").reset_index()
        rows = frame.merge(change, on=["entity", "year"]).dropna()
        adopts = rows["year"] == rows["cohort"]
        clean = (rows["cohort"] == 0) | (rows["cohort"] > rows["year"] + max(h, 0))
        rows = rows.assign(adopts=adopts.astype(float))[adopts | clean]
        peer = pyfixest.feols("change ~ adopts | year", rows, vcov={"CRV1": cluster})
        row = fit[f"event {h}"]
        assert row["estimate"] == pytest.approx(peer.coef()["adopts"], abs=1e-8)
        assert row["standard_error"] == pytest.approx(peer.se()["adopts"], rel=1e-8)


def test_stacked_against_its_weighted_regression():
    frame = panel()
    fit = estimate("stacked", frame)
    # 2015 was preceded by three years, 2018 followed by two.
    assert fit.details["filled"] == (-3, 2)
    stack = StackedDiD(kappa_pre=3, kappa_post=2).fit(
        frame, outcome="y", unit="entity", time="year", first_treat="cohort"
    )
    rows = stack.stacked_data.rename(columns={"_event_time": "e", "_D_sa": "d", "_Q_weight": "w"})
    peer = pyfixest.feols(
        "y ~ d + i(e, ref=-1) + i(e, d, ref=-1)",
        rows.astype({"e": int, "d": float}),
        weights="w",
        vcov={"CRV1": "entity"},
    )
    for e in (-3, 0, 2):
        row = fit[f"event {e}"]
        assert row["estimate"] == pytest.approx(peer.coef()[f"e::{e}:d"], abs=1e-8)
        assert row["standard_error"] == pytest.approx(peer.se()[f"e::{e}:d"], rel=1e-8)


def test_doubly_robust_cell_by_hand():
    frame = panel(entities=60)
    fit = estimate("callaway_santanna", frame, control_group="never", controls=["x"])
    cells = fit.details["group_time"].set_index(["cohort", "year"])["estimate"]
    wide = frame.pivot(index="entity", columns="year", values="y")
    of = frame.groupby("entity")[["cohort", "x"]].first()
    kept = of["cohort"].isin([0, 2016])
    d, x = (of.loc[kept, "cohort"] > 0).to_numpy(float), sm.add_constant(of.loc[kept, "x"])
    change = (wide[2018] - wide[2015])[kept].to_numpy()
    score = sm.Logit(d, x).fit(disp=0, tol=1e-14, maxiter=200).predict(x)
    rest = change - sm.OLS(change[d == 0], x[d == 0]).fit().predict(x)
    odds = (score / (1 - score) * (1 - d)).to_numpy()
    # diff-diff lets the odds of the controls sum to the treated, not to one.
    by_hand = (d @ rest - odds @ rest) / d.sum()
    assert cells[2016, 2018] == pytest.approx(by_hand, abs=1e-8)


def test_influence_functions_are_summed_over_clusters():
    # Sums 3 and -3, two clusters: 2 / (2 - 1) * (9 + 9).
    assert clustered(np.array([[1.0], [2.0], [-3.0]]), ["a", "a", "b"]) == pytest.approx(36)
    fit = estimate("callaway_santanna", panel(), "region", base_period="universal", anticipation=1)
    assert fit.n_clusters == 15
    assert "CRV1(region)" in fit.variance
    # The base year with one year of anticipation is two years before the cohort's.
    assert "event -2" not in set(fit.terms["term"])
    assert {"event -1", "event -3"} <= set(fit.terms["term"])


@pytest.mark.parametrize("estimator", HEADLINE)
def test_a_year_of_anticipation_is_kept_out_of_the_untreated(estimator):
    frame = panel(noise=0)
    early = (frame["cohort"] > 0) & (frame["year"] == frame["cohort"] - 1)
    frame["y"] += 0.5 * early
    fit, naive = (estimate(estimator, frame, anticipation=years) for years in (1, 0))
    truth = planted(frame)[0]
    assert fit["att"]["estimate"] == pytest.approx(truth, abs=1e-10)
    assert fit["event -1"]["estimate"] == pytest.approx(0.5, abs=1e-10)
    assert abs(naive["att"]["estimate"] - truth) > 0.05


@pytest.mark.parametrize(
    "estimator", ["callaway_santanna", "imputation", "sun_abraham", "two_stage"]
)
def test_the_covariance_has_the_order_of_the_terms(estimator):
    fit = estimate(estimator, panel(), "region", seed=0)
    assert fit.terms["term"].iloc[-1] == "band"
    spread = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(spread, fit.terms["standard_error"].iloc[:-1], rtol=1e-10)
    events = fit.terms["term"].iloc[:-1].str.startswith("event").to_numpy()
    assert np.linalg.eigvalsh(fit.covariance[np.ix_(events, events)]).min() > -1e-12
    # The uniform band is wider than the pointwise and not wider than Bonferroni's.
    assert 1.96 < fit["band"]["estimate"] < 3.1


@pytest.mark.parametrize("estimator", [*HEADLINE, "sun_abraham", "stacked"])
def test_a_misdated_treatment_is_caught_by_the_pretrend_test(estimator):
    frame = panel(cohorts=(2016, 2017, 2018))
    assert pretrend_test(estimate(estimator, frame)).p_value > 0.01
    late = frame.assign(cohort=frame["cohort"] + 2 * (frame["cohort"] > 0))
    bad = pretrend_test(estimate(estimator, late))
    assert bad.p_value < 1e-6
    assert bad.df == 90 - bad.restrictions


def test_pretrend_test_by_hand_and_its_refusals():
    fit = estimate("imputation", panel(), window=(-2, 2))
    row, result = fit["event -2"], pretrend_test(fit)
    # One restriction: F is the square of t, with the same p-value.
    assert result.statistic == pytest.approx((row["estimate"] / row["standard_error"]) ** 2)
    assert result.p_value == pytest.approx(row["p_value"])
    few = panel().assign(region=lambda f: f["entity"] % 3)
    refusals = {
        "no event before": estimate("imputation", panel(), window=(0, 2)),
        "gives no covariance": estimate("local_projections", panel()),
        "singular": estimate("callaway_santanna", few, "region"),
    }
    for words, refused in refusals.items():
        with pytest.raises(DesignError, match=words):
            pretrend_test(refused)


def test_without_never_treated_entities_what_is_not_identified_is_left_out():
    frame = panel(noise=0)
    frame = frame[frame["cohort"] > 0]
    expected = frame.loc[(frame["effect"] != 0) & (frame["year"] < 2018), "effect"].mean()
    for estimator in ("callaway_santanna", "two_stage", "imputation"):
        fit = estimate(estimator, frame)
        assert fit["att"]["estimate"] == pytest.approx(expected, abs=1e-10)
    assert fit.details["not_imputed"] == frame["year"].ge(2018).sum()
    for estimator, options in (
        ("sun_abraham", {}),
        ("callaway_santanna", {"control_group": "never"}),
    ):
        with pytest.raises(DesignError, match="never treated"):
            estimate(estimator, frame, **options)


@cache
def fitted(estimator):
    return estimate(estimator, panel(45, years=7)).terms


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "bacon"])
@pytest.mark.parametrize(("seed", "scale", "shift"), [(0, 0.01, 50.0), (1, 100.0, -3.0)])
def test_relabelling_reordering_rescaling_and_entity_levels_do_not_matter(
    estimator, seed, scale, shift
):
    frame, rng = panel(45, years=7), np.random.default_rng(seed)
    names, levels = rng.permutation(45), shift * rng.normal(size=45)
    changed = frame.assign(
        entity=names[frame["entity"]], y=scale * (frame["y"] + levels[frame["entity"]])
    ).sample(frac=1, random_state=seed)
    found, before = estimate(estimator, changed).terms, fitted(estimator)
    assert found["term"].tolist() == before["term"].tolist()
    plain = before["term"].str.startswith(("band", "weight"))
    factor = np.where(plain, 1, scale)
    # Standard errors of the stack are by level, not by change.
    columns = ["estimate"] if estimator == "stacked" else ["estimate", "standard_error"]
    for column in columns:
        np.testing.assert_allclose(found[column] / factor, before[column], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_levels_of_entities_do_not_matter_on_an_unbalanced_panel(estimator):
    frame = panel(300).sample(frac=0.95, random_state=3)
    frame = frame[frame.groupby("entity")["year"].transform("min") < 2015]
    lifted = frame.assign(y=frame["y"] + 10 * frame["entity"])
    one, two = (estimate(estimator, f) for f in (frame, lifted))
    events = one.terms["term"] != "band"
    np.testing.assert_allclose(
        one.terms["estimate"][events], two.terms["estimate"][events], atol=1e-6
    )


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "bacon"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="y"), "no such column"),
        (lambda f: f.assign(y=f["y"].where(f.index != 7)), r"value is missing\n  at: \(0, 2019\)"),
        (lambda f: f.assign(y=f["y"].where(f.index != 7, np.inf)), "value is missing"),
        (lambda f: f.assign(cohort=f["cohort"].where(f["entity"] > 0)), "value is missing"),
        (lambda f: pd.concat([f, f[10:11]]), r"stands twice\n  at: \(1, 2013\)"),
        (lambda f: f.assign(cohort=f["cohort"].where(f.index != 3, 2014)), "cohort varies"),
        (lambda f: f.assign(cohort=0), "no entity is treated"),
        (lambda f: f.assign(cohort=2016), "no entity is a control"),
        (lambda f: f.assign(cohort=f["cohort"].replace(2015, 2012)), "outside the panel"),
        (lambda f: f.assign(cohort=f["cohort"].replace(2015, 2021)), "outside the panel"),
        (lambda f: f.assign(of="one"), "fewer than two clusters"),
        (lambda f: f.assign(of=f["year"]), "of varies"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_name(estimator, change, words):
    frame = change(panel(30))
    with pytest.raises(DesignError, match=words):
        estimate(estimator, frame, "of" if "of" in frame else "entity")


def test_further_refusals():
    frame = panel(30)
    with pytest.raises(DesignError, match="not balanced"):
        estimate("bacon", frame[1:])
    with pytest.raises(DesignError, match="beside the effects"):
        estimate("imputation", frame, controls=["x"])
    with pytest.raises(DesignError, match="negative"):
        estimate("imputation", frame, anticipation=-1)
    with pytest.raises(DesignError, match="by entity only"):
        estimate("stacked", frame, "region")
    with pytest.raises(DesignError, match="no window"):
        estimate("stacked", panel(30, cohorts=(2013, 2015)))
    # What only the library sees is a refusal too, in its words.
    with pytest.raises(DesignError, match="SunAbraham of diff-diff: cannot be estimated"):
        estimate("sun_abraham", frame, controls=["x"])
    apart = frame[(frame["entity"] == 0) == (frame["year"] > 2017)]
    apart = apart.assign(cohort=apart["cohort"].where(apart["entity"] > 0, 0))
    with pytest.raises(DesignError, match="the effect of\n  at: entity 0, year 2018"):
        estimate("imputation", apart.query("cohort != 2018"))


#: Share of draws within which coverage of 95 and size of 5 per cent must lie.
COVERAGE, SIZE = (0.93, 0.97), (0.03, 0.07)


@pytest.mark.montecarlo
@pytest.mark.parametrize("estimator", HEADLINE)
def test_coverage_and_size(estimator, draws=1_000):
    covered = rejected = pretrends = 0
    for seed in range(draws):
        frame = panel(60, years=8, seed=seed, noise=1.0, cohorts=(2015, 2016, 2017))
        fit, truth = estimate(estimator, frame, window=(-3, 0)), planted(frame)[0]
        covered += fit["att"]["ci_low"] <= truth <= fit["att"]["ci_high"]
        pretrends += pretrend_test(fit).p_value < 0.05
        # Without events: their band takes a good part of the time.
        null = frame.assign(y=frame["y"] - frame["effect"])
        rejected += estimate(estimator, null, window=(0, -1))["att"]["p_value"] < 0.05
    assert COVERAGE[0] <= covered / draws <= COVERAGE[1]
    assert SIZE[0] <= rejected / draws <= SIZE[1]
    assert SIZE[0] <= pretrends / draws <= SIZE[1]
