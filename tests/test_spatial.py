import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate import spatial, spatial_impacts
from monotowns.estimate import spatial_weights as weights
from monotowns.estimate.spatial_likelihood import LogDeterminant
from monotowns.run.errors import DesignError
from scipy import optimize, sparse
from scipy.linalg import null_space

#: The peer stops its search over rho at 1e-7.
PEER = 1e-6

#: A general-purpose optimiser and central differences of a dense likelihood give this much.
DENSE = 1e-6

COEFFICIENTS = (1.0, -0.5)


def weights_of(n, k=5, seed=1):
    rng = np.random.default_rng(seed)
    return weights.knn(rng.uniform(50, 60, n), rng.uniform(30, 60, n), k)


def simulated(n=49, periods=5, rho=0.4, theta=(0.0, 0.0), error=False, seed=2, W=None, b=None):
    """y, X, entity, time, W of a lag (or error) process with entity and time effects."""
    rng = np.random.default_rng(seed)
    W = weights_of(n) if W is None else W
    X = rng.normal(size=(n * periods, 2))
    effects = np.repeat(rng.normal(size=n), periods) + np.tile(rng.normal(size=periods), n)
    noise = rng.normal(size=n * periods)
    lagged = (W @ X.reshape(n, -1)).reshape(X.shape)
    mean = X @ (COEFFICIENTS if b is None else b) + lagged @ np.asarray(theta) + effects
    inverse = np.linalg.inv(np.eye(n) - rho * W.toarray())
    filtered = noise if error else mean + noise
    y = (inverse @ filtered.reshape(n, periods)).ravel() + (mean if error else 0)
    return y, X, np.repeat(np.arange(n), periods), np.tile(np.arange(periods), n), W


def peer(cls, y, X, W, periods):
    import libpysal

    w = libpysal.weights.WSP(sparse.csr_matrix(W)).to_W()
    wide = np.hstack([X[:, j].reshape(-1, periods) for j in range(X.shape[1])])
    return cls(y.reshape(-1, periods), wide, w)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("model", "name"), [("sar", "Panel_FE_Lag"), ("sem", "Panel_FE_Error")])
def test_lag_and_error_panels_against_dense_maximum_likelihood(model, name):
    import spreg

    y, X, entity, time, W = simulated(error=model == "sem")
    fit = spatial.panel(y, X, entity, time, W, model, "entity")
    other = peer(getattr(spreg, name), y, X, W, 5)
    assert fit.terms["estimate"][:3].to_numpy() == pytest.approx(other.betas.ravel(), abs=PEER)
    # The peer divides the sum of squares by n T, Lee and Yu by n (T - 1).
    assert fit.details["sigma2"] * 4 / 5 == pytest.approx(other.sig2.item(), rel=PEER)


@pytest.mark.filterwarnings("ignore")
def test_durbin_panel_against_dense_lag_panel_with_lagged_regressors():
    import spreg

    y, X, entity, time, W = simulated(theta=(0.3, 0.2))
    fit = spatial.panel(y, X, entity, time, W, "sdm", "entity", names=["a", "b"])
    both = np.column_stack([X, (W @ X.reshape(49, -1)).reshape(X.shape)])
    other = peer(spreg.Panel_FE_Lag, y, both, W, 5)
    assert fit.terms["term"][:5].tolist() == ["a", "b", "W_a", "W_b", "rho"]
    assert fit.terms["estimate"][:5].to_numpy() == pytest.approx(other.betas.ravel(), abs=PEER)


@pytest.mark.parametrize("effects", ["twoways", "entity"])
@pytest.mark.parametrize("model", ["sar", "sem"])
def test_estimates_and_errors_against_the_dense_likelihood_of_the_transformed_panel(model, effects):
    from statsmodels.tools.numdiff import approx_hess

    n, periods = 49, 5
    y, X, entity, time, W = simulated(n, periods, error=model == "sem")
    left = null_space(np.ones((1, n))) if effects == "twoways" else np.eye(n)
    right = null_space(np.ones((1, periods)))
    small = left.T @ W.toarray() @ left
    Y, *Z = (left.T @ v.reshape(n, periods) @ right for v in (y, *X.T))

    def minus_log_likelihood(p):
        S = np.eye(len(small)) - p[2] * small
        mean = p[0] * Z[0] + p[1] * Z[1]
        e = S @ Y - mean if model == "sar" else S @ (Y - mean)
        size = Y.size / 2 * (np.log(2 * np.pi) + p[3]) + (e**2).sum() / 2 / np.exp(p[3])
        return size - (periods - 1) * np.linalg.slogdet(S)[1]

    best = optimize.minimize(minus_log_likelihood, np.zeros(4), options={"gtol": 1e-8})
    covariance = np.linalg.inv(approx_hess(best.x, minus_log_likelihood))
    fit = spatial.panel(y, X, entity, time, W, model, effects)
    assert fit.terms["estimate"][:3].to_numpy() == pytest.approx(best.x[:3], abs=DENSE)
    assert fit.covariance[:3, :3] == pytest.approx(covariance[:3, :3], rel=1e-4, abs=1e-7)
    assert fit.details["log_likelihood"] == pytest.approx(-best.fun, abs=DENSE)


def test_lagged_regressors_against_least_squares():
    import pyfixest

    y, X, entity, time, W = simulated(rho=0.0, theta=(0.3, 0.2))
    lagged = (W @ X.reshape(49, -1)).reshape(X.shape)
    frame = pd.DataFrame(np.column_stack([y, X, lagged]), columns=["y", "a", "b", "W_a", "W_b"])
    frame = frame.assign(entity=entity, time=time)
    other = pyfixest.feols("y ~ a + b + W_a + W_b | entity + time", frame, vcov="iid")
    fit = spatial.panel(y, X, entity, time, W, "slx", names=["a", "b"])
    terms = fit.terms.set_index("term")
    for name in ["a", "b", "W_a", "W_b"]:
        assert terms["estimate"][name] == pytest.approx(other.coef()[name], abs=1e-8)
        assert terms["standard_error"][name] == pytest.approx(other.se()[name], abs=1e-8)
        assert terms["p_value"][name] == pytest.approx(other.pvalue()[name], abs=1e-8)
    assert terms["estimate"]["direct a"] == terms["estimate"]["a"]
    assert terms["estimate"]["indirect a"] == terms["estimate"]["W_a"]
    test = other._vcov[0, 0] + other._vcov[2, 2] + 2 * other._vcov[0, 2]
    assert terms["standard_error"]["total a"] == pytest.approx(np.sqrt(test), abs=1e-8)


@pytest.mark.parametrize("model", ["sar", "sdm"])
def test_impacts_against_the_dense_inverse(model):
    y, X, entity, time, W = simulated(theta=(0.3, 0.2))
    fit = spatial.panel(y, X, entity, time, W, model, names=["a", "b"], draws=200)
    found = fit.terms.set_index("term")["estimate"]
    inverse = np.linalg.inv(np.eye(49) - found["rho"] * W.toarray())
    for name in "ab":
        theta = found.get(f"W_{name}", 0.0)
        S = inverse @ (np.eye(49) * found[name] + theta * W.toarray())
        assert found[f"direct {name}"] == pytest.approx(np.trace(S) / 49, abs=1e-8)
        assert found[f"total {name}"] == pytest.approx(S.sum() / 49, abs=1e-8)
        off = S.sum() / 49 - np.trace(S) / 49
        assert found[f"indirect {name}"] == pytest.approx(off, abs=1e-8)


def test_impacts_of_a_pair_worked_by_hand():
    # Two places, each the other's neighbour, rho = 1/2: the inverse is [[4, 2], [2, 4]] / 3 and
    # tr G = 2 rho / (1 - rho^2) = 4/3.
    found = spatial_impacts.average(np.array([3.0, 0.5]), 1, 2, np.array(4 / 3))
    assert found == pytest.approx([4.0, 2.0, 6.0])
    found = spatial_impacts.average(np.array([0.0, 3.0, 0.5]), 1, 2, np.array(4 / 3))
    assert found == pytest.approx([2.0, 4.0, 6.0])


def test_simulated_errors_of_impacts_agree_with_the_delta_method():
    n, periods = 225, 12
    y, X, entity, time, W = simulated(n, periods, theta=(0.3, 0.2))
    fit = spatial.panel(y, X, entity, time, W, "sdm", names=["a", "b"], draws=20_000)
    at = fit.terms["estimate"][:5].to_numpy()

    def exact(p):
        inverse = np.linalg.inv(np.eye(n) - p[4] * W.toarray())
        return spatial_impacts.average(p, 2, n, np.array((W @ inverse).trace()))

    step = 1e-5
    slopes = np.array([(exact(at + step * e) - exact(at - step * e)) / 2 / step for e in np.eye(5)])
    delta = np.sqrt(np.diag(slopes.T @ fit.covariance[:5, :5] @ slopes))
    # The impacts bend by rho's standard error over 1 - rho, here .03.
    assert fit.terms["standard_error"][5:].to_numpy() == pytest.approx(delta, rel=0.02)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(fit.terms["standard_error"].to_numpy())


def test_log_determinant_of_a_one_way_ring_is_known_up_to_the_edge():
    # Eigenvalues all around the unit circle, the hardest case: |I - rho W| = 1 - rho^n.
    n = 6
    ring = sparse.csr_array((np.ones(n), (np.arange(n), np.roll(np.arange(n), 1))), shape=(n, n))
    determinant = LogDeterminant(ring, -3.0, 4.0)
    rho = np.tanh(np.linspace(-3, 4, 50))
    assert determinant.value(rho) == pytest.approx(np.log1p(-(rho**n)), abs=1e-10)
    trace = n * rho ** (n - 1) / (1 - rho**n)
    assert determinant.trace(rho) == pytest.approx(trace, rel=1e-8, abs=1e-8)
    near = LogDeterminant(ring, 1.5, 2.0)
    rho = np.tanh(np.linspace(1.5, 2.0, 11))
    bend = n * rho ** (n - 2) * (n - 1 + rho**n) / (1 - rho**n) ** 2
    assert near.trace_square(rho) == pytest.approx(bend, rel=1e-8)


def test_log_determinant_and_traces_against_dense_ones():
    W = weights_of(200, k=6)
    determinant = LogDeterminant(W, -0.5, 1.5)
    for rho in (-0.4, 0.0, 0.55, 0.9):
        S = np.eye(200) - rho * W.toarray()
        G = W @ np.linalg.inv(S)
        assert determinant.value(rho) == pytest.approx(np.linalg.slogdet(S)[1], abs=1e-10)
        assert determinant.trace(rho) == pytest.approx(np.trace(G), rel=1e-9, abs=1e-9)
        assert determinant.trace_square(rho) == pytest.approx(np.trace(G @ G), rel=1e-8)


def test_planted_impacts_are_found():
    fit = spatial.panel(*simulated(225, 10, theta=(0.5, 0.0)), "sdm")
    rows = fit.terms.set_index("term")
    for term, planted in [("rho", 0.4), ("W_x1", 0.5), ("W_x2", 0.0), ("total x1", 2.5)]:
        assert rows["ci_low"][term] < planted < rows["ci_high"][term]
    assert rows["standard_error"]["total x1"] < 0.1


@pytest.mark.montecarlo
@pytest.mark.parametrize("model", ["sdm", "sem"])
def test_coverage_and_size(model):
    n, periods, rho, draws = 120, 5, 0.4, 1000
    W, hits, rejected = weights_of(n), [], []
    name = "lambda" if model == "sem" else "rho"
    planted = {name: rho, "x1": 1.0} | ({} if model == "sem" else {"total x1": 1.2 / (1 - rho)})
    nulls = ["x2"] if model == "sem" else ["W_x2", "total x2"]
    for seed in range(draws):
        data = simulated(n, periods, rho, (0.2, 0.0), model == "sem", seed, W, b=(1.0, 0.0))
        if model == "sem":
            data = (data[0] - 0.2 * (W @ data[1].reshape(n, -1)).reshape(-1, 2)[:, 0], *data[1:])
        rows = spatial.panel(*data, model, draws=999, seed=seed).terms.set_index("term")
        low, high, p_value = rows["ci_low"], rows["ci_high"], rows["p_value"]
        hits.append([low[t] < value < high[t] for t, value in planted.items()])
        rejected.append([p_value[t] < 0.05 for t in nulls])
    coverage, size = np.mean(hits, axis=0), np.mean(rejected, axis=0)
    assert ((coverage >= 0.93) & (coverage <= 0.97)).all(), (planted, coverage)
    assert ((size >= 0.03) & (size <= 0.07)).all(), (nulls, size)


def estimates(fit):
    return fit.terms.set_index("term")["estimate"]


MODELS = st.sampled_from(spatial.MODELS)


@settings(max_examples=20, deadline=None)
@given(MODELS, st.sampled_from(spatial.EFFECTS), st.permutations(range(20)))
def test_the_order_of_entities_does_not_matter(model, effects, order):
    y, X, entity, time, W = simulated(20, 4)
    rows = np.arange(80).reshape(20, 4)[order].ravel()
    there = W[order][:, order]
    moved = spatial.panel(y[rows], X[rows], entity, time, there, model, effects, draws=100)
    here = spatial.panel(y, X, entity, time, W, model, effects, draws=100)
    pd.testing.assert_frame_equal(moved.terms, here.terms, rtol=1e-7, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(MODELS, st.floats(1e-3, 1e3), st.floats(-100, 100), st.integers(0, 19))
def test_scale_and_entity_constants_of_the_outcome_do_not_matter(model, scale, constant, who):
    y, X, entity, time, W = simulated(20, 4)
    here = estimates(spatial.panel(y, X, entity, time, W, model, draws=100))
    # A constant of one entity shifts its neighbours' lags by a constant too; a year's shifts all.
    changed = scale * (y + constant * (entity == who) + constant * (time == 2))
    there = estimates(spatial.panel(changed, X, entity, time, W, model, draws=100))
    free = [t for t in here.index if t in ("rho", "lambda")]
    assert there[free].to_numpy() == pytest.approx(here[free].to_numpy(), abs=1e-7)
    scaled = here.drop(free)
    assert there.drop(free).to_numpy() == pytest.approx(
        scale * scaled.to_numpy(), rel=1e-6, abs=1e-8 * scale
    )


def test_the_same_seed_gives_the_same_bytes():
    one, two, other = (spatial.panel(*simulated(), draws=200, seed=s).terms for s in (3, 3, 4))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert (one["ci_low"] != other["ci_low"]).any()


def test_draws_beyond_one_are_left_out_and_counted():
    y, X, entity, time, W = simulated(20, 3, rho=0.9, seed=5)
    fit = spatial.panel(y, X, entity, time, W, draws=2000)
    assert 0 < fit.details["draws_outside"] < 0.5
    assert np.isfinite(fit.terms[["estimate", "standard_error", "ci_high"]]).all(axis=None)


def test_residuals_are_those_of_the_model():
    y, X, entity, time, W = simulated()
    fit = spatial.panel(y, X, entity, time, W, "sdm", "entity")
    found = estimates(fit)
    both = np.column_stack([X, (W @ X.reshape(49, -1)).reshape(X.shape)])
    e = y - found["rho"] * (W @ y.reshape(49, 5)).ravel() - both @ found[:4].to_numpy()
    e = (e.reshape(49, 5) - e.reshape(49, 5).mean(axis=1, keepdims=True)).ravel()
    assert fit.details["residuals"] == pytest.approx(e, abs=1e-10)


def broken(change):
    y, X, entity, time, W = simulated(20, 4)
    data = {"y": y, "X": X, "entity": entity, "time": time, "W": W.toarray()}
    data.update(change(data))
    return data


def put(array, at, value):
    array = np.array(array, dtype=float)
    array[at] = value
    return array


@pytest.mark.parametrize(
    ("change", "words", "key"),
    [
        (lambda d: {"y": put(d["y"], 5, np.nan)}, "missing", "row 5 (1, 1)"),
        (lambda d: {"X": put(d["X"], (9, 1), np.inf)}, "infinite", "row 9 (2, 1)"),
        (lambda d: {"entity": put(d["entity"], 7, np.nan)}, "missing", "row 7"),
        (lambda d: {"time": put(d["time"], 6, 1)}, "stands twice", "row 6 (1, 1.0)"),
        (lambda d: {k: d[k][::-1] for k in ("entity", "time")}, "not sorted", "row 1"),
        (lambda d: {"time": np.r_[1, 0, d["time"][2:]]}, "not sorted", "row 1 (0, 0)"),
        (lambda d: {k: d[k][:-1] for k in ("y", "X", "entity", "time")}, "not balanced", "19"),
        (lambda d: {"entity": d["entity"][:-1]}, "differ in length", None),
        (lambda d: {"entity": np.arange(80), "time": np.zeros(80)}, "two entities or", None),
        (lambda d: {"y": d["y"][:-1]}, "do not fit", None),
        (lambda d: {"W": d["W"][:-1, :-1]}, "one row and one column", None),
        (lambda d: {"W": put(d["W"], 3, 0)}, "islands", "3"),
        (lambda d: {"W": 2 * d["W"]}, "sum to one", "0, 1"),
        (lambda d: {"W": put(d["W"], (4, 4), 1)}, "own neighbours", "4"),
        (lambda d: {"W": put(d["W"], (4, 5), -1)}, "negative", "4"),
        (lambda d: {"W": put(d["W"], (4, 5), np.nan)}, "missing", "4"),
        (lambda d: {"X": np.c_[d["X"], d["entity"]]}, "do not vary", "x3"),
        (lambda d: {"X": np.c_[d["X"], d["time"]]}, "do not vary", "x3"),
        (lambda d: {"X": np.c_[d["X"], d["X"] @ [1, 2]]}, "collinear", "x"),
        (lambda d: {"X": np.arange(80.0 * 70).reshape(80, 70)}, "degree of freedom", None),
        (lambda d: {"model": "gns"}, "no such choice", "gns"),
        (lambda d: {"effects": "none"}, "no such choice", "none"),
    ],
)
def test_bad_input_is_refused_by_name(change, words, key):
    with pytest.raises(DesignError, match=words) as refusal:
        spatial.panel(**broken(change))
    assert key is None or key in str(refusal.value)


def test_a_common_trend_left_in_the_panel_has_no_stationary_maximum():
    y, X, entity, time, W = simulated(20, 6)
    y = y * 1e-6 + 1e3 * np.random.default_rng(0).normal(size=6)[time]
    with pytest.raises(DesignError, match="stationary"):
        spatial.panel(y, X, entity, time, W, "sar", "entity")


def test_an_unbalanced_year_names_the_remedy():
    y, X, entity, time, W = simulated(20, 4)
    kept = ~((entity == 6) & (time == 2))
    with pytest.raises(DesignError, match="balanced sample") as refusal:
        spatial.panel(y[kept], X[kept], entity[kept], time[kept], W)
    assert refusal.value.keys == [6]
