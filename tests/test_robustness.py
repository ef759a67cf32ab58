import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import regression as twoway
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
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
    by_hand = twoway.least_squares(rows, "y", ["x", "z"], ["entity", "year"], "region")["x"]
    with_z = test.curve[
        (test.curve["controls"].str.contains("z")) & (test.curve["sample"] == "all")
    ]
    assert with_z["estimate"].iloc[0] == pytest.approx(by_hand["estimate"])
    assert with_z["standard_error"].iloc[0] == pytest.approx(by_hand["standard_error"])
    fit = robustness.curve_fit(test, "region")
    assert fit["median"]["p_value"] == pytest.approx(0.02)  # the effect is beyond every draw


def test_a_family_is_adjusted_upwards_and_each_member_is_its_own_test():
    frame = panel().assign(x=lambda f: f["d"] * f["late"])
    spec = {"treatment": "x", "fixed_effects": ["entity", "year"], "cluster": "region"}
    table = robustness.family(frame, ["y", "noise"], spec, 199, 3)
    alone = wild_cluster_bootstrap(
        frame["noise"],
        frame[["x"]].to_numpy(),
        frame["region"],
        [frame["entity"], frame["year"]],
        draws=199,
        seed=3,
    )
    assert table.loc[1, "p_value"] == alone.p_value
    assert (table["romano_wolf"] >= table["p_value"] - 1e-12).all()


def test_bounds_are_those_of_the_function():
    from monotowns.estimate.sensitivity import oster

    frame = panel().assign(x=lambda f: f["d"] * f["late"] + 0.1 * f["z"])
    found = robustness.bounds(frame, "y", "x", ["z"], ["entity"])
    direct = oster(frame["y"], frame["x"], frame[["z"]].to_numpy(), [frame["entity"]])
    assert found == {"delta": direct.delta, "beta_star": direct.beta_star}
