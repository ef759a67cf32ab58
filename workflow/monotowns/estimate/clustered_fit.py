"""The least-squares fit that the wild bootstrap and the jackknife share.

Effects nested within clusters are projected out once: leaving a cluster out, or multiplying a
cluster's residuals by a weight, commutes with that projection. Other effects are kept as columns.
"""

from dataclasses import dataclass

import numpy as np

from monotowns.estimate import absorb as fixed
from monotowns.run.errors import DesignError

#: A regressor is absorbed if no more than this share of its norm is left (demeaning errs by 1e-12).
ABSORBED = 1e-8

#: Smallest eigenvalue of the regressors' correlations; exact collinearity leaves about 1e-16.
COLLINEAR = 1e-12

#: Dummy columns demeaned at a time (bounds memory).
BLOCK = 64


@dataclass(frozen=True)
class ClusteredFit:
    """Least squares with absorbed effects and what cluster inference needs of it.

    Attributes
    ----------
    estimate : numpy.ndarray, shape (p,)
        Coefficients of the regressors.
    residuals : numpy.ndarray, shape (n,)
    X : numpy.ndarray, shape (n, p)
        Regressors with all effects projected out.
    bread : numpy.ndarray, shape (p, p)
        Inverse of ``X'X``.
    nested : list of numpy.ndarray
        Codes of the effects that lie within clusters.
    columns : list of numpy.ndarray
        Codes of the other effects; their dummies are columns of the regression.
    gram : numpy.ndarray, shape (q, q)
        Pseudo-inverse of the cross-product of those dummies, nested effects projected out.
    cluster, labels : numpy.ndarray
        Codes, shape (n,), and the labels they stand for, shape (G,).
    scale : float
        Small-sample factor of CRV1 as in fixest, ``G/(G-1) * (n-1)/(n-k)``.
    """

    estimate: np.ndarray
    residuals: np.ndarray
    X: np.ndarray
    bread: np.ndarray
    nested: list
    columns: list
    gram: np.ndarray
    cluster: np.ndarray
    labels: np.ndarray
    scale: float

    def sums(self, values) -> np.ndarray:
        """Cross-products of the columns and a vector by cluster, shape (p + q, G)."""
        clusters = len(self.labels)
        parts = [np.bincount(self.cluster, x * values, clusters)[None] for x in self.X.T]
        for effect in self.columns:
            levels = effect.max() + 1
            cells = np.bincount(effect * clusters + self.cluster, values, levels * clusters)
            parts.append(cells.reshape(levels, clusters))
        return np.concatenate(parts)

    def dummies(self) -> np.ndarray:
        """Dummy columns with the nested effects projected out, shape (n, q)."""
        dummies = _dummies(self.columns, 0, len(self.gram))
        return fixed.demean(dummies.reshape(len(self.X), -1), self.nested)


def _dummies(effects, first, last):
    """Dummies ``first`` to ``last - 1`` of effects whose levels are numbered one after another."""
    offset, block = 0, []
    for effect in effects:
        levels = effect.max() + 1
        wanted = np.arange(max(first - offset, 0), min(last - offset, levels))
        block.append(effect[:, None] == wanted)
        offset += levels
    return np.concatenate(block, axis=1, dtype=float) if block else np.empty(0)


def fit(y, X, cluster, absorb=(), where="cluster inference") -> ClusteredFit:
    """Fit ``y`` on ``X`` with effects absorbed and check that clusters carry inference.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, p) or (n,)
        A constant belongs in ``X`` if nothing is absorbed.
    cluster : array_like, shape (n,)
    absorb : sequence of array_like, each shape (n,)
        One id array a fixed effect.

    Raises
    ------
    DesignError
        Values missing, lengths that differ, one cluster, or collinear columns (named by index).
    """
    y, X = np.asarray(y, float), np.asarray(X, float)
    X = X.reshape(len(X), -1)
    fixed.require_finite(where, y=y, X=X)
    group, labels = fixed.codes(cluster, f"{where}: cluster")
    if len(group) != len(y):
        raise DesignError(
            where, "clusters and y of different length", expected=len(y), found=len(group)
        )
    if len(labels) < 2:
        raise DesignError(where, "fewer than two clusters", keys=labels)
    effects = [fixed.codes(ids, f"{where}: absorb")[0] for ids in absorb]
    inside = [fixed.nested(effect, group) for effect in effects]
    nested = [e for e, within in zip(effects, inside, strict=True) if within]
    columns = [e for e, within in zip(effects, inside, strict=True) if not within]
    clean = fixed.demean(np.column_stack([y, X]), effects)
    y_clean, X_clean = clean[:, 0], clean[:, 1:]
    bread = _inverse(X_clean, np.linalg.norm(X, axis=0), where)
    estimate = bread @ (X_clean.T @ y_clean)
    count = X.shape[1] + fixed.residual_degrees(effects, group)
    rows, clusters = len(y), len(labels)
    if rows <= count:
        raise DesignError(
            where, "no degrees of freedom left", expected=f"more than {count} rows", found=rows
        )
    return ClusteredFit(
        estimate,
        y_clean - X_clean @ estimate,
        X_clean,
        bread,
        nested,
        columns,
        _gram(nested, columns),
        group,
        labels,
        clusters / (clusters - 1) * (rows - 1) / (rows - count),
    )


def _inverse(X, norms, where):
    """Inverse of ``X'X``; refuses columns that the others or the effects explain."""
    size = np.linalg.norm(X, axis=0)
    absorbed = size <= ABSORBED * norms
    if absorbed.any():
        raise DesignError(
            where,
            "columns of X are constant within the absorbed effects",
            keys=np.flatnonzero(absorbed),
        )
    values, vectors = np.linalg.eigh((X.T @ X) / np.outer(size, size))
    if values[0] <= COLLINEAR:
        keys = np.flatnonzero(np.abs(vectors[:, 0]) > COLLINEAR**0.5)
        raise DesignError(where, "columns of X are collinear", keys=keys)
    return (vectors / values) @ vectors.T / np.outer(size, size)


def _gram(nested, columns):
    levels = sum(effect.max() + 1 for effect in columns)
    cross = np.empty((levels, levels))
    for first in range(0, levels, BLOCK):
        block = fixed.demean(_dummies(columns, first, first + BLOCK), nested)
        for column, dummy in enumerate(block.T, start=first):
            cross[:, column] = np.concatenate([np.bincount(e, dummy) for e in columns])
    return np.linalg.pinv(cross, hermitian=True, rcond=1e-10)
