import numpy as np
import pandas as pd
import pyfixest
import pytest
from monotowns.estimate.regression import least_squares
from monotowns.estimate.specification_curve import curve_statistics, joint_test
from monotowns.estimate.universe import expand
from monotowns.run.errors import ConfigError, DesignError
from scipy import stats

UNIVERSE = {
    "outcomes": ["y", "z"],
    "treatments": ["x", "adopted"],
    "optional_controls": {
        "size": ["size", "size_squared"],
        "access": ["access"],
        "age": ["age"],
    },
    "samples": ["all", "urban"],
    "fixed_effects": [["entity", "year"], ["entity", "region_year"], ["region"], []],
    "weights": [None, "residents"],
}
#: The same in a quarter of the time.
SMALL = UNIVERSE | {"weights": ["residents"], "fixed_effects": [["entity", "year"], ["region"]]}


def curve_of(panel, table, cluster="region"):
    return joint_test(panel.assign(one=1), table, cluster, "one", draws=0, seed=0).curve


def simulated(effect=0.3, seed=5, entities=60, years=6, regions=12):
    """A panel with gaps in rows, outcomes and controls; regions share shocks."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), range(years)], names=["entity", "year"])
    f = index.to_frame(index=False)
    f["region"] = f["entity"] % regions
    f["region_year"] = f["region"] * 100 + f["year"]
    f["kind"] = f["entity"] // regions % 2
    f["in all"], f["in urban"] = True, f["kind"] == 0
    shock = rng.normal(size=(2, regions, years))[:, f["region"], f["year"]]
    f["size"] = rng.normal(size=len(f)) + rng.normal(size=entities)[f["entity"]]
    f["size_squared"], f["access"], f["age"] = f["size"] ** 2, *rng.normal(size=(2, len(f)))
    f["residents"] = rng.lognormal(3, 1, entities)[f["entity"]]
    start = rng.integers(1, years + 3, entities)[f["entity"]]
    f["adopted"] = (f["year"] >= start).astype(float)
    f["x"] = 0.3 * f["size"] + rng.normal(size=len(f)) + shock[0]
    f["y"] = effect * (f["x"] + f["adopted"]) + 0.5 * f["size"] + rng.normal(size=len(f)) + shock[1]
    f["z"] = 0.8 * f["y"] + 0.6 * rng.normal(size=len(f))
    return f


def with_gaps():
    f = simulated()
    rng = np.random.default_rng(6)
    for column, share in (("z", 0.03), ("access", 0.05), ("x", 0.02), ("residents", 0.01)):
        f.loc[rng.random(len(f)) < share, column] = np.nan
    return f[rng.random(len(f)) < 0.95].reset_index(drop=True)


def test_a_universe_is_the_product_of_what_it_declares():
    table = expand(UNIVERSE)
    assert len(table) == 2 * 2 * 2**3 * 2 * 4 * 2
    row = table[(table["controls"] == "none + size + age") & (table["sample"] == "urban")].iloc[0]
    assert row["columns"] == ("size", "size_squared", "age")
    assert row["fixed_effects"] == "entity + year" and row["effects"] == ("entity", "year")
    least = {"outcomes": ["y"], "treatments": ["x"], "samples": ["all"], "fixed_effects": [[]]}
    assert expand(least).iloc[0].tolist() == ["y", "x", "none", "all", "none", "none", (), ()]
    with pytest.raises(ConfigError, match="stands twice\n  at: y; x; none; all"):
        expand(UNIVERSE | {"outcomes": ["y", "y"]})


def test_every_specification_is_what_pyfixest_finds():
    panel, table = with_gaps(), expand(UNIVERSE)
    curve = curve_of(panel, table)
    assert len(curve) == 512 and curve["n_obs"].nunique() > 10
    for place in range(0, len(table), 23):  # every choice is among them, in changing company
        spec, found = table.iloc[place], curve.iloc[place]
        rows = panel[panel[f"in {spec['sample']}"]]
        formula = " + ".join([f"{spec['outcome']} ~ {spec['treatment']}", *spec["columns"]])
        if spec["effects"]:
            formula += " | " + " + ".join(spec["effects"])
        weights = None if spec["weights"] == "none" else spec["weights"]
        peer = pyfixest.feols(formula, rows, vcov={"CRV1": "region"}, weights=weights)
        term = peer.tidy().loc[spec["treatment"]]
        assert found["estimate"] == pytest.approx(term["Estimate"], abs=1e-8)
        assert found["standard_error"] == pytest.approx(term["Std. Error"], rel=1e-6)
        assert found["p_value"] == pytest.approx(term["Pr(>|t|)"], rel=1e-6)
        assert found["n_obs"] == peer._N
    assert (curve["n_entities"] <= 60).all() and curve["n_entities"].max() == 60


def test_a_curve_is_ranked_and_holds_for_clusters_that_are_entities():
    panel, table = with_gaps(), expand(UNIVERSE)
    curve = curve_of(panel, table, cluster="entity")
    assert curve.sort_values("rank")["estimate"].is_monotonic_increasing
    assert sorted(curve["rank"]) == list(range(1, 513))
    spec = table.iloc[100]
    rows = panel.dropna(subset=[spec["outcome"], spec["treatment"], *spec["columns"]])
    fit = least_squares(
        rows[rows[f"in {spec['sample']}"]],
        spec["outcome"],
        [spec["treatment"], *spec["columns"]],
        spec["effects"],
        "entity",
        None if spec["weights"] == "none" else spec["weights"],
    )
    term = fit[spec["treatment"]]
    for column in ("estimate", "standard_error", "ci_low", "ci_high", "p_value"):
        assert curve.iloc[100][column] == pytest.approx(term[column], rel=1e-9)


def test_a_curve_does_not_see_order_labels_and_units():
    panel, table = with_gaps(), expand(SMALL)
    curve = curve_of(panel, table)
    moved = panel.sample(frac=1, random_state=1).assign(
        entity=lambda f: "e" + f["entity"].astype(str), y=lambda f: 1000 * f["y"] + 5
    )
    again = curve_of(moved, table)
    unit = np.where(curve["outcome"] == "y", 1000, 1)
    np.testing.assert_allclose(again["estimate"], unit * curve["estimate"], rtol=1e-8)
    np.testing.assert_allclose(again["standard_error"], unit * curve["standard_error"], rtol=1e-8)


def test_a_draw_is_the_curve_of_the_panel_with_histories_dealt_out():
    panel, table = with_gaps(), expand(SMALL)
    test = joint_test(panel, table, "region", "kind", draws=3, seed=3)
    pd.testing.assert_frame_equal(test.curve, curve_of(panel, table))
    # Dealt out again row by row, in the words of the docstring.
    rng = np.random.default_rng(3)
    wide = panel.pivot(index="entity", columns="year", values=["x", "adopted"])
    kind = panel.groupby("entity")["kind"].first()
    cells = pd.Series([(k, *row) for k, row in zip(kind, wide.notna().to_numpy(), strict=True)])
    number = cells.map({cell: i for i, cell in enumerate(sorted(set(cells)))}).to_numpy()
    for draw in range(3):
        donor = np.empty(len(wide), int)
        donor[np.argsort(number, kind="stable")] = np.argsort(number + rng.random(len(wide)))
        dealt = wide.iloc[donor].set_index(wide.index).stack(future_stack=True)
        new = panel.drop(columns=["x", "adopted"]).merge(dealt, on=["entity", "year"], how="left")
        np.testing.assert_array_equal(new["x"].isna(), panel["x"].isna())
        redone = curve_of(new, table)["estimate"]
        np.testing.assert_allclose(test.draws[draw], redone, rtol=1e-9, atol=1e-12)


def test_the_joint_test_counts_draws_and_finds_a_planted_effect():
    table = expand(SMALL | {"weights": [None]})
    test = joint_test(simulated(), table, "region", "kind", draws=99, seed=1)
    assert test.statistics["p_value"].tolist() == [0.01] * 3  # (0 + 1) / (99 + 1)
    assert test.draws.shape == (99, len(table))
    null = joint_test(simulated(effect=0), table, "region", "kind", draws=99, seed=1)
    assert (null.statistics["p_value"] > 0.05).all()


def test_the_seed_decides_the_draws_and_blocks_do_not(monkeypatch):
    panel, table = with_gaps(), expand(SMALL)
    first, again, other = (joint_test(panel, table, "region", "kind", 7, s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)
    monkeypatch.setattr("monotowns.estimate.specification_curve.BLOCK", 1000)
    blocks = joint_test(panel, table, "region", "kind", 7, 1)
    np.testing.assert_allclose(blocks.draws, first.draws, rtol=1e-9)


def test_the_three_statistics_by_hand():
    estimate, ratio = np.array([0.1, 0.3, -0.2, 0.4]), np.array([1.0, 3.0, -4.0, 2.5])
    found = curve_statistics(estimate, ratio, np.full(4, 1e6))
    assert found["median"] == pytest.approx(0.2)
    assert found["share_significant"] == 0.5  # the negative one is significant the other way
    assert found["average_z"] == pytest.approx(0.625, abs=1e-4)
    # A t ratio counts as the normal score of its p-value; signs do not matter as a whole.
    p = 2 * stats.t.sf(3.0, 5)
    alone = curve_statistics([-1.0], [-3.0], [5])
    assert alone["average_z"] == pytest.approx(stats.norm.isf(p / 2))
    assert alone["share_significant"] == 1.0
    assert curve_statistics([1.0, -1.0], [3.0, -1.0], [9, 9])["share_significant"] == 0.5
    assert curve_statistics([1.0], [1e9], [500])["average_z"] == 37.0


@pytest.mark.parametrize(
    ("change", "columns", "words"),
    [
        ({}, {"age": np.inf}, "not finite"),
        ({}, {"in urban": False}, "fewer than two clusters\n  at: y; x; none; urban"),
        ({}, {"region": 1}, "fewer than two clusters"),
        ({"optional_controls": {"kind": ["kind"]}}, {}, "by the fixed effects\n  at: y; x; none"),
        ({"optional_controls": {"twice": ["size", "age"]}}, {"age": 3.0}, "found: age"),
        (
            {"optional_controls": {"pair": ["size", "twice"]}},
            {},
            "explain one another\n.*\n.*size, twice",
        ),
        ({"weights": ["age"]}, {}, "weights are not positive"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, columns, words):
    frame = with_gaps().assign(twice=lambda f: 2 * f["size"], **columns)
    with pytest.raises(DesignError, match=words):
        curve_of(frame, expand(UNIVERSE | change))


@pytest.mark.parametrize(
    ("columns", "strata", "words"),
    [
        ({"adopted": lambda f: f["year"] / 2, "x": lambda f: f["year"] ** 2}, "kind", "no treat"),
        ({}, "entity", "no treatment varies"),
        ({}, "year", "two strata"),
    ],
)
def test_what_cannot_be_permuted_is_refused(columns, strata, words):
    table = expand(SMALL | {"fixed_effects": [["region"]]})
    with pytest.raises(DesignError, match=words):
        joint_test(simulated().assign(**columns), table, "region", strata, draws=9, seed=0)


def test_a_permutation_that_effects_explain_is_refused():
    # Two entities of a region share a stratum; dealt to the other, the history never changes.
    f = simulated(entities=24).assign(
        stayed=lambda f: ((f["entity"] == 0) & (f["year"] > 2)).astype(float),
        pair=lambda f: f["entity"] // 2,
    )
    f["in all"] = f["entity"] != 1
    small = {"outcomes": ["y"], "treatments": ["stayed"], "samples": ["all"]}
    table = expand(small | {"fixed_effects": [["entity"]]})
    with pytest.raises(DesignError, match="permuted treatment is explained"):
        joint_test(f, table, "region", "pair", draws=20, seed=0)


@pytest.mark.montecarlo
def test_size_of_the_joint_test():
    # The treatment has nothing to do with outcomes that are correlated within entities.
    table = expand(
        {
            "outcomes": ["y", "z"],
            "treatments": ["x", "adopted"],
            "samples": ["all"],
            "optional_controls": {"size": ["size"], "access": ["access"]},
            "fixed_effects": [["entity", "year"], ["kind"]],
        }
    )
    rejected = []
    for seed in range(600):
        panel = simulated(effect=0, seed=seed, entities=40, years=4, regions=40).assign(one=1)
        panel["x"] = panel["adopted"] * np.random.default_rng(seed).normal(size=40)[panel["entity"]]
        test = joint_test(panel, table, "entity", "one", draws=99, seed=seed)
        rejected.append(test.statistics["p_value"].to_numpy() <= 0.05)
    size = np.mean(rejected, axis=0)
    assert ((size >= 0.03) & (size <= 0.07)).all(), size
