import numpy as np
import pandas as pd
import pyfixest
import pytest
from monotowns.estimate.absorb import demean
from monotowns.estimate.collinearity import absorbed, collinear

#: Columns in units that differ by twelve orders of magnitude.
UNITS = np.array([1e-6, 1e3, 1e6, 1.0])


def columns(seed=0, n=400):
    return np.random.default_rng(seed).normal(size=(n, 4))


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_the_pair_is_named_and_pyfixest_drops_one_of_it(noise):
    rng = np.random.default_rng(1)
    d = pd.DataFrame({"entity": np.repeat(np.arange(60), 8), "x": rng.normal(size=480)})
    d["w"], d["z"] = rng.normal(size=480), 2 * d["x"] + noise * rng.normal(size=480)
    d["y"] = d["x"] + rng.normal(size=480)
    names = ["x", "w", "z"]
    clean = demean(d[names].to_numpy(), [d["entity"]])
    assert collinear(clean, names) == ["x", "z"]
    with pytest.warns(UserWarning, match="'z'"):
        pyfixest.feols("y ~ x + w + z | entity", d)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda X: X, ""),
        (lambda X: np.c_[X[:, :3], X[:, 0] - X[:, 2]], "acd"),
        (lambda X: np.c_[X[:, :3], 0 * X[:, 0]], "d"),
        (lambda X: np.c_[X[:, 0], X[:, 0], X[:, 1], X[:, 1]], "ab"),
        (lambda X: X[:3], "abcd"),
        # A correlation of .99999 is a hard question, not a wrong one.
        (lambda X: np.c_[X[:, :3], X[:, 0] + 4e-3 * X[:, 3]], ""),
    ],
)
def test_what_depends_is_named_whatever_the_units(change, named):
    X = change(columns())
    for scaled in (X, X * UNITS, -X):
        assert collinear(scaled, "abcd") == list(named)


def test_the_tolerance_is_the_share_of_the_square_that_is_left():
    X = columns()
    x, noise = np.linalg.qr(X[:, :2])[0].T
    for share, named in ((0.9e-9, ["x", "z"]), (1.1e-9, [])):
        assert collinear(np.c_[x, x + np.sqrt(share) * noise], ["x", "z"]) == named


def test_what_fixed_effects_explain_is_named():
    entity = np.repeat(np.arange(40), 10)
    X = columns()
    X[:, 2] = 1e6 + entity
    assert absorbed(X, demean(X, [entity]), "abcd") == ["c"]
    assert absorbed(X, X - X.mean(axis=0), "abcd") == []
