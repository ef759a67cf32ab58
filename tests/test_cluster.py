from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate import wild_bootstrap as wild
from monotowns.estimate.jackknife import cluster_jackknife, cluster_leverage
from monotowns.estimate.regression import drop_singletons
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.run.errors import DesignError

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
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True).assign(one=1.0)


#: Regressors and absorbed effects: none, only not nested in region, nested, and both.
DESIGNS = [
    (["x", "z", "one"], []),
    (["x", "z"], ["year"]),
    (["x", "z"], ["entity", "region_year"]),
    (["x", "z"], ["entity", "year"]),
]


def with_dummies(frame, regressors, effects):
    parts = [frame[regressors].to_numpy()]
    parts += [pd.get_dummies(frame[effect]).to_numpy(float) for effect in effects]
    return np.hstack(parts)


def statistic(y, W, bread, cluster, null=0.0):
    """CRV1 t statistic of the first column, without small-sample factor."""
    estimate = bread @ (W.T @ y)
    scores = W * (y - W @ estimate)[:, None]
    sums = np.array([scores[cluster == g].sum(axis=0) for g in np.unique(cluster)])
    return (estimate[0] - null) / np.sqrt((bread @ sums.T @ sums @ bread)[0, 0])


def brute_force(y, W, cluster, null=0.0, impose_null=True):
    """Observed and all 2^G bootstrap t statistics, every sample fitted anew with its dummies."""
    bread = np.linalg.pinv(W.T @ W)
    other = W[:, 1:] if impose_null else W
    kept = y - null * W[:, 0] if impose_null else y
    fitted = other @ np.linalg.lstsq(other, kept, rcond=None)[0]
    around = null if impose_null else (bread @ (W.T @ y))[0]
    drawn = []
    for signs in product([1, -1], repeat=len(np.unique(cluster))):
        sample = y - kept + fitted + np.array(signs)[cluster] * (kept - fitted)
        drawn.append(statistic(sample, W, bread, cluster, around))
    return statistic(y, W, bread, cluster, null), np.array(drawn)


@pytest.mark.parametrize("impose_null", [True, False])
@pytest.mark.parametrize(("regressors", "effects"), DESIGNS)
def test_enumeration_against_refitting_with_dummies(regressors, effects, impose_null):
    frame = panel()
    found = wild_cluster_bootstrap(
        frame["y"],
        frame[regressors],
        frame["region"],
        [frame[e] for e in effects],
        weights="rademacher",
        impose_null=impose_null,
    )
    assert found.enumerated
    W, region = with_dummies(frame, regressors, effects), frame["region"].to_numpy()
    observed, drawn = brute_force(frame["y"].to_numpy(), W, region, impose_null=impose_null)
    factor = found.t / observed
    half = drawn[1 : len(drawn) // 2]  # the first sample is the observed one
    np.testing.assert_allclose(found.statistics, factor * half, rtol=0, atol=ROUNDING)
    extreme = (np.abs(half) >= np.abs(observed) * (1 - 1e-9)).sum()
    assert found.p_value == (extreme + 1) / (len(half) + 1)
    if impose_null:  # the literal share of all 2^G samples
        assert found.p_value == np.mean(np.abs(drawn) >= np.abs(observed) * (1 - 1e-9))


def test_confidence_set_is_what_refitting_at_every_null_does_not_reject():
    frame = panel(effect=0.5)
    y, region = frame["y"].to_numpy(), frame["region"].to_numpy()
    found = wild_cluster_bootstrap(
        y, frame[["x"]], region, [frame["entity"], frame["year"]], weights="rademacher", level=0.8
    )
    W = with_dummies(frame, ["x"], ["entity", "year"])
    ((low, high),) = found.confidence_set
    for null in [
        *np.linspace(low - 0.3, high + 0.3, 12),
        low - 1e-6,
        low + 1e-6,
        high - 1e-6,
        high + 1e-6,
    ]:
        observed, drawn = brute_force(y, W, region, null)
        p_value = np.mean(np.abs(drawn) >= np.abs(observed) * (1 - 1e-9))
        assert (low <= null <= high) == (p_value > 0.2 + 1e-9)


def test_set_without_the_null_imposed_is_symmetric_about_the_estimate():
    frame = panel()
    found = wild_cluster_bootstrap(
        frame["y"],
        frame["x"],
        frame["region"],
        [frame["entity"]],
        weights="rademacher",
        impose_null=False,
        level=0.8,
    )
    # .2 of 32 samples, the observed among them, leaves six: the sixth largest of the 31 drawn.
    sixth = np.sort(np.abs(found.statistics))[-6] * found.standard_error
    expected = [(found.estimate - sixth, found.estimate + sixth)]
    np.testing.assert_allclose(found.confidence_set, expected, rtol=1e-8)


def test_inversion_finds_disjoint_sets():
    seen = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        # Denominators that all but vanish near z = 4, where draws are extreme again.
        rows = rng.normal(size=(2, 3, 19)) * np.array([0.02, 0.3])[:, None, None]
        rows[0] += 4 * rows[1]
        numerator = rng.normal(size=(2, 19)) * [[0.3], [0.05]]
        square = np.array([(rows[0] ** 2).sum(0), rows.prod(0).sum(0), (rows[1] ** 2).sum(0)])
        intervals = wild._invert(numerator, square, 0.9)
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
    found = wild_cluster_bootstrap(
        frame["y"], frame["x"], frame["region"], [frame["entity"]], weights="rademacher"
    )
    assert found.draws == 7
    assert found.p_value >= 1 / 8
    assert found.confidence_set == ((-np.inf, np.inf),)


@pytest.mark.parametrize(("regressors", "effects"), DESIGNS)
def test_t_and_jackknife_against_pyfixest(regressors, effects):
    import pyfixest

    frame = drop_singletons(panel(clusters=9), effects)
    formula = "y ~ x + z" + (" | " + " + ".join(effects) if effects else "")
    arguments = (frame["y"], frame[regressors], frame["region"], [frame[e] for e in effects])
    peer = pyfixest.feols(formula, frame, vcov={"CRV1": "region"})
    found = wild_cluster_bootstrap(*arguments, draws=99)
    assert found.estimate == pytest.approx(peer.coef()["x"], abs=ROUNDING)
    assert found.standard_error == pytest.approx(peer.se()["x"], abs=ROUNDING)
    assert found.t == pytest.approx(peer.tstat()["x"], abs=ROUNDING)
    peer.vcov({"CRV3": "region"})
    mapped = peer._vcov / peer._ssc * (1 - 1 / frame["region"].nunique())
    names = [peer._coefnames.index("Intercept" if r == "one" else r) for r in regressors]
    np.testing.assert_allclose(
        cluster_jackknife(*arguments), mapped[np.ix_(names, names)], rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("weights", ["webb", "rademacher"])
def test_p_value_against_wildboottest(weights):
    from wildboottest.wildboottest import WildboottestCL

    frame = panel(clusters=16, seed=5, effect=0.2)
    W = np.hstack(
        [
            with_dummies(frame, ["x"], ["entity"]),
            pd.get_dummies(frame["year"]).to_numpy(float)[:, 1:],
        ]
    )
    peer = WildboottestCL(
        X=W,
        Y=frame["y"].to_numpy(),
        cluster=frame["region"].to_numpy(),
        R=np.eye(W.shape[1])[0],
        B=9999,
        seed=3,
        parallel=False,
    )
    peer.get_scores(bootstrap_type="11", impose_null=True)
    peer.get_weights(weights_type=weights)
    peer.get_numer()
    peer.get_denom()
    peer.get_tboot()
    peer.get_vcov()
    peer.get_tstat()
    peer.get_pvalue()
    found = wild_cluster_bootstrap(
        frame["y"], frame["x"], frame["region"], [frame["entity"], frame["year"]], weights=weights
    )
    # Four standard errors of the difference of two simulated shares.
    error = 4 * np.sqrt(2 * peer.pvalue * (1 - peer.pvalue) / 9999)
    assert 0.02 < peer.pvalue < 0.8
    assert found.p_value == pytest.approx(peer.pvalue, abs=error)


def enumerated(frame, y):
    effects = [frame["entity"], frame["year"]]
    return wild_cluster_bootstrap(y, frame["x"], frame["region"], effects, weights="rademacher")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_invariances(seed, scale, shift):
    frame = panel(clusters=7, seed=seed)
    first = enumerated(frame, frame["y"])
    moved = enumerated(frame, scale * frame["y"] + shift * np.cos(frame["entity"]))
    assert moved.t == pytest.approx(first.t, abs=1e-6)
    assert moved.p_value == first.p_value
    np.testing.assert_allclose(
        moved.confidence_set, scale * np.array(first.confidence_set), rtol=1e-6, atol=1e-6 * scale
    )
    rng = np.random.default_rng(seed)
    other = frame.assign(
        region=rng.permutation(7)[frame["region"]],
        entity=rng.permutation(frame["entity"].max() + 1)[frame["entity"]],
    ).sample(frac=1, random_state=seed)
    again = enumerated(other, other["y"])
    assert again.p_value == first.p_value
    np.testing.assert_allclose(again.confidence_set, first.confidence_set, rtol=0, atol=1e-8)


def test_seed_and_order_of_rows_decide_nothing_else():
    frame = panel(clusters=20)
    arguments = [frame["region"], [frame["entity"], frame["year"]]]
    first = wild_cluster_bootstrap(frame["y"], frame["x"], *arguments, draws=499, seed=3)
    again = wild_cluster_bootstrap(frame["y"], frame["x"], *arguments, draws=499, seed=3)
    np.testing.assert_array_equal(first.statistics, again.statistics)
    mixed = frame.sample(frac=1, random_state=1)
    moved = wild_cluster_bootstrap(
        mixed["y"], mixed["x"], mixed["region"], [mixed["entity"], mixed["year"]], draws=499, seed=3
    )
    np.testing.assert_allclose(moved.statistics, first.statistics, rtol=0, atol=ROUNDING)
    # A test that rejects at 5 per cent leaves zero out of the set, and only then.
    inside = any(low <= 0 <= high for low, high in first.confidence_set)
    assert inside == (first.p_value > 0.05)


def test_leverage_and_influence_against_leaving_clusters_out():
    frame = panel(clusters=8)
    effects = [frame["entity"], frame["year"]]
    found = cluster_leverage(frame["y"], frame[["x", "z"]], frame["region"], effects)
    table = found.clusters.set_index("cluster").sort_index()
    W, entity = with_dummies(frame, ["x", "z"], ["year"]), pd.get_dummies(frame["entity"])
    entity = entity.to_numpy(float)
    W = W - entity @ np.linalg.lstsq(entity, W, rcond=None)[0]
    hat = np.diag(W @ np.linalg.pinv(W.T @ W) @ W.T)
    region = frame["region"].to_numpy()
    np.testing.assert_allclose(table["leverage"], np.bincount(region, hat), atol=ROUNDING)
    assert table["leverage"].sum() == pytest.approx(2 + 4)  # slopes and years less one
    assert table["partial_leverage"].sum() == pytest.approx(1)
    for g in range(8):
        rest = frame[frame["region"] != g]
        W = with_dummies(rest, ["x", "z"], ["entity", "year"])
        without = np.linalg.lstsq(W, rest["y"], rcond=None)[0][0]
        assert table.loc[g, "without"] == pytest.approx(without, abs=ROUNDING)
    deviation = (
        table["without"]
        - wild_cluster_bootstrap(frame["y"], frame[["x", "z"]], region, effects, draws=9).estimate
    )
    variance = 7 / 8 * (deviation**2).sum()
    np.testing.assert_allclose(table["shift"], deviation / np.sqrt(variance), atol=1e-7)
    assert found.clusters["shift"].abs().is_monotonic_decreasing


def test_effective_clusters_of_known_designs():
    # Two unequal halves of partial leverage .8 and .2: CV^2 = .36, so 2 / 1.36.
    x, cluster = np.array([2.0, -2.0, 1.0, -1.0]), [0, 0, 1, 1]
    y = [1.0, 0.0, 0.5, 2.0]
    assert cluster_leverage(y, x, cluster).effective == pytest.approx(2 / 1.36)
    x = np.tile([1.0, -1.0, 2.0], 5)
    y = np.random.default_rng(0).normal(size=15)
    assert cluster_leverage(y, x, np.repeat(range(5), 3)).effective == pytest.approx(5)


def test_a_cluster_that_alone_identifies_a_slope_is_named():
    frame = panel().assign(z=lambda f: f["x"] * (f["region"] == 3))
    with pytest.raises(DesignError, match="at: 3"):
        cluster_jackknife(frame["y"], frame[["x", "z"]], frame["region"], [frame["entity"]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": lambda f: f["y"].where(f.index != 3)}, "y is not finite\n  at: 3"),
        ({"cluster": lambda f: f["region"] * 0}, "fewer than two clusters"),
        ({"cluster": lambda f: f["region"].where(f.index != 2)}, "id is missing\n  at: 2"),
        ({"X": lambda f: f[["x", "one"]]}, "constant within the absorbed effects\n  at: 1"),
        ({"X": lambda f: np.c_[f["x"], f["z"], f["x"] - f["z"]]}, "collinear\n  at: 0, 1, 2"),
        ({"X": lambda f: f[["x"]][1:]}, "different length"),
        ({"y": lambda f: f["x"] + f["entity"]}, "variance is zero"),
        ({"y": lambda f: 5.0 + f["entity"]}, "variance is zero"),
        ({"X": lambda f: f["x"] * (f["region"] == 3)}, "variance is zero"),
        ({"weights": lambda f: "mammen"}, "unknown weights"),
        ({"level": lambda f: 95}, "level out of range"),
        ({"param": lambda f: 2}, "no such column"),
        ({"absorb": lambda f: [f["entity"], f.index]}, "constant within"),
    ],
)
def test_what_cannot_be_tested_is_refused(change, words):
    frame = panel()
    arguments = {
        "y": frame["y"],
        "X": frame[["x", "z"]],
        "cluster": frame["region"],
        "absorb": [frame["entity"]],
    }
    with pytest.raises(DesignError, match=words):
        wild_cluster_bootstrap(**arguments | {k: f(frame) for k, f in change.items()})


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
        found = wild_cluster_bootstrap(
            y - 0.4 * x,
            x,
            region,
            effects,
            draws=399,
            weights="rademacher",
            seed=rng.integers(2**32),
        )
        p_values.append(found.p_value)
        covered += any(low <= 0 <= high for low, high in found.confidence_set)
    assert 0.03 <= np.mean(np.array(p_values) <= 0.05) <= 0.07
    assert 0.93 <= covered / 1000 <= 0.97
