"""Columns with fixed effects projected out, by cluster: one demeaning for all that resamples.

The clustered covariances (CRV1, CRV3), the wild bootstrap, the permutations and the specification
curve follow from sums of products by cluster. statsmodels 0.15 and linearmodels offer none of the
resampling; pyfixest 0.60 and wildboottest 0.3 fit anew for every cluster, draw or specification
(10 to 250 times slower at the size of the study, see tests/bench).
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.linalg import block_diag

from monotowns.estimate import absorb
from monotowns.estimate.collinearity import refuse_unidentified
from monotowns.run.errors import DesignError

#: Residuals below this share of the outcome's norm are rounding error of the demeaning.
ROUNDING = 1e-12


#: Levels of the effects but the largest for which the projection is factored: the time rises with
#: the cube of this number.
LARGEST_SYSTEM = 2_000


class Clusters:
    """Rows in the order of their clusters, and the fixed effects that are projected out of them.

    Parameters
    ----------
    cluster : array_like, shape (n,)
    effects : sequence of array_like, each shape (n,)
        One id array a fixed effect; without any, a constant.
    weights : array_like, shape (n,), optional
        Positive.

    Attributes
    ----------
    labels : numpy.ndarray, shape (G,)
    order, start : numpy.ndarray, shapes (n,) and (G,)
        Rows by cluster, and the place at which each cluster begins.

    Raises
    ------
    DesignError
        Fewer than two clusters, ids missing, weights not positive.
    """

    def __init__(self, cluster, effects=(), weights=None):
        group, self.labels = absorb.codes(cluster, "cluster")
        if len(self.labels) < 2:
            raise DesignError("clusters", "fewer than two clusters", found=f"{len(group)} rows")
        self.order = np.argsort(group, kind="stable")
        self.group = group[self.order]
        self.start = np.searchsorted(self.group, np.arange(len(self.labels)))
        effects = [absorb.codes(ids, "fixed effect")[0] for ids in effects]
        effects = effects or [np.zeros(len(group), int)]
        self.effects = [effect[self.order] for effect in effects]
        self.absorbed = absorb.residual_degrees(self.effects, self.group)
        root = np.ones(len(group))
        if weights is not None:
            weights = np.asarray(weights, float)[self.order]
            if not (weights > 0).all():
                raise DesignError("clusters", "weights are not positive", found=weights.min())
            root = np.sqrt(weights)
        self.root = root[:, None]

    def ordered(self, values):
        """Rows by cluster, times the root of the weights."""
        return values[self.order] * self.root

    def demean(self, values):
        """Columns, shape (n, k), as :meth:`ordered`, with the effects projected out."""
        return self.projection(values[self.order])

    @cached_property
    def projection(self):
        """Factored when it is first needed; a large system costs more than it spares."""
        system = sorted(effect.max() + 1 for effect in self.effects)[:-1]
        if sum(system) > LARGEST_SYSTEM:
            return partial(absorb.demean, ids=self.effects, root=self.root[:, 0])
        return absorb.Projection(self.effects, self.root[:, 0])

    def sums(self, values):
        """Sums by cluster of rows in the order of clusters."""
        return np.add.reduceat(values, self.start, axis=0)

    def parts(self, values):
        """Rows of each cluster."""
        return np.split(values, self.start[1:])

    def factor(self, slopes) -> float:
        """fixest's small-sample factor, ``G/(G-1) * (n-1)/(n-k)`` (Berge 2018).

        Effects nested in the clusters do not count in ``k``.

        Raises
        ------
        DesignError
            No degrees of freedom are left.
        """
        n, clusters = len(self.order), len(self.labels)
        left = n - slopes - self.absorbed
        if left < 1:
            raise DesignError("clusters", "no degrees of freedom left", found=f"{n} rows")
        return clusters / (clusters - 1) * (n - 1) / left

    def dummies(self):
        """Dummies of the effects not nested in clusters, nested effects projected out: (n, q)."""
        inside = [absorb.nested(effect, self.group) for effect in self.effects]
        nested = [e for e, within in zip(self.effects, inside, strict=True) if within]
        crossed = [e for e, within in zip(self.effects, inside, strict=True) if not within]
        blocks = [np.eye(effect.max() + 1)[effect] for effect in crossed]
        columns = np.hstack([np.empty((len(self.order), 0)), *blocks])
        return absorb.demean(columns, nested) if crossed else columns


@dataclass(frozen=True)
class ClusteredFit:
    """Least squares with all that a change of single clusters needs.

    Effects nested in clusters are projected out once: to leave a cluster out, or to multiply its
    residuals by a weight, commutes with that projection. The dummies of other effects are columns.

    Attributes
    ----------
    estimate : numpy.ndarray, shape (p,)
    residuals : numpy.ndarray, shape (n,)
    columns : numpy.ndarray, shape (n, p + q)
        Regressors, all effects projected out, and :meth:`Clusters.dummies`, to which they are
        orthogonal.
    inverse : numpy.ndarray, shape (p + q, p + q)
        Pseudo-inverse of the cross-product of the columns.
    factor : float
        See :meth:`Clusters.factor`.
    """

    clusters: Clusters
    estimate: np.ndarray
    residuals: np.ndarray
    columns: np.ndarray
    inverse: np.ndarray
    factor: float


def clustered_fit(y, X, cluster, effects=()) -> ClusteredFit:
    """Fit ``y`` on ``X`` with fixed effects absorbed.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, p) or (n,)
    cluster, effects
        See :class:`Clusters`. Drop singletons first: they count as rows.

    Raises
    ------
    DesignError
        As :class:`Clusters`; values missing, lengths that differ, a perfect fit, regressors that
        the effects or other regressors explain (by position).
    """
    y, X = np.asarray(y, float), np.asarray(X, float)
    X = X.reshape(len(X), -1)
    rows = np.arange(len(cluster))
    absorb.require_finite("clustered fit", y=y, X=X, cluster=rows)
    clusters = Clusters(cluster, effects)
    clean = clusters.demean(np.column_stack([y, X]))
    refuse_unidentified("regressors", clusters.ordered(X), clean[:, 1:], range(X.shape[1]))
    size = np.linalg.norm(clean[:, 1:], axis=0)
    bread = np.linalg.inv((clean[:, 1:] / size).T @ (clean[:, 1:] / size)) / np.outer(size, size)
    estimate = bread @ (clean[:, 1:].T @ clean[:, 0])
    residuals = clean[:, 0] - clean[:, 1:] @ estimate
    if np.linalg.norm(residuals) <= ROUNDING * np.linalg.norm(y):
        raise DesignError("clustered fit", "the outcome is fitted perfectly: no variance")
    dummies = clusters.dummies()
    gram = np.linalg.pinv(dummies.T @ dummies, hermitian=True, rcond=1e-10)
    return ClusteredFit(
        clusters,
        estimate,
        residuals,
        np.hstack([clean[:, 1:], dummies]),
        block_diag(bread, gram),
        clusters.factor(len(bread)),
    )
