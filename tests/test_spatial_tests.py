from itertools import permutations

import numpy as np
import pytest
from monotowns.estimate import spatial_tests
from monotowns.estimate import spatial_weights as weights
from monotowns.run.errors import DesignError
from scipy import sparse, stats


def cross_section(n=100, seed=4, rho=0.3):
    rng = np.random.default_rng(seed)
    W = weights.knn(rng.uniform(50, 60, n), rng.uniform(30, 60, n), 5)
    X = rng.normal(size=(n, 2))
    mean = 5 + X @ [1, -0.5] + rng.standard_exponential(n)
    return np.linalg.solve(np.eye(n) - rho * W.toarray(), mean), X, W


def path(n):
    """Places in a line, each with its neighbours to the left and to the right."""
    W = np.eye(n, k=1) + np.eye(n, k=-1)
    return W / W.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore")
def test_moran_against_esda():
    from esda import Moran
    from libpysal.weights import WSP

    y, _, W = cross_section()
    np.random.seed(0)  # noqa: NPY002 - the peer knows no other source of chance
    other = Moran(y, WSP(sparse.csr_matrix(W)).to_W(), permutations=9999)
    fit = spatial_tests.moran(y, W)
    assert fit["moran"]["estimate"] == pytest.approx(other.I, abs=1e-12)
    assert fit["moran"]["standard_error"] == pytest.approx(other.seI_rand, abs=1e-12)
    assert fit.details == pytest.approx({"expected": other.EI, "z": other.z_rand}, abs=1e-10)


def test_moran_of_five_places_in_a_line_worked_by_hand():
    # z = -2..2: z'Wz = -2*-1 + -1*-1 + 0 + 1*1 + 2*1 = 6, z'z = 10.
    fit = spatial_tests.moran([1.0, 2, 3, 4, 5], path(5), permutations=20_000)
    assert fit["moran"]["estimate"] == pytest.approx(0.6)
    # The exact p-value, all 120 orders: expectation -1/4, so 0.85 or more away from it.
    z = np.array(list(permutations(range(-2, 3))))
    exact = (np.abs(np.einsum("ij,ij->i", z, z @ path(5).T) / 10 + 0.25) >= 0.85 - 1e-9).mean()
    assert fit["moran"]["p_value"] == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))


def test_moran_moments_are_those_of_all_orders():
    values = np.array([0.0, 1, 5, 6, 20])
    z = values - values.mean()
    every = np.array(list(permutations(z)))
    moments = np.einsum("ij,ij->i", every, every @ path(5).T) / (z @ z)
    fit = spatial_tests.moran(values, path(5), permutations=10)
    assert fit.details["expected"] == pytest.approx(moments.mean())
    assert fit["moran"]["standard_error"] == pytest.approx(moments.std())


def test_permutations_depend_on_the_seed_alone():
    y, _, W = cross_section(rho=0.05)
    one, two, other = (
        spatial_tests.moran(y, W, permutations=700, seed=s)["moran"]["p_value"] for s in (1, 1, 2)
    )
    assert one == two != other


def test_multipliers_against_their_formulas():
    # Anselin, Bera, Florax and Yoon (1996), equations 8, 9, 12, 13 and 15, by dense algebra.
    y, X, W = cross_section()
    fit = spatial_tests.lagrange_multipliers(y, X, W)
    W, Z = W.toarray(), np.column_stack([np.ones(100), X])
    M = np.eye(100) - Z @ np.linalg.inv(Z.T @ Z) @ Z.T
    e = M @ y
    s2 = e @ e / 100
    error, lag = e @ W @ e / s2, e @ W @ y / s2
    T = np.trace(W.T @ W + W @ W)
    moved = W @ (y - e)
    J = moved @ M @ moved / s2 + T
    expected = {
        "lm error": error**2 / T,
        "lm lag": lag**2 / J,
        "robust lm error": (error - T / J * lag) ** 2 / (T * (1 - T / J)),
        "robust lm lag": (lag - error) ** 2 / (J - T),
    }
    expected["lm sarma"] = expected["robust lm lag"] + expected["lm error"]
    for term, value in expected.items():
        assert fit[term]["estimate"] == pytest.approx(value, rel=1e-10)
        p_value = stats.chi2.sf(value, 2 if term == "lm sarma" else 1)
        assert fit[term]["p_value"] == pytest.approx(p_value, rel=1e-8)


def test_multipliers_tell_a_lag_from_an_error():
    y, X, W = cross_section(400, rho=0.5)
    fit = spatial_tests.lagrange_multipliers(y, X, W)
    assert fit["robust lm lag"]["p_value"] < 1e-4 < fit["robust lm error"]["p_value"]


@pytest.mark.parametrize(
    ("test", "change", "words"),
    [
        ("moran", lambda y, X, W: (np.where(np.arange(100) == 7, np.nan, y), W), "missing"),
        ("moran", lambda y, X, W: (np.ones(100), W), "all the same"),
        ("moran", lambda y, X, W: (y[:3], path(3)), "fewer than four"),
        ("moran", lambda y, X, W: (X, W), "one value an entity"),
        ("moran", lambda y, X, W: (y, 2 * W), "sum to one"),
        ("moran", lambda y, X, W: (y[1:], W), "one row and one column"),
        ("lagrange_multipliers", lambda y, X, W: (y, X * np.nan, W), "regressor is missing"),
        ("lagrange_multipliers", lambda y, X, W: (y, np.c_[X, X[:, 0]], W), "collinear"),
        ("lagrange_multipliers", lambda y, X, W: (y, np.c_[X, y * 0 + 3], W), "collinear"),
        ("lagrange_multipliers", lambda y, X, W: (y, np.c_[X, y * 0], W), "collinear"),
        ("lagrange_multipliers", lambda y, X, W: (y, X, np.diag(y != y[5]) @ W), "islands"),
    ],
)
def test_bad_input_is_refused(test, change, words):
    with pytest.raises(DesignError, match=words):
        getattr(spatial_tests, test)(*change(*cross_section()))
