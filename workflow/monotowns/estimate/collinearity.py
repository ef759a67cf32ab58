"""Which regressors the fixed effects or the other regressors explain.

statsmodels and linearmodels fit or drop such columns by rank, whose tolerance is rounding error;
pyfixest (0.60) and fixest drop them at a tolerance that changes with the units of the data. Here
they are refused, by name.
"""

import numpy as np

#: A column with no more than this share of its norm left is explained by the fixed effects.
ABSORBED = 1e-8
#: pyfixest's ``collin_tol``: least share of a column's square that the columns before it leave.
TOLERANCE = 1e-9
#: Share of a collinear column below which another column has no part in it.
PART = 1e-3


def absorbed(before, after, names) -> list:
    """Names of the columns that the projection from ``before`` to ``after`` explains."""
    left = np.linalg.norm(after, axis=0) <= ABSORBED * np.linalg.norm(before, axis=0)
    return [name for name, gone in zip(names, left, strict=True) if gone]


def collinear(X, names, tol=TOLERANCE) -> list:
    """Names of the first columns found to be linearly dependent, whatever their units.

    Columns are taken in order, as in pyfixest's Cholesky factorisation.

    Parameters
    ----------
    X : array_like, shape (n, k)
        Regressors after the fixed effects are projected out.
    names : sequence, length k
    tol : float
        A column is dependent if those before it leave less than this share of its square.

    Returns
    -------
    list
        Empty, or the columns that explain the dependent one and that one last.
    """
    X = np.asarray(X, float)
    length = np.linalg.norm(X, axis=0)
    root = np.linalg.qr(X / np.where(length > 0, length, 1), mode="r")
    # With fewer rows than columns the last ones leave nothing.
    left = np.zeros(len(length))
    left[: len(root)] = np.diag(root) ** 2
    for place in np.flatnonzero(left < tol)[:1]:
        share = np.linalg.solve(root[:place, :place], root[:place, place])
        return [names[i] for i in (*np.flatnonzero(np.abs(share) > PART), place)]
    return []
