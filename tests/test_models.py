import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import regression as twoway
from monotowns.estimate import sample as design
from monotowns.estimate import staggered
from monotowns.estimate.specification import estimate, estimate_or_say_why, prepare
from monotowns.run.errors import DesignError

#: Published to four decimals.
PUBLISHED = 5e-5


def simulated(effect=0.2, seed=1, entities=120, years=range(2012, 2020)):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), years], names=["entity", "year"])
    frame = index.to_frame(index=False)
    frame["region"] = "r" + (frame["entity"] % 12).astype(str)
    frame["monotown"] = (frame["entity"] % 3 == 0).astype(float)
    frame["cohort"] = np.where(frame["monotown"] == 1, 2015 + frame["entity"] % 2, 0)
    noise = rng.normal(0, 0.05, len(frame)) + rng.normal(0, 1, entities)[frame["entity"]]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = noise + 0.03 * frame["year"] + effect * on
    frame["x"] = rng.normal(size=len(frame)) + frame["monotown"]
    return frame.assign(region_year=frame["region"] + frame["year"].astype(str), toser=0)


def test_two_way_effects_against_linearmodels():
    from linearmodels.panel import PanelOLS

    frame = simulated()
    fit = twoway.least_squares(frame, "y", ["x"], ["entity", "year"], "entity")
    panel = frame.set_index(["entity", "year"])
    peer = PanelOLS(panel["y"], panel[["x"]], entity_effects=True, time_effects=True)
    assert fit["x"]["estimate"] == pytest.approx(peer.fit().params["x"], abs=1e-8)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("effects", [["entity", "region_year"], ["region"], []])
@pytest.mark.parametrize("cluster", ["region", "entity"])
def test_least_squares_is_fixests(effects, cluster, weights):
    import pyfixest

    frame = simulated().sample(frac=0.8, random_state=0)  # unbalanced
    frame = frame.assign(z=np.sin(frame["year"] * frame["entity"]), w=1 + frame["entity"] % 5)
    fit = twoway.least_squares(frame, "y", ["x", "z"], effects, cluster, weights)
    formula = "y ~ x + z" + (f" | {' + '.join(effects)}" if effects else "")
    peer = pyfixest.feols(
        formula,
        twoway.drop_singletons(frame, effects),
        vcov={"CRV1": cluster},
        weights=weights,
        fixef_tol=1e-12,
    )
    table = fit.terms.set_index("term")
    for name in ("x", "z"):
        assert table.loc[name, "estimate"] == pytest.approx(peer.coef()[name], abs=1e-9)
        assert table.loc[name, "standard_error"] == pytest.approx(peer.se()[name], abs=1e-9)
        assert table.loc[name, "p_value"] == pytest.approx(peer.pvalue()[name], abs=1e-9)


def test_event_study_recovers_a_planted_path():
    frame = simulated().assign(y=lambda f: f["y"] * 0 + f["monotown"] * (f["year"] - 2013) ** 2)
    frame["y"] += np.random.default_rng(0).normal(0, 1e-6, len(frame))
    rows, names = twoway.by_year(frame, "monotown", 2013)
    fit = twoway.event_study(rows, "y", names, fixed_effects=["entity", "year"])
    assert "2013" not in set(fit.terms["term"])
    found = fit.terms.set_index("term")["estimate"]
    # Between the pointwise and the Bonferroni value of seven estimates.
    assert 1.96 < found["band"] < 2.70
    for year in (2012, 2015, 2019):
        assert found[str(year)] == pytest.approx((year - 2013) ** 2, abs=1e-5)


@pytest.mark.parametrize("estimator", [staggered.imputation, staggered.callaway_santanna])
def test_staggered_recovers_a_planted_effect(estimator):
    fit = estimator(simulated(), "y", "cohort")
    att = fit["att"]
    assert att["ci_low"] < 0.2 < att["ci_high"]
    assert abs(att["estimate"] - 0.2) < 0.03
    early = fit.terms[fit.terms["term"].str.contains(r"event -[2-5]")]
    assert (early["estimate"].abs() < 4 * early["standard_error"]).all()
    assert fit.details["cohorts"] == {2015: 20, 2016: 20}


def test_callaway_santanna_on_the_published_minimum_wage_data():
    # Callaway and Sant'Anna (2021), mpdta without covariates: dynamic aggregate, base not yet.
    from moderndid import load_mpdta

    data = load_mpdta()
    data = data.to_pandas() if hasattr(data, "to_pandas") else data
    data = data.rename(columns={"countyreal": "entity"}).assign(cohort=data["first.treat"])
    fit = staggered.callaway_santanna(data, "lemp", "cohort")
    # The published simple aggregate with never-treated controls is -.0400 (.0120); with
    # not-yet-treated controls it moves in the fourth decimal only.
    assert fit["att"]["estimate"] == pytest.approx(-0.0400, abs=5e-4)


SPEC = {
    "outcome": "y",
    "treatment": "monotown",
    "cluster": "region",
    "sample": "all",
    "estimator": "ols",
    "fixed_effects": ["year"],
    "rows": {},
    "dummies": {},
}


@pytest.mark.parametrize(
    ("change", "frame", "words"),
    [
        ({"outcome": "z"}, simulated(), "no such column"),
        ({}, simulated().assign(y=np.nan), "empty"),
        ({}, pd.concat([simulated()] * 2), "twice"),
        ({}, simulated().assign(region="one"), "clusters"),
        ({}, simulated().assign(monotown=0.0), "does not vary"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, frame, words):
    with pytest.raises(DesignError, match=words):
        estimate(frame, "s", SPEC | change, draws=99, seed=1)


def test_a_fork_is_told_why_its_data_do_not_carry_a_specification():
    spec = SPEC | {"question": "gap", "group": "headline"}
    records, flow = estimate_or_say_why(simulated().assign(y=np.nan), "s", spec, 99, 1)
    assert records.empty
    assert flow["step"].tolist() == ["panel", "not estimated: the sample is empty all"]
    again = estimate_or_say_why(simulated(), "s", spec, 99, 1)
    for mine, known in zip(again, estimate(simulated(), "s", spec, 99, 1), strict=True):
        pd.testing.assert_frame_equal(mine, known)


def test_a_derived_column_by_hand():
    frame = pd.DataFrame({"a": [8.0, 0.0, np.nan], "b": [2.0, 2.0, 2.0]})
    share = design.derive(frame, "share", {"of": "a", "per": "b"}, "s")
    np.testing.assert_array_equal(share, [4.0, 0.0, np.nan])
    log = design.derive(frame, "log", {"of": "a", "per": "b", "log": True}, "s")
    np.testing.assert_array_equal(log, [np.log(4.0), np.nan, np.nan])
    with pytest.raises(DesignError, match=r"'log' is made of(.|\n)*at: c"):
        design.derive(frame, "log", {"of": "a", "per": "c"}, "s")
    spec = SPEC | {"outcome": "log", "derived": {"log": {"of": "x", "log": True}}}
    made = design.with_columns(simulated(), spec, "s")
    assert made["log"].notna().sum() == (simulated()["x"] > 0).sum()


def test_a_joined_table_adds_its_columns_and_no_row():
    frame = pd.DataFrame(
        {"entity": ["a", "a", "b"], "region": ["r", "r", "q"], "toser": np.nan, "year": [1, 2, 1]}
    )
    table = pd.DataFrame({"region": ["r", "q"], "year": [1, 1], "rate": [5.0, 6.0]})
    joined = prepare(frame, joined=[("rates", table, ["region", "year"])])
    np.testing.assert_array_equal(joined["rate"], [5.0, np.nan, 6.0])
    for wrong, keys, words in (
        (table, ["region", "month"], "no such key column"),
        (pd.concat([table, table]), ["region", "year"], "a key stands twice"),
        (table.assign(entity="a"), ["region", "year"], "has these columns already"),
    ):
        with pytest.raises(DesignError, match=words):
            prepare(frame, joined=[("rates", wrong, keys)])


def test_undated_toser_entities_are_in_no_staggered_sample():
    frame = simulated().drop(columns="toser")
    frame["toser"] = frame["entity"].map({0: 0.0, 1: 2016.0})
    panel = prepare(frame, frame[["entity", "year"]], frame[["entity"]].drop_duplicates())
    cohort = panel.groupby("entity")["toser_cohort"].first()
    assert pd.isna(cohort[0])
    assert cohort[[1, 2]].tolist() == [2016, 0]


def test_conditions_by_hand():
    frame = pd.DataFrame(
        {"year": [2012, 2013, 2014, 2014], "x": [1.0, np.nan, 3.0, 4.0], "k": ["a", "a", "b", None]}
    )
    cases = [
        ({"year": ["last"]}, "0011"),
        ({"x": {"min": 3}}, "0011"),
        ({"x": {"max": 3}}, "1010"),
        ({"k": {"not": ["a"]}}, "0011"),
        ({"k": {"known": False}}, "0001"),
        ({"k": ["a"], "x": {"known": True}}, "1000"),
        ({}, "1111"),
    ]
    for conditions, expected in cases:
        assert "".join(map(str, design.holds(frame, conditions).astype(int))) == expected
    with pytest.raises(DesignError, match="did you mean 'year'"):
        design.holds(frame, {"yaer": [2012]})


def test_dummies_and_products():
    frame = simulated()
    spec = SPEC | {"treatment": "monotown:late:x", "dummies": {"late": {"year": {"min": 2018}}}}
    made = design.with_columns(frame, spec, "s")
    by_hand = frame["monotown"] * (frame["year"] >= 2018) * frame["x"]
    np.testing.assert_array_equal(made["monotown:late:x"], by_hand)


def test_uniform_band_of_independent_estimates_is_sidaks():
    from scipy import stats

    exact = stats.norm.ppf((1 + 0.95 ** (1 / 5)) / 2)
    assert twoway.sup_t(np.diag([1.0, 4.0, 9.0, 1.0, 1.0])) == pytest.approx(exact, abs=0.03)
    assert twoway.sup_t(np.ones((3, 3))) == pytest.approx(1.96, abs=0.03)


def test_the_flow_of_a_sample_ends_at_the_rows_estimated():
    frame = simulated().assign(kind="городской округ")
    frame.loc[:4, "y"] = np.nan
    spec = SPEC | {"question": "gap", "group": "headline"}
    records, flow = estimate(frame, "s", spec, draws=99, seed=7)
    assert flow["rows"].tolist() == [960, 960, 955, 955]
    assert records.loc[0, ["specification", "n_obs", "seed"]].tolist() == ["s", 955, 7]


def test_singletons_are_dropped_until_none_is_left():
    # b's first row shares its year only with c, which is alone: dropping c makes b a singleton.
    rows = pd.DataFrame({"e": list("aabbc"), "t": [1, 2, 1, 3, 3]})
    left = twoway.drop_singletons(rows, ["e", "t"])
    whole = pd.DataFrame({"e": list("aabb"), "t": [1, 2, 1, 2]})
    assert len(twoway.drop_singletons(whole, ["e", "t"])) == 4
    assert len(left) == 0


def test_other_variances_keep_the_estimate_and_are_the_functions_own():
    from monotowns.estimate.jackknife import cluster_jackknife
    from monotowns.estimate.kernel import clustered_fit

    frame = simulated().assign(kind="a", lat=55.0, lon=lambda f: 40.0 + f["entity"] / 10)
    spec = SPEC | {
        "question": "gap",
        "group": "headline",
        "treatment": "x",
        "fixed_effects": ["entity", "year"],
        "variances": ["crv3", "wild", "conley_100", "driscoll_kraay"],
    }
    records, _ = estimate(frame, "s", spec, draws=999, seed=1)
    assert records["estimate"].nunique() == 1
    assert [v.split("(")[0].split(",")[0].strip() for v in records["variance"]] == [
        "CRV1",
        "CRV3",
        "wild cluster bootstrap",
        "Conley 100 km",
        "Driscoll-Kraay",
    ]
    effects = [frame["entity"], frame["year"]]
    by_hand = cluster_jackknife(clustered_fit(frame["y"], frame["x"], frame["region"], effects))
    assert records.loc[1, "standard_error"] == pytest.approx(by_hand[0, 0] ** 0.5)
    wild = records.loc[2]
    assert wild["ci_low"] < wild["estimate"] < wild["ci_high"]
    with pytest.raises(DesignError, match="weighted"):
        estimate(frame.assign(w=1.0), "s", spec | {"weights": "w"}, draws=99, seed=1)
