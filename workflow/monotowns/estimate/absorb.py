"""Fixed effects absorbed, and how many parameters they cost.

The projection is pyhdfe's (0.2.1), which linearmodels' ``AbsorbingLS`` uses too (method "hdfe");
called here once a sample, because every variance and every resampling kernel needs the same
projected columns. What neither library offers is fixest's count of parameters: pyhdfe counts
effects nested in the clusters as reghdfe does, linearmodels all of them or none.
"""

import numpy as np
import pandas as pd
import pyhdfe
from scipy import sparse
from scipy.sparse import csgraph

from monotowns.run.errors import DesignError

#: Largest change, as a share of a column's largest value, at which the projection stops: columns
#: are then known to 4e-13 (pyhdfe's own 1e-8 leaves 7e-10), coefficients to 1e-9 standard errors.
TOLERANCE = 1e-14
#: Projections before the effects are called barely connected (a panel needs 10 to 100).
ITERATIONS = 20_000


def require_finite(where: str, **arrays) -> None:
    """Refuse missing and infinite values (rows named by position) and lengths that differ."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DesignError(where, "arguments of different length", found=lengths)
    for name, array in arrays.items():
        bad = ~np.isfinite(np.asarray(array, float).reshape(len(array), -1)).all(axis=1)
        if bad.any():
            keys = np.flatnonzero(bad)
            raise DesignError(where, f"{name} is not finite", keys=keys, remedy="drop these rows")


def codes(ids, name: str = "ids") -> tuple[np.ndarray, np.ndarray]:
    """Number the levels of an id array from 0 in the order of their labels.

    Returns
    -------
    codes : numpy.ndarray of int, shape (n,)
    labels : numpy.ndarray, shape (levels,)

    Raises
    ------
    DesignError
        An id is missing; the rows are named by position.
    """
    numbers, labels = pd.factorize(np.asarray(ids), sort=True)
    if (numbers < 0).any():
        raise DesignError(name, "an id is missing", keys=np.flatnonzero(numbers < 0))
    return numbers, np.asarray(labels)


def nested(effect, cluster) -> bool:
    """Whether every level of an effect (codes, shape (n,)) lies within one cluster (codes)."""
    home = np.zeros(effect.max() + 1, dtype=cluster.dtype)
    home[effect] = cluster
    return bool((home[effect] == cluster).all())


def drop_singletons(rows: pd.DataFrame, fixed_effects) -> pd.DataFrame:
    """Drop rows that are alone in a level of a fixed effect, until none is left.

    They are fitted exactly and say nothing of the slopes, but would count as observations and
    clusters (Correia 2015).
    """
    effects = [codes(rows[effect], effect)[0] for effect in fixed_effects]
    kept, before = np.ones(len(rows), bool), None
    while kept.sum() != before:
        before = kept.sum()
        for effect in effects:
            kept &= np.bincount(effect, kept)[effect] > 1
    return (rows if kept.all() else rows[kept]).reset_index(drop=True)


def root_weights(rows: pd.DataFrame, weights: str | None):
    """Square roots of a column of weights, shape (n,); ones without a column.

    Raises
    ------
    DesignError
        A weight is missing or not positive; the rows are named by position.
    """
    if weights is None:
        return np.ones(len(rows))
    values = rows[weights].to_numpy(float)
    if not (values > 0).all():
        keys = np.flatnonzero(~(values > 0))
        raise DesignError(weights, "weights are not positive", keys=keys)
    return np.sqrt(values)


def demean(values, ids, root=None) -> np.ndarray:
    """Residuals of a regression on the dummies of fixed effects.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, k)
    ids : sequence of array_like, each shape (n,)
        One id array an effect; without any, the values are returned.
    root : array_like, shape (n,), optional
        From :func:`root_weights`: residuals of weighted least squares, times the root.

    Returns
    -------
    numpy.ndarray, shape of ``values``

    Raises
    ------
    DesignError
        Values not finite, ids missing, lengths that differ, or effects so
        barely connected that the projection does not converge.
    """
    values = np.asarray(values, float)
    root = np.ones(len(values)) if root is None else np.asarray(root, float)
    require_finite("demean", values=values, root=root)
    weights = root[:, None] ** 2 if (root != 1).any() else None
    effects = [codes(one)[0] for one in ids]
    if any(len(one) != len(values) for one in effects):
        raise DesignError("demean", "ids and values of different length", found=len(values))
    columns = values.reshape(len(values), -1)
    # A constant is part of every other effect.
    effects = [one for one in effects if one.any()] or effects[:1]
    if effects and columns.size:
        # The projection stops by the largest change of a value: columns of one size.
        columns = columns - columns.mean(axis=0)
        size = np.abs(columns).max(axis=0)
        size[size == 0] = 1.0
        options = {"tol": TOLERANCE, "iteration_limit": ITERATIONS} if effects[1:] else None
        projection = pyhdfe.create(
            np.column_stack(effects), drop_singletons=False, compute_degrees=False, options=options
        )
        try:
            # One column at a time: numpy sums and takes rows of several numbers 3 times as slowly.
            parts = [projection.residualize(v[:, None], weights) for v in (columns / size).T.copy()]
            columns = np.hstack(parts) * size
        except RuntimeError as error:
            remedy = "look for entities seen once or twice"
            problem = "the fixed effects are barely connected"
            raise DesignError("demean", problem, found=error, remedy=remedy) from None
    return (columns * root[:, None]).reshape(values.shape)


class Projection:
    """Fixed effects of one sample, factored once: exact, for hundreds of columns on the same rows.

    Group means take the effect with most levels out, one small system what the others leave (the
    algorithm of Somaini and Wolak 2016). pyhdfe's own version of it stops at redundant levels, as
    region-by-year effects beside entities have; its iterations cost 5 times as much here.

    Parameters
    ----------
    ids : sequence of numpy.ndarray of int, each shape (n,)
        Codes of the effects, at least one.
    root : numpy.ndarray, shape (n,)
        From :func:`root_weights`.
    """

    def __init__(self, ids, root):
        largest, *others = sorted(ids, key=lambda effect: -effect.max())
        self.root, self.home = root[:, None], largest
        self.sums = _dummies(largest, root)
        self.sizes = np.bincount(largest, root**2)[:, None]
        self.others = None
        if others:
            self.others = sparse.vstack([_dummies(effect, root) for effect in others], format="csr")
            shared = self.others @ self.sums.T
            left = self.others @ self.others.T - shared @ shared.multiply(1 / self.sizes.T).T
            self.inverse = _block_inverse(left.tocsr())

    def __call__(self, values) -> np.ndarray:
        """Residuals of columns, shape (n, k), times the root; see :func:`demean`."""
        require_finite("demean", values=values)
        columns = self._within(values * self.root)
        if self.others is None:
            return columns
        return columns - self._within(self.others.T @ (self.inverse @ (self.others @ columns)))

    def _within(self, columns):
        return columns - self.root * ((self.sums @ columns) / self.sizes)[self.home]


def _block_inverse(matrix):
    """Pseudoinverse of a symmetric sparse matrix, by its connected blocks.

    Effects within regions meet no level of another region: eighty small systems, not one large.
    """
    _, block = csgraph.connected_components(matrix, directed=False)
    members = np.split(np.argsort(block, kind="stable"), np.cumsum(np.bincount(block))[:-1])
    parts = []
    for one in members:
        inverse = np.linalg.pinv(matrix[one][:, one].toarray(), hermitian=True, rcond=1e-10)
        row, column = np.meshgrid(one, one, indexing="ij")
        parts.append((inverse.ravel(), row.ravel(), column.ravel()))
    value, row, column = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sparse.csr_matrix((value, (row, column)), shape=matrix.shape)


def _dummies(effect, root):
    """Dummies of an effect by row, times the root: levels x n."""
    rows = np.arange(len(effect))
    return sparse.csr_matrix((root, (effect, rows)), shape=(effect.max() + 1, len(effect)))


def residual_degrees(ids, cluster=None) -> int:
    """Parameters that absorbed effects cost, as fixest counts them.

    The levels of all effects, less one for each effect after the first; effects nested within the
    clusters (``cluster``, shape (n,); None counts every level) count one each. Residual degrees of
    freedom are ``n - k - residual_degrees(...)``.
    """
    effects = [codes(one)[0] for one in ids]
    home = None if cluster is None else codes(cluster, "cluster")[0]
    inside = [home is not None and nested(effect, home) for effect in effects]
    levels = [1 if one else effect.max() + 1 for effect, one in zip(effects, inside, strict=True)]
    return int(sum(levels)) - max(len(effects) - 1, 0)
