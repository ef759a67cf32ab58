import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.weights import full2W
from monotowns.estimate import spatial, spatial_impacts
from monotowns.estimate.spatial_likelihood import REACH, LogDeterminant
from monotowns.estimate.spatial_weights import neighbours
from monotowns.run.errors import DesignError
from scipy import optimize, sparse
from scipy.linalg import null_space
from spreg import panel_fe
from statsmodels.tools.numdiff import approx_hess

#: The peer stops its search over rho at 1e-7; an optimiser on the dense likelihood gives as much.
PEER = 1e-6


def weights_of(n, k=5, seed=1):
    rng = np.random.default_rng(seed)
    return neighbours(rng.uniform(50, 60, n), rng.uniform(30, 60, n), "nearest", k)


def simulated(n=49, periods=5, rho=0.4, theta=(0.0, 0.0), error=False, seed=2, W=None, b=(1, -0.5)):
    """Rows and weights of a lag (or error) process with effects of entities and years."""
    rng = np.random.default_rng(seed)
    W = weights_of(n) if W is None else W
    X = rng.normal(size=(n * periods, 2))
    effects = np.repeat(rng.normal(size=n), periods) + np.tile(rng.normal(size=periods), n)
    noise = rng.normal(size=n * periods)
    mean = X @ b + effects
    if not error:
        mean = mean + lag(X, W) @ np.asarray(theta) + noise
    shock = noise if error else mean
    y = np.linalg.solve(np.eye(n) - rho * W.toarray(), shock.reshape(n, periods)).ravel()
    rows = pd.DataFrame(X, columns=["a", "b"]).assign(y=y + mean if error else y)
    entity, year = np.repeat(np.arange(n), periods), np.tile(np.arange(periods), n)
    return rows.assign(entity=entity, year=year), W


def lag(values, W):
    values = np.asarray(values)
    return (W @ values.reshape(W.shape[0], -1)).reshape(values.shape)


def fitted(rows, W, model="sar", draws=100, seed=0):
    return spatial.fit_panel(rows, "y", ["a", "b"], LogDeterminant(W), model, draws, seed)


def transformed(rows, W, columns):
    """Lee and Yu's panel: one place less, one period less, no effects."""
    n, periods = W.shape[0], rows["year"].nunique()
    left, right = null_space(np.ones((1, n))), null_space(np.ones((1, periods)))
    cubes = [left.T @ np.asarray(c).reshape(n, periods) for c in columns]
    return cubes, right, left.T @ W.toarray() @ left


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["sar", "sdm", "sem"])
def test_coefficients_against_spreg_on_the_transformed_places(model):
    rows, W = simulated(error=model == "sem", theta=(0.3, 0.2))
    X = [rows["a"], rows["b"]]
    X += [lag(x, W) for x in X] if model == "sdm" else []
    (y, *X), _, small = transformed(rows, W, [rows["y"], *X])
    # The classes below spreg.Panel_FE_Lag and Panel_FE_Error: those refuse W with a diagonal.
    peer = panel_fe.BasePanel_FE_Error if model == "sem" else panel_fe.BasePanel_FE_Lag
    y, X = y.T.reshape(-1, 1), np.column_stack([x.T.ravel() for x in X])
    other = peer(y, X, full2W(small)).betas.ravel()
    found = fitted(rows, W, model).terms["estimate"][: len(other)]
    assert found.to_numpy() == pytest.approx(other, abs=PEER)


@pytest.mark.parametrize("model", ["sar", "sem"])
def test_errors_against_the_dense_likelihood_of_the_transformed_panel(model):
    rows, W = simulated(error=model == "sem")
    (y, *X), right, small = transformed(rows, W, [rows["y"], rows["a"], rows["b"]])
    Y, A, B = (v @ right for v in (y, *X))

    def minus_log_likelihood(p):
        S, mean = np.eye(len(small)) - p[2] * small, p[0] * A + p[1] * B
        e = S @ Y - mean if model == "sar" else S @ (Y - mean)
        size = Y.size / 2 * (np.log(2 * np.pi) + p[3]) + (e**2).sum() / 2 / np.exp(p[3])
        return size - Y.shape[1] * np.linalg.slogdet(S)[1]

    best = optimize.minimize(minus_log_likelihood, np.zeros(4), options={"gtol": 1e-8})
    covariance = np.linalg.inv(approx_hess(best.x, minus_log_likelihood))
    fit = fitted(rows, W, model)
    assert fit.terms["estimate"][:3].to_numpy() == pytest.approx(best.x[:3], abs=PEER)
    assert fit.covariance == pytest.approx(covariance[:3, :3], rel=1e-4, abs=1e-7)
    assert fit.details["log_likelihood"] == pytest.approx(-best.fun, abs=PEER)


def test_lagged_regressors_against_least_squares_on_dummies():
    rows, W = simulated(rho=0.0, theta=(0.3, 0.2))
    names = ["a", "b", "W_a", "W_b"]
    rows[["W_a", "W_b"]] = lag(rows[["a", "b"]].to_numpy(), W)
    dummies = [pd.get_dummies(rows[c], prefix=c, dtype=float) for c in ("entity", "year")]
    design = pd.concat([rows[names], dummies[0], dummies[1].iloc[:, 1:]], axis=1)
    other = sm.OLS(rows["y"], design).fit()
    terms = fitted(rows, W, "slx").terms.set_index("term")
    total = other.t_test("a + W_a = 0")
    for found, expected in (("estimate", other.params), ("standard_error", other.bse)):
        assert terms[found][names].to_numpy() == pytest.approx(expected[names], abs=1e-8)
        assert terms[found]["direct a"] == pytest.approx(expected["a"], abs=1e-8)
        assert terms[found]["indirect a"] == pytest.approx(expected["W_a"], abs=1e-8)
    assert terms["standard_error"]["total a"] == pytest.approx(total.sd.item(), abs=1e-8)
    assert terms["p_value"]["total a"] == pytest.approx(total.pvalue.item(), abs=1e-8)


@pytest.mark.parametrize("model", ["sar", "sdm"])
def test_impacts_against_the_dense_inverse(model):
    rows, W = simulated(theta=(0.3, 0.2))
    found = fitted(rows, W, model).terms.set_index("term")["estimate"]
    inverse = np.linalg.inv(np.eye(49) - found["rho"] * W.toarray())
    for name in "ab":
        S = inverse @ (np.eye(49) * found[name] + found.get(f"W_{name}", 0.0) * W.toarray())
        assert found[f"direct {name}"] == pytest.approx(np.trace(S) / 49, abs=1e-8)
        assert found[f"total {name}"] == pytest.approx(S.sum() / 49, abs=1e-8)
        assert found[f"indirect {name}"] == pytest.approx((S.sum() - np.trace(S)) / 49, abs=1e-8)


def test_impacts_of_a_pair_worked_by_hand():
    # Two places, each the other's neighbour, rho = 1/2: the inverse is [[4, 2], [2, 4]] / 3 and
    # tr G = 2 rho / (1 - rho^2) = 4/3.
    found = spatial_impacts.average(np.array([3.0, 0.5]), 1, 2, np.array(4 / 3))
    assert found == pytest.approx([4.0, 2.0, 6.0])
    found = spatial_impacts.average(np.array([0.0, 3.0, 0.5]), 1, 2, np.array(4 / 3))
    assert found == pytest.approx([2.0, 4.0, 6.0])


def test_simulated_errors_of_impacts_agree_with_the_delta_method():
    n = 225
    rows, W = simulated(n, 12, theta=(0.3, 0.2))
    fit = fitted(rows, W, "sdm", draws=20_000)
    at = fit.terms["estimate"][:5].to_numpy()

    def exact(p):
        inverse = np.linalg.inv(np.eye(n) - p[4] * W.toarray())
        return spatial_impacts.average(p, 2, n, np.array((W @ inverse).trace()))

    step = 1e-5
    slopes = np.array([(exact(at + step * e) - exact(at - step * e)) / 2 / step for e in np.eye(5)])
    delta = np.sqrt(np.diag(slopes.T @ fit.covariance @ slopes))
    # The impacts bend by rho's standard error over 1 - rho, here .03.
    assert fit.terms["standard_error"][5:].to_numpy() == pytest.approx(delta, rel=0.02)


def test_log_determinant_of_a_one_way_ring_is_known():
    # Eigenvalues all around the unit circle, the hardest case: |I - rho W| = 1 - rho^n.
    n = 6
    ring = sparse.csr_array((np.ones(n), (np.arange(n), np.roll(np.arange(n), 1))), shape=(n, n))
    determinant, rho = LogDeterminant(ring), np.tanh(np.linspace(-REACH, REACH, 50))
    assert determinant.value(rho) == pytest.approx(np.log1p(-(rho**n)), abs=1e-9)
    trace = n * rho ** (n - 1) / (1 - rho**n)
    assert determinant.trace(rho) == pytest.approx(trace, rel=1e-6, abs=1e-6)


def test_log_determinant_and_traces_against_dense_ones():
    W = weights_of(200, k=6)
    determinant = LogDeterminant(W)
    for rho in (-0.4, 0.0, 0.55, 0.9):
        S = np.eye(200) - rho * W.toarray()
        G = W @ np.linalg.inv(S)
        assert determinant.value(rho) == pytest.approx(np.linalg.slogdet(S)[1], abs=1e-8)
        assert determinant.trace(rho) == pytest.approx(np.trace(G), rel=1e-7, abs=1e-7)
        assert determinant.trace_square(rho) == pytest.approx(np.trace(G @ G), rel=1e-6)


@pytest.mark.montecarlo
@pytest.mark.parametrize("model", ["sdm", "sem"])
def test_coverage_and_size(model):
    rho, W, hits, rejected = 0.4, weights_of(120), [], []
    error = model == "sem"
    planted = {"a": 1.0} | ({"lambda": rho} if error else {"rho": rho, "total a": 1.2 / (1 - rho)})
    nulls = ["b"] if error else ["W_b", "total b"]
    for seed in range(1000):
        rows, W = simulated(120, 5, rho, (0.2, 0.0), error, seed, W, b=(1.0, 0.0))
        terms = fitted(rows, W, model, 999, seed).terms.set_index("term")
        low, high, p_value = terms["ci_low"], terms["ci_high"], terms["p_value"]
        hits.append([low[t] < value < high[t] for t, value in planted.items()])
        rejected.append([p_value[t] < 0.05 for t in nulls])
    coverage, size = np.mean(hits, axis=0), np.mean(rejected, axis=0)
    assert ((coverage >= 0.93) & (coverage <= 0.97)).all(), (planted, coverage)
    assert ((size >= 0.03) & (size <= 0.07)).all(), (nulls, size)


def test_planted_impacts_are_found():
    terms = fitted(*simulated(225, 10, theta=(0.5, 0.0)), "sdm").terms.set_index("term")
    for term, planted in [("rho", 0.4), ("W_a", 0.5), ("W_b", 0.0), ("total a", 2.5)]:
        assert terms["ci_low"][term] < planted < terms["ci_high"][term]
    assert terms["standard_error"]["total a"] < 0.1


MODELS = st.sampled_from(spatial.MODELS)


@settings(max_examples=15, deadline=None)
@given(MODELS, st.permutations(range(20)))
def test_the_order_of_entities_does_not_matter(model, order):
    rows, W = simulated(20, 4)
    moved = rows.iloc[np.arange(80).reshape(20, 4)[order].ravel()]
    moved = moved.assign(entity=rows["entity"].to_numpy())
    here, there = fitted(rows, W, model), fitted(moved, W[order][:, order], model)
    pd.testing.assert_frame_equal(there.terms, here.terms, rtol=1e-7, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(MODELS, st.floats(1e-3, 1e3), st.floats(-100, 100), st.integers(0, 19))
def test_scale_and_entity_constants_of_the_outcome_do_not_matter(model, scale, constant, who):
    rows, W = simulated(20, 4)
    # A constant of one entity shifts its neighbours' lags by a constant too; a year's shifts all.
    shift = constant * ((rows["entity"] == who) + 1.0 * (rows["year"] == 2))
    there, here = (
        fitted(r, W, model).terms.set_index("term")["estimate"]
        for r in (rows.assign(y=scale * (rows["y"] + shift)), rows)
    )
    size = np.where(here.index.isin(["rho", "lambda"]), 1.0, scale)
    np.testing.assert_allclose(there / size, here, rtol=1e-6, atol=1e-7)


def test_impacts_depend_on_the_seed_alone():
    one, two, other = (fitted(*simulated(), seed=s).terms for s in (3, 3, 4))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert (one["ci_low"] != other["ci_low"]).any()


def test_impacts_of_a_rho_that_may_be_one_are_refused():
    with pytest.raises(DesignError, match="too uncertain"):
        fitted(*simulated(20, 3, rho=0.8, seed=5))


@pytest.mark.parametrize(
    ("change", "words", "key"),
    [
        (lambda r: r.assign(y=r["y"].where(r.index != 5)), "missing", "(1, 1)"),
        (lambda r: r.assign(b=r["b"].where(r.index != 9, np.inf)), "infinite", "(2, 1)"),
        (lambda r: r.assign(year=r["year"].where(r.index != 6, 1)), "not balanced", "(1, 2)"),
        (lambda r: r.iloc[[1, 0, *range(2, 80)]], "sorted", None),
        (lambda r: r.drop(index=26), "keep entities with every year", "(6, 2)"),
        (lambda r: r[r["entity"] < 19], "one row an entity", None),
        (lambda r: r.assign(b=r["entity"]), "do not vary", "b"),
        (lambda r: r.assign(b=r["year"]), "do not vary", "b"),
        (lambda r: r.assign(b=2 * r["a"]), "collinear", "b"),
    ],
)
def test_rows_that_do_not_do_are_refused_by_name(change, words, key):
    rows, W = simulated(20, 4)
    with pytest.raises(DesignError, match=words) as refusal:
        fitted(change(rows), W)
    assert key is None or key in str(refusal.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda W: W * 0.9,
        lambda W: W + np.diag(np.arange(20) == 4) - W * (np.arange(20) == 4)[:, None],
        lambda W: W * (np.arange(20) != 4)[:, None],
        lambda W: W * np.where(np.arange(20) == 4, np.nan, 1)[:, None],
    ],
)
def test_weights_that_do_not_do_are_refused_by_place(change):
    bad = sparse.csr_array(change(weights_of(20).toarray()))
    with pytest.raises(DesignError, match="sum to one") as refusal:
        LogDeterminant(bad)
    assert 4 in refusal.value.keys


def test_a_likelihood_without_a_stationary_maximum_is_refused():
    rows, _ = simulated(20, 6)
    # Within the two halves of a ring of pairs a common shock a year is a lag of rho = 1.
    pairs = sparse.csr_array(np.kron(np.eye(10), np.array([[0.0, 1.0], [1.0, 0.0]])))
    half = (rows["entity"] >= 10).to_numpy() * np.random.default_rng(0).normal(size=120)
    half = pd.Series(half).groupby([rows["entity"] // 2, rows["year"]]).transform("mean")
    with pytest.raises(DesignError, match="stationary"):
        fitted(rows.assign(y=1e-6 * rows["y"] + 1e3 * half), pairs)
