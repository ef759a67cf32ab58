"""Cluster jackknife covariance (CRV3), from one cross-product and those of single clusters.

MacKinnon, Nielsen and Webb (2023, "Fast and reliable jackknife and bootstrap methods for
cluster-robust inference"). statsmodels 0.15 and linearmodels have no CRV3; pyfixest 0.60 demeans
and fits anew without each cluster.
"""

import numpy as np

from monotowns.estimate.collinearity import TOLERANCE
from monotowns.run.errors import DesignError


def cluster_jackknife(fit) -> np.ndarray:
    """Cluster jackknife covariance of the coefficients.

    ``CRV3 = (G - 1)/G * sum_g (b(g) - b)(b(g) - b)'`` with ``b(g)`` the estimate without cluster
    ``g`` and ``b`` the full one. The factor is all of the small-sample correction; pyfixest
    multiplies the same sum by its ``G/(G-1) * (n-1)/(n-k)`` instead.

    Parameters
    ----------
    fit : monotowns.estimate.kernel.ClusteredFit
        Of ``p`` regressors.

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        A coefficient is not identified without one of the clusters (named).
    """
    labels, W, slopes = fit.clusters.labels, fit.columns, len(fit.estimate)
    gram = W.T @ W
    size = np.sqrt(np.diag(gram)[:slopes])
    scores = fit.clusters.sums(W * fit.residuals[:, None])
    shifts, lost = np.empty((len(labels), slopes)), []
    for g, own in enumerate(fit.clusters.parts(W)):
        rest, score = gram - own.T @ own, -scores[g]
        # Dummies are collinear, and levels may vanish with the cluster: hence the pseudo-inverse.
        dummies = np.linalg.pinv(rest[slopes:, slopes:], hermitian=True, rcond=1e-10)
        solved = rest[:slopes, slopes:] @ dummies
        left = rest[:slopes, :slopes] - solved @ rest[slopes:, :slopes]
        if np.linalg.eigvalsh(left / np.outer(size, size))[0] < TOLERANCE:
            lost.append(labels[g])
        else:
            shifts[g] = np.linalg.solve(left, score[:slopes] - solved @ score[slopes:])
    if lost:
        raise DesignError(
            "cluster jackknife",
            "without these clusters a coefficient is not identified",
            keys=lost,
            remedy="use the wild cluster bootstrap",
        )
    return (len(labels) - 1) / len(labels) * shifts.T @ shifts
