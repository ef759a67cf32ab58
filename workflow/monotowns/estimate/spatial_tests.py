"""Tests of spatial dependence in a cross-section: Moran's I (esda), Lagrange multipliers (spreg).

The p-value of Moran's I is two-sided about its expectation, with the simulated values of esda: its
own ``p_sim`` (2.9) is one-sided, in whichever direction the statistic points.
"""

import numpy as np
import pandas as pd
import spreg
from esda import Moran
from libpysal.weights import WSP
from scipy import sparse

from monotowns.estimate.record import TERMS, Fit
from monotowns.run.errors import DesignError


def moran(values, W, permutations, seed) -> Fit:
    """Moran's I of each column, with a permutation p-value.

    Residuals of a regression are exchangeable only in large samples;
    :func:`lagrange_multipliers` allows for the regressors.

    Parameters
    ----------
    values : pandas.DataFrame, shape (n, T)
        One row an entity, one column a period.
    W : scipy.sparse.csr_array, shape (n, n)
        Row-standardised.

    Returns
    -------
    Fit
        A term a column: its standard error is the one under randomisation; no interval.

    Raises
    ------
    DesignError
        A value is missing, or all values of a column are the same.
    """
    bad = ~np.isfinite(values).all() | (values.nunique() == 1)
    if bad.any():
        raise DesignError(
            "Moran's I", "values are missing or all the same", keys=values.columns[bad]
        )
    w = WSP(sparse.csr_matrix(W)).to_W(silence_warnings=True)
    # esda draws its permutations from numpy's global state, which is given back.
    state = np.random.get_state()  # noqa: NPY002
    rows = []
    for name, column in values.items():
        np.random.seed(seed)  # noqa: NPY002
        found = Moran(column, w, permutations=permutations)
        # A permutation that gives the value itself counts, whatever the order of summation.
        far = np.abs(found.sim - found.EI) >= np.abs(found.I - found.EI) * (1 - 1e-12)
        p_value = (far.sum() + 1) / (permutations + 1)
        rows.append([str(name), found.I, found.seI_rand, np.nan, np.nan, p_value])
    np.random.set_state(state)  # noqa: NPY002
    variance = f"{permutations} permutations"
    return Fit(pd.DataFrame(rows, columns=TERMS), "moran", variance, values.size, len(values), 0)


def lagrange_multipliers(y, X, W) -> Fit:
    """Lagrange-multiplier tests for a spatial lag and a spatial error after least squares.

    Anselin (1988); robust forms: Anselin, Bera, Florax and Yoon (1996), equations 8 to 15.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, k)
        Regressors without a constant; one is added.
    W : scipy.sparse.csr_array, shape (n, n)
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
        The regressors with the constant are collinear, or a value is missing.
    """
    n = len(y)
    X = np.column_stack([np.ones(n), X])
    table = np.column_stack([y, X])
    if not np.isfinite(table).all() or np.linalg.matrix_rank(X) < X.shape[1]:
        raise DesignError(
            "Lagrange-multiplier tests",
            "a value is missing, or the regressors and the constant are collinear",
        )
    tests = spreg.LMtests(
        spreg.ols.BaseOLS(table[:, :1], X),
        WSP(W),
        tests=["lml", "lme", "rlml", "rlme", "sarma"],
    )
    found = {
        "lm lag": tests.lml,
        "lm error": tests.lme,
        "robust lm lag": tests.rlml,
        "robust lm error": tests.rlme,
        "lm sarma": tests.sarma,
    }
    rows = [[name, value, np.nan, np.nan, np.nan, p] for name, (value, p) in found.items()]
    return Fit(pd.DataFrame(rows, columns=TERMS), "lagrange_multipliers", "chi-square", n, n, 0)
