"""What single clusters do to an estimate: jackknife covariance (CRV3), leverage, influence.

MacKinnon, Nielsen and Webb (2023, "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference"; "Leverage, influence, and the jackknife in clustered regression models").
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from monotowns.estimate import clustered_fit
from monotowns.run.errors import DesignError


@dataclass(frozen=True)
class ClusterLeverage:
    """How evenly clusters carry one coefficient.

    Attributes
    ----------
    clusters : pandas.DataFrame
        One row a cluster, the most influential first: ``cluster``; ``rows``; ``leverage``, which
        sums to the columns' rank (a cluster is unusual at a multiple of the mean);
        ``partial_leverage`` of the coefficient, which sums to one; ``without``, the estimate with
        the cluster left out; ``shift``, by how many jackknife standard errors that moves it.
    effective : float
        Effective number of clusters ``G / (1 + CV^2)`` of the partial leverages: Carter, Schnepel
        and Steigerwald (2017) with uncorrelated errors, ``G*(0)`` of MacKinnon, Nielsen and Webb.
    """

    clusters: pd.DataFrame
    effective: float


def cluster_jackknife(y, X, cluster, absorb=()) -> np.ndarray:
    """Cluster jackknife covariance of the coefficients.

    ``CRV3 = (G - 1)/G * sum_g (b(g) - b)(b(g) - b)'`` with ``b(g)`` the estimate without cluster
    ``g`` and ``b`` the full one. The factor is all of the small-sample correction; pyfixest
    multiplies the same sum by its ``G/(G-1) * (n-1)/(n-k)`` instead.

    Parameters
    ----------
    y, X, cluster, absorb
        See :func:`monotowns.estimate.clustered_fit.fit`.

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        As in that fit; a coefficient is not identified without one of the clusters (named).
    """
    fit = clustered_fit.fit(y, X, cluster, absorb, "cluster_jackknife")
    return _covariance(_shifts(fit))


def cluster_leverage(y, X, cluster, absorb=(), param=0) -> ClusterLeverage:
    """Leverage, partial leverage and influence of every cluster on one coefficient.

    Parameters
    ----------
    y, X, cluster, absorb
        See :func:`monotowns.estimate.clustered_fit.fit`.
    param : int
        Column of ``X``.

    Returns
    -------
    ClusterLeverage

    Raises
    ------
    DesignError
        As :func:`cluster_jackknife`.
    """
    fit = clustered_fit.fit(y, X, cluster, absorb, "cluster_leverage")
    dummies = fit.dummies()
    hat = ((fit.X @ fit.bread) * fit.X).sum(axis=1) + ((dummies @ fit.gram) * dummies).sum(axis=1)
    w = fit.X @ fit.bread[:, param]
    partial = np.bincount(fit.cluster, w**2) / fit.bread[param, param]
    shifts = _shifts(fit)
    shift = shifts[:, param]
    table = pd.DataFrame(
        {
            "cluster": fit.labels,
            "rows": np.bincount(fit.cluster),
            "leverage": np.bincount(fit.cluster, hat),
            "partial_leverage": partial,
            "without": fit.estimate[param] + shift,
            "shift": shift / np.sqrt(_covariance(shifts)[param, param]),
        }
    )
    order = np.argsort(-np.abs(shift), kind="stable")
    effective = len(partial) / (1 + (partial.std() / partial.mean()) ** 2)
    return ClusterLeverage(table.iloc[order].reset_index(drop=True), float(effective))


def _covariance(shifts):
    return (len(shifts) - 1) / len(shifts) * shifts.T @ shifts


def _shifts(fit):
    """Estimate without each cluster less the estimate, shape (G, p)."""
    order = np.argsort(fit.cluster, kind="stable")
    bounds = np.flatnonzero(np.diff(fit.cluster[order])) + 1
    slopes = len(fit.bread)
    W = np.hstack([fit.X, fit.dummies()])
    gram = W.T @ W
    size = np.sqrt(np.diag(gram)[:slopes])
    shifts, lost = np.empty((len(fit.labels), slopes)), []
    for g, rows in enumerate(np.split(order, bounds)):
        own = W[rows]
        rest, score = gram - own.T @ own, -own.T @ fit.residuals[rows]
        # Dummies are collinear, and levels may vanish with the cluster: hence the pseudo-inverse.
        dummies = np.linalg.pinv(rest[slopes:, slopes:], hermitian=True, rcond=1e-10)
        solved = rest[:slopes, slopes:] @ dummies
        schur = rest[:slopes, :slopes] - solved @ rest[slopes:, :slopes]
        if np.linalg.eigvalsh(schur / np.outer(size, size))[0] <= clustered_fit.COLLINEAR:
            lost.append(fit.labels[g])
        else:
            shifts[g] = np.linalg.solve(schur, score[:slopes] - solved @ score[slopes:])
    if lost:
        raise DesignError(
            "cluster jackknife",
            "without these clusters X is not identified",
            keys=lost,
            remedy="use the wild cluster bootstrap",
        )
    return shifts
