from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.regression import least_squares
from monotowns.estimate.sensitivity import oster
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.run.errors import DesignError
from monotowns.studies import robustness


def panel(effect=0.3, seed=0, entities=60):
    rng = np.random.default_rng(seed)
    frame = pd.MultiIndex.from_product(
        [range(entities), range(2012, 2018)], names=["entity", "year"]
    ).to_frame(index=False)
    frame["region"] = frame["entity"] % 10
    frame["d"] = (frame["entity"] % 3 == 0).astype(float)
    frame["late"] = (frame["year"] >= 2015).astype(float)
    frame["z"] = rng.normal(size=len(frame))
    frame["noise"] = rng.normal(size=len(frame))
    frame["y"] = effect * frame["d"] * frame["late"] + frame["z"] + frame["noise"] / 5
    return frame


DECLARED = {
    "outcomes": ["y"],
    "treatments": ["d:after"],
    "optional_controls": {"z": ["z"]},
    "samples": {"all": {}, "short": {"year": {"min": 2013}}},
    "cluster": "region",
    "fixed_effects": [["entity", "year"]],
    "strata": "region",
    "dummies": {"after": {"year": {"min": 2015}}},
}


def test_the_curve_holds_every_combination_and_each_is_its_own_regression():
    test = robustness.curve(panel(), DECLARED, 49, 1)
    assert len(test.curve) == 4
    rows = panel().assign(x=lambda f: f["d"] * f["late"])
    by_hand = least_squares(rows, "y", ["x", "z"], ["entity", "year"], "region")["x"]
    chosen = (test.curve["controls"] == "none + z") & (test.curve["sample"] == "all")
    with_z = test.curve[chosen].iloc[0]
    assert with_z["estimate"] == pytest.approx(by_hand["estimate"])
    assert with_z["standard_error"] == pytest.approx(by_hand["standard_error"])
    fit = robustness.curve_fit(test)
    assert fit["median"]["p_value"] == pytest.approx(0.02)  # the effect is beyond every draw
    assert (fit.n_obs, fit.n_entities, fit.n_clusters) == (360, 60, 10)


def test_a_column_of_a_curve_that_is_not_there_is_named():
    with pytest.raises(DesignError, match=r"no such column.*\n  at: balance"):
        robustness.curve(panel(), DECLARED | {"weights": [None, "balance"]}, 49, 1)


def test_a_family_is_adjusted_upwards_and_each_member_is_its_own_test():
    frame = panel().assign(x=lambda f: f["d"] * f["late"])
    spec = {"treatment": "x", "fixed_effects": ["entity", "year"], "cluster": "region"}
    table = robustness.family(frame, ["y", "noise"], spec, 199, 3)
    effects = [frame["entity"], frame["year"]]
    fit = clustered_fit(frame["noise"], frame["x"], frame["region"], effects)
    assert table.loc[1, "p_value"] == wild_cluster_bootstrap(fit, draws=199, seed=3).p_value
    assert (table["romano_wolf"] >= table["p_value"] - 1e-12).all()
    # Benjamini and Hochberg by hand: the larger of two stays, the smaller is at most doubled.
    low, high = sorted(table["p_value"])
    assert sorted(table["q_value"]) == pytest.approx([min(2 * low, high), high])


def test_the_study_reports_records_facts_and_tables_of_all_that_is_declared():
    frame = panel().assign(residents=lambda f: np.exp(f["z"]))
    frame["twice"] = 2.0
    frame["log_mp_inverse"] = np.random.default_rng(4).normal(size=len(frame))
    frame["x"] = frame["d"] * frame["late"] + 0.1 * frame["z"]
    spec = {"outcome": "y", "treatment": "x", "cluster": "region", "sample": "all", "rows": {}}
    spec |= {"dummies": {}, "fixed_effects": ["entity", "year"]}
    family = {"specification": "main", "outcomes": ["y", "noise"], "dummies": {}}
    family["observables"] = ["log_population", "log_mp_inverse:twice"]
    family["derived"] = {"log_population": {"of": "residents", "log": True}}
    declared = {"curves": {"c": DECLARED}, "families": {"f": family}}
    declared["specifications"] = {"main": spec}
    draws = {"curve": 19, "bootstrap": 99}
    records, facts, tables = robustness.study(frame, declared, draws, 1)
    assert records["term"].tolist() == ["median", "share_significant", "average_z"]
    assert facts["c.specifications"] == [4, "count"]
    observables = np.c_[frame["z"], 2 * frame["log_mp_inverse"]]
    bounds = oster(frame["y"], frame["x"], observables, [frame["entity"], frame["year"]])
    assert facts["f.delta"] == [pytest.approx(bounds.delta), "ratio"]
    assert facts["f.noise.romano_wolf"] == [tables["families"]["romano_wolf"][1], "p"]
    band = tables["curve"]
    assert (band["chance_low"] < band["chance_high"]).all() and set(band["curve"]) == {"c"}


def test_facts_of_a_curve_of_four():
    ends = {"ci_low": [-0.4, -0.3, -0.2, 0.1], "ci_high": [-0.2, -0.1, 0.1, 0.3]}
    curve = pd.DataFrame({"estimate": [-0.3, -0.2, -0.1, 0.2], **ends})
    statistics = pd.DataFrame({"statistic": ["median"], "p_value": [0.04]})
    test = SimpleNamespace(curve=curve, statistics=statistics)
    found = {name: value for name, (value, _) in robustness.curve_facts("gap", test).items()}
    assert found["gap.median"] == pytest.approx(-0.15)
    assert (found["gap.negative"], found["gap.below"], found["gap.above"]) == (75, 50, 25)
    assert (found["gap.lowest"], found["gap.highest"], found["gap.median.p"]) == (-0.3, 0.2, 0.04)
