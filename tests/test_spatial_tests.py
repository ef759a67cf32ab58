from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.spatial_tests import lagrange_multipliers, moran
from monotowns.estimate.spatial_weights import neighbours
from monotowns.run.errors import DesignError
from scipy import sparse, stats


def cross_section(n=100, seed=4, rho=0.3):
    rng = np.random.default_rng(seed)
    W = neighbours(rng.uniform(50, 60, n), rng.uniform(30, 60, n), "nearest", 5)
    X = rng.normal(size=(n, 2))
    mean = 5 + X @ [1, -0.5] + rng.standard_exponential(n)
    return np.linalg.solve(np.eye(n) - rho * W.toarray(), mean), X, W


def path(n):
    """Places in a line, each with its neighbours to the left and to the right."""
    W = np.eye(n, k=1) + np.eye(n, k=-1)
    return sparse.csr_array(W / W.sum(axis=1, keepdims=True))


def test_moran_of_places_in_a_line_against_all_orders():
    # z = -2..2: z'Wz = -2*-1 + -1*-1 + 0 + 1*1 + 2*1 = 6, z'z = 10.
    values = pd.DataFrame({2012: [1.0, 2, 3, 4, 5], 2013: [0.0, 1, 5, 6, 20]})
    fit = moran(values, path(5), 20_000, 0)
    assert fit["2012"]["estimate"] == pytest.approx(0.6)
    for year in values:
        z = values[year] - values[year].mean()
        every = np.array(list(permutations(z)))
        statistic = np.einsum("ij,ij->i", every, every @ path(5).toarray().T) / (z @ z)
        assert fit[str(year)]["standard_error"] == pytest.approx(statistic.std())
        far = np.abs(statistic + 0.25) >= np.abs(fit[str(year)]["estimate"] + 0.25) - 1e-9
        room = 4 * np.sqrt(far.mean() / 20_000)
        assert fit[str(year)]["p_value"] == pytest.approx(far.mean(), abs=room)


def test_permutations_depend_on_the_seed_alone_and_leave_numpys_as_it_was():
    y, _, W = cross_section(rho=0.05)
    np.random.seed(8)  # noqa: NPY002
    one, two, other = (moran(pd.DataFrame({"y": y}), W, 700, s)["y"]["p_value"] for s in (1, 1, 2))
    assert one == two != other
    left = np.random.random()  # noqa: NPY002
    np.random.seed(8)  # noqa: NPY002
    assert left == np.random.random()  # noqa: NPY002


def test_multipliers_against_their_formulas():
    # Anselin, Bera, Florax and Yoon (1996), equations 8, 9, 12, 13 and 15, by dense algebra.
    y, X, W = cross_section()
    fit = lagrange_multipliers(y, X, W)
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


@pytest.mark.parametrize("spoil", [np.nan, 1.0])
def test_values_that_do_not_do_are_refused(spoil):
    y, X, W = cross_section()
    with pytest.raises(DesignError, match="missing or all the same\n  at: bad"):
        moran(pd.DataFrame({"y": y, "bad": spoil}), W, 99, 0)
    with pytest.raises(DesignError, match="missing, or the regressors"):
        lagrange_multipliers(y, np.c_[X, y * 0 + spoil], W)
