from itertools import product

import numpy as np
import pandas as pd
import pyfixest
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate import wild_bootstrap as wild
from monotowns.estimate.absorb import drop_singletons
from monotowns.estimate.jackknife import cluster_jackknife
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.run.errors import DesignError
from wildboottest.wildboottest import WildboottestCL

#: Ours and the oracle differ by rounding alone.
ROUNDING = 1e-8


def panel(clusters=6, seed=1, entities=4, years=5, effect=0.3):
    """Entities in regions of unequal size over years, some cells missing."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities * clusters), range(years)])
    frame = index.to_frame(index=False, name=["entity", "year"])
    frame["region"] = (np.sqrt(frame["entity"] / (entities * clusters)) * clusters).astype(int)
    frame["region_year"] = 100 * frame["region"] + frame["year"]
    common = rng.normal(size=(clusters, years))[frame["region"], frame["year"]]
    frame["x"] = rng.normal(size=len(frame)) + 0.5 * common
    frame["z"] = rng.normal(size=len(frame)) + 0.3 * frame["x"]
    noise = rng.normal(size=(clusters, years))[frame["region"], frame["year"]]
    frame["y"] = effect * frame["x"] + noise + rng.normal(size=len(frame)) + frame["entity"] / 9
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True)


#: Absorbed effects: a constant, only not nested in region, nested, and both.
DESIGNS = [[], ["year"], ["entity", "region_year"], ["entity", "year"]]


def fit(frame, regressors=("x",), effects=("entity", "year"), outcome="y"):
    X, absorbed = frame[list(regressors)], [frame[e] for e in effects]
    return clustered_fit(frame[outcome], X, frame["region"], absorbed)


def with_dummies(frame, regressors, effects):
    parts = [frame[list(regressors)].to_numpy(), np.ones((len(frame), int(not effects)))]
    parts += [pd.get_dummies(frame[effect]).to_numpy(float) for effect in effects]
    return np.hstack(parts)


def statistic(y, W, bread, cluster, null=0.0):
    """CRV1 t statistic of the first column, without small-sample factor."""
    estimate = bread @ (W.T @ y)
    scores = W * (y - W @ estimate)[:, None]
    sums = np.array([scores[cluster == g].sum(axis=0) for g in np.unique(cluster)])
    return (estimate[0] - null) / np.sqrt((bread @ sums.T @ sums @ bread)[0, 0])


def brute_force(y, W, cluster, null=0.0):
    """Observed and all 2^G bootstrap t statistics, every sample fitted anew with its dummies."""
    bread = np.linalg.pinv(W.T @ W)
    kept = y - null * W[:, 0]
    fitted = W[:, 1:] @ np.linalg.lstsq(W[:, 1:], kept, rcond=None)[0]
    drawn = []
    for signs in product([1, -1], repeat=len(np.unique(cluster))):
        sample = y - kept + fitted + np.array(signs)[cluster] * (kept - fitted)
        drawn.append(statistic(sample, W, bread, cluster, null))
    return statistic(y, W, bread, cluster, null), np.array(drawn)


@pytest.mark.parametrize("effects", DESIGNS)
def test_enumeration_against_refitting_with_dummies(effects):
    frame = panel()
    found = wild_cluster_bootstrap(fit(frame, ["x", "z"], effects), weights="rademacher")
    assert found.draws == 2**5 - 1
    W, region = with_dummies(frame, ["x", "z"], effects), frame["region"].to_numpy()
    observed, drawn = brute_force(frame["y"].to_numpy(), W, region)
    half = drawn[1 : len(drawn) // 2]  # the first sample is the observed one
    np.testing.assert_allclose(found.statistics, found.t / observed * half, rtol=0, atol=ROUNDING)
    # The literal share of all 2^G samples.
    assert found.p_value == np.mean(np.abs(drawn) >= np.abs(observed) * (1 - 1e-9))


def test_confidence_set_is_what_refitting_at_every_null_does_not_reject():
    frame = panel(clusters=8, effect=0.5)
    y, region = frame["y"].to_numpy(), frame["region"].to_numpy()
    found = wild_cluster_bootstrap(fit(frame), weights="rademacher")
    W = with_dummies(frame, ["x"], ["entity", "year"])
    ((low, high),) = found.confidence_set
    around = [end + step for end in (low, high) for step in (-0.3, -1e-6, 1e-6, 0.3)]
    for null in [*around, (low + high) / 2]:
        observed, drawn = brute_force(y, W, region, null)
        p_value = np.mean(np.abs(drawn) >= np.abs(observed) * (1 - 1e-9))
        assert (low <= null <= high) == (p_value > 0.05 + 1e-9)


def test_inversion_finds_disjoint_sets():
    seen = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        # Denominators that all but vanish near z = 4, where draws are extreme again.
        rows = rng.normal(size=(2, 3, 39)) * np.array([0.02, 0.3])[:, None, None]
        rows[0] += 4 * rows[1]
        numerator = rng.normal(size=(2, 39)) * [[0.3], [0.05]]
        square = np.array([(rows[0] ** 2).sum(0), rows.prod(0).sum(0), (rows[1] ** 2).sum(0)])
        intervals = wild._invert(numerator, square)
        grid = np.linspace(-30, 30, 60_001)[:, None]
        left = (numerator[0] - grid * numerator[1]) ** 2
        right = grid**2 * (square[0] - 2 * grid * square[1] + grid**2 * square[2])
        kept = (left >= right).sum(axis=1) + 1 > 2.0
        inside = np.any([(grid[:, 0] >= a) & (grid[:, 0] <= b) for a, b in intervals], axis=0)
        np.testing.assert_array_equal(inside, kept)
        seen += len(intervals) > 1
    assert seen > 3


def test_four_clusters_cannot_bound_the_estimate():
    frame = panel(clusters=4)
    found = wild_cluster_bootstrap(fit(frame, effects=["entity"]), weights="rademacher")
    assert found.draws == 7
    assert found.p_value >= 1 / 8
    assert found.confidence_set == ((-np.inf, np.inf),)


@pytest.mark.parametrize("effects", DESIGNS)
def test_t_and_jackknife_against_pyfixest(effects):
    frame = drop_singletons(panel(clusters=9), effects)
    formula = "y ~ x + z" + (" | " + " + ".join(effects) if effects else "")
    peer = pyfixest.feols(formula, frame, vcov={"CRV1": "region"})
    shared = fit(frame, ["x", "z"], effects)
    found = wild_cluster_bootstrap(shared, draws=99)
    assert found.estimate == pytest.approx(peer.coef()["x"], abs=ROUNDING)
    assert found.standard_error == pytest.approx(peer.se()["x"], abs=ROUNDING)
    assert found.t == pytest.approx(peer.tstat()["x"], abs=ROUNDING)
    # pyfixest multiplies by its own factor G/(G-1) (n-1)/(n-k), the jackknife by (G-1)/G alone.
    peer.vcov({"CRV3": "region"})
    mapped = peer._vcov / peer._ssc * (1 - 1 / frame["region"].nunique())
    names = [peer._coefnames.index(r) for r in ("x", "z")]
    found = cluster_jackknife(shared)
    np.testing.assert_allclose(found, mapped[np.ix_(names, names)], rtol=0, atol=ROUNDING)


def test_jackknife_of_pyfixest_without_its_factor_is_larger_by_clusters_over_all_but_one():
    frame = panel(clusters=9)
    none = pyfixest.ssc(k_adj=False, G_adj=False)
    peer = pyfixest.feols("y ~ x + z | entity + year", frame, vcov={"CRV3": "region"}, ssc=none)
    ours = np.diag(cluster_jackknife(fit(frame, ["x", "z"])))
    np.testing.assert_allclose(peer.se() ** 2 / ours, 9 / 8, rtol=1e-8)


@pytest.mark.parametrize("weights", ["webb", "rademacher"])
def test_p_value_against_wildboottest(weights):
    frame = panel(clusters=16, seed=5, effect=0.2)
    years = pd.get_dummies(frame["year"]).to_numpy(float)[:, 1:]
    W = np.hstack([with_dummies(frame, ["x"], ["entity"]), years])
    region = frame["region"].to_numpy()
    peer = WildboottestCL(
        X=W, Y=frame["y"].to_numpy(), cluster=region, R=np.eye(W.shape[1])[0], B=9999, seed=3
    )
    peer.get_scores(bootstrap_type="11", impose_null=True)
    peer.get_weights(weights_type=weights)
    peer.get_numer()
    peer.get_denom()
    peer.get_tboot()
    peer.get_vcov()
    peer.get_tstat()
    peer.get_pvalue()
    found = wild_cluster_bootstrap(fit(frame), weights=weights)
    # Four standard errors of the difference of two simulated shares.
    error = 4 * np.sqrt(2 * peer.pvalue * (1 - peer.pvalue) / 9999)
    assert 0.02 < peer.pvalue < 0.8
    assert found.p_value == pytest.approx(peer.pvalue, abs=error)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_invariances(seed, scale, shift):
    frame = panel(clusters=7, seed=seed)
    moved = frame.assign(y=scale * frame["y"] + shift * np.cos(frame["entity"]))
    rng = np.random.default_rng(seed)
    other = frame.assign(
        region=rng.permutation(7)[frame["region"]],
        entity=rng.permutation(frame["entity"].max() + 1)[frame["entity"]],
    ).sample(frac=1, random_state=seed)
    first, moved, again = (
        wild_cluster_bootstrap(fit(f), weights="rademacher") for f in (frame, moved, other)
    )
    assert moved.t == pytest.approx(first.t, abs=1e-6)
    assert moved.p_value == first.p_value
    np.testing.assert_allclose(
        moved.confidence_set, scale * np.array(first.confidence_set), rtol=1e-6, atol=1e-6 * scale
    )
    assert again.p_value == first.p_value
    np.testing.assert_allclose(again.confidence_set, first.confidence_set, rtol=0, atol=1e-8)


def test_seed_and_order_of_rows_decide_nothing_else():
    frame = panel(clusters=20)
    first = wild_cluster_bootstrap(fit(frame), draws=499, seed=3)
    again = wild_cluster_bootstrap(fit(frame), draws=499, seed=3)
    np.testing.assert_array_equal(first.statistics, again.statistics)
    mixed = frame.sample(frac=1, random_state=1)
    moved = wild_cluster_bootstrap(fit(mixed), draws=499, seed=3)
    np.testing.assert_allclose(moved.statistics, first.statistics, rtol=0, atol=ROUNDING)
    # A test that rejects at 5 per cent leaves zero out of the set, and only then.
    inside = any(low <= 0 <= high for low, high in first.confidence_set)
    assert inside == (first.p_value > 0.05)


def test_jackknife_against_leaving_clusters_out():
    frame = panel(clusters=8)
    full = fit(frame, ["x", "z"])
    shifts = [
        fit(frame[frame["region"] != g], ["x", "z"]).estimate - full.estimate for g in range(8)
    ]
    expected = 7 / 8 * np.transpose(shifts) @ shifts
    np.testing.assert_allclose(cluster_jackknife(full), expected, rtol=1e-8)


def test_a_cluster_that_alone_moves_a_regressor_is_named():
    frame = panel().assign(z=lambda f: f["x"] * (f["region"] == 3))
    with pytest.raises(DesignError, match="at: 3"):
        cluster_jackknife(fit(frame, ["x", "z"], ["entity"]))
    with pytest.raises(DesignError, match="variance is zero"):
        wild_cluster_bootstrap(fit(frame, ["z"], ["entity"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": lambda f: f["y"].where(f.index != 3)}, "y is not finite\n  at: 3"),
        ({"cluster": lambda f: f["region"] * 0}, "fewer than two clusters"),
        ({"cluster": lambda f: f["region"].where(f.index != 2)}, "id is missing\n  at: 2"),
        ({"X": lambda f: np.c_[f["x"], f["entity"]]}, "by the fixed effects\n  at: 1"),
        (
            {"X": lambda f: np.c_[f["x"], f["z"], f["x"] - f["z"]]},
            "explain one another\n  at: 0, 1, 2",
        ),
        ({"X": lambda f: f[["x"]][1:]}, "different length"),
        ({"cluster": lambda f: f["region"][1:]}, "different length"),
        ({"y": lambda f: f["x"] + f["entity"]}, "fitted perfectly"),
        ({"y": lambda f: 5.0 + f["entity"]}, "fitted perfectly"),
        ({"effects": lambda f: [f["entity"], f.index]}, "by the fixed effects"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, words):
    frame = panel()
    good = {"y": "y", "X": ["x", "z"], "cluster": "region"}
    arguments = {k: frame[v] for k, v in good.items()} | {"effects": [frame["entity"]]}
    with pytest.raises(DesignError, match=words):
        clustered_fit(**arguments | {k: f(frame) for k, f in change.items()})


@pytest.mark.montecarlo
@pytest.mark.parametrize("treated", [None, 5])
def test_size_and_coverage_with_fifteen_clusters(treated):
    rng = np.random.default_rng(11)
    frame = panel(clusters=15, entities=3, years=6)
    region, year = frame["region"].to_numpy(), frame["year"].to_numpy()
    effects = [frame["entity"], frame["year"]]
    p_values, covered = [], 0
    for _ in range(1000):
        x = (
            rng.normal(size=(15, 6))[region, year]
            if treated is None
            else ((region % 3 == 0) & (year >= 3)).astype(float)
        )
        error = rng.normal(size=(15, 6))[region, year] * (1 + region / 15)
        y = 0.4 * x + error + rng.normal(size=len(frame))
        shared = clustered_fit(y - 0.4 * x, x, region, effects)
        seed = rng.integers(2**32)
        found = wild_cluster_bootstrap(shared, draws=399, weights="rademacher", seed=seed)
        p_values.append(found.p_value)
        covered += any(low <= 0 <= high for low, high in found.confidence_set)
    assert 0.03 <= np.mean(np.array(p_values) <= 0.05) <= 0.07
    assert 0.93 <= covered / 1000 <= 0.97
