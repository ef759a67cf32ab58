"""Tests of spatial dependence in a cross-section: Moran's I and Lagrange multipliers."""

import numpy as np
import pandas as pd

from monotowns.estimate import spatial_weights as weights
from monotowns.estimate.record import TERMS, Fit
from monotowns.run.errors import DesignError

#: Permutations held in memory at once.
BLOCK = 500


def moran(values, W, *, permutations=9999, seed=0) -> Fit:
    """Moran's I with a permutation p-value.

    ``I = z'Wz / z'z`` for row-standardised ``W`` and deviations ``z`` from the mean (Moran 1950;
    moments under randomisation: Cliff and Ord 1981). Residuals of a regression are exchangeable
    only in large samples; :func:`lagrange_multipliers` allows for the regressors.

    Parameters
    ----------
    values : array_like, shape (n,)
        Outcome or residuals of one period.
    W : sparse or dense matrix, shape (n, n)
        Row-standardised.
    permutations : int
        The two-sided p-value is ``(b + 1) / (permutations + 1)``, ``b`` the number of permutations
        at least as far from the expectation ``-1/(n-1)``.
    seed : int

    Returns
    -------
    Fit
        Term ``moran``: its standard error is the one under randomisation; no interval.
        ``details``: ``expected`` and ``z``.

    Raises
    ------
    DesignError
        A value is missing, the values do not vary, there are fewer than four, or W is not as
        said.
    """
    where = "Moran's I"
    values = _column(values, where)
    n = len(values)
    W = weights.check(W, range(n), where)
    if n < 4 or np.ptp(values) == 0:
        raise DesignError(where, "fewer than four values, or all the same", found=n)
    z = values - values.mean()
    total = z @ z
    estimate, expected = z @ (W @ z) / total, -1 / (n - 1)
    rng = np.random.default_rng(seed)
    far = 0
    for start in range(0, permutations, BLOCK):
        many = min(BLOCK, permutations - start)
        shuffled = rng.permuted(np.tile(z, (many, 1)), axis=1).T
        simulated = np.einsum("ij,ij->j", shuffled, W @ shuffled) / total
        # A permutation that gives the value itself counts, whatever the order of summation.
        far += (np.abs(simulated - expected) >= np.abs(estimate - expected) * (1 - 1e-12)).sum()
    s1 = ((W + W.T).power(2)).sum() / 2
    s2 = ((1 + W.sum(axis=0)) ** 2).sum()
    kurtosis = n * (z**4).sum() / total**2
    variance = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * n**2)
    variance -= kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * n**2)
    variance = variance / ((n - 1) * (n - 2) * (n - 3) * n**2) - expected**2
    error = np.sqrt(variance)
    row = ["moran", estimate, error, np.nan, np.nan, (far + 1) / (permutations + 1)]
    return Fit(
        pd.DataFrame([row], columns=TERMS),
        "moran",
        f"{permutations} permutations",
        n,
        n,
        0,
        details={"expected": expected, "z": (estimate - expected) / error},
    )


def lagrange_multipliers(y, X, W) -> Fit:
    """Lagrange-multiplier tests for a spatial lag and a spatial error after least squares (spreg).

    Anselin (1988); robust forms: Anselin, Bera, Florax and Yoon (1996), equations 8 to 15.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, k)
        Regressors without a constant; one is added.
    W : sparse or dense matrix, shape (n, n)
        Row-standardised.

    Returns
    -------
    Fit
        Terms ``lm lag``, ``lm error``, ``robust lm lag``, ``robust lm error`` (chi-square with
        one degree of freedom under the null) and ``lm sarma`` (two): the estimate is the
        statistic; no standard error.

    Raises
    ------
    DesignError
        A value is missing, the regressors with the constant are collinear, or W is not as said.
    """
    import libpysal
    import spreg

    where = "Lagrange-multiplier tests"
    y, X = _column(y, where), np.asarray(X, float)
    n = len(y)
    W = weights.check(W, range(n), where)
    bad = ~np.isfinite(X.reshape(n, -1)).all(axis=1)
    if bad.any():
        raise DesignError(where, "a regressor is missing", keys=np.flatnonzero(bad))
    X = np.column_stack([np.ones(n), X])
    rank = np.linalg.matrix_rank(X / np.linalg.norm(X, axis=0).clip(1e-300))
    if rank < X.shape[1]:
        raise DesignError(
            where,
            "the regressors and the constant are collinear",
            expected=f"rank {X.shape[1]}",
            found=f"rank {rank}",
        )
    tests = spreg.LMtests(
        spreg.ols.BaseOLS(y[:, None], X),
        libpysal.weights.WSP(W),
        tests=["lml", "lme", "rlml", "rlme", "sarma"],
    )
    pairs = {
        "lm lag": tests.lml,
        "lm error": tests.lme,
        "robust lm lag": tests.rlml,
        "robust lm error": tests.rlme,
        "lm sarma": tests.sarma,
    }
    rows = [[name, value, np.nan, np.nan, np.nan, p] for name, (value, p) in pairs.items()]
    return Fit(pd.DataFrame(rows, columns=TERMS), "lagrange_multipliers", "chi-square", n, n, 0)


def _column(values, where):
    values = np.asarray(values, float)
    if values.ndim != 1:
        raise DesignError(where, "one value an entity is needed", found=values.shape)
    if not np.isfinite(values).all():
        raise DesignError(
            where,
            "a value is missing",
            keys=np.flatnonzero(~np.isfinite(values)),
            remedy="leave the entity out, also of W",
        )
    return values
