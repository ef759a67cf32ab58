"""Fixed effects absorbed by projection, and how many parameters they are worth."""

import numpy as np
import pandas as pd
from scipy import sparse

from monotowns.run.errors import DesignError

#: Stop when the residual of the projection falls to this share of the column's norm; the error of
#: the demeaned values is then some times 1e-12 on any well connected panel.
TOLERANCE = 1e-12

#: Conjugate-gradient steps before the effects are called barely connected (a panel needs 5 to 30).
STEPS = 2_000


def require_finite(where: str, **arrays) -> None:
    """Refuse missing and infinite values.

    Parameters
    ----------
    where : str
        The function that asks, for the message.
    **arrays : array_like, shape (n,) or (n, k)
        Numbers by argument name.

    Raises
    ------
    DesignError
        Lengths differ, or rows (named by position) hold a value that is not finite.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DesignError(where, "arguments of different length", found=lengths)
    for name, array in arrays.items():
        numbers = np.asarray(array, float)
        bad = ~np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)
        if bad.any():
            raise DesignError(
                where,
                f"{name} is not finite",
                keys=np.flatnonzero(bad),
                remedy="drop or repair these rows first",
            )


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


def demean(values, ids, tol: float = TOLERANCE, root=None) -> np.ndarray:
    """Residuals of a regression on the dummies of one or more fixed effects.

    Alternating projections in symmetric order, accelerated by conjugate gradients (Correia 2017,
    "Linear models with high-dimensional fixed effects", section 3); exact after one step if the
    panel is balanced. Redundant levels and disconnected parts need no care.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, k)
    ids : sequence of array_like, each shape (n,)
        One id array an effect; empty returns the values.
    tol : float
        Residual norm of the projection over the norm of the column.
    root : array_like, shape (n,), optional
        Positive square roots of weights: weighted least squares on the dummies, the residuals
        multiplied by the root.

    Returns
    -------
    numpy.ndarray, shape of ``values``

    Raises
    ------
    DesignError
        Values not finite, ids missing, roots not positive, lengths that differ, or no convergence.
    """
    values = np.asarray(values, float)
    root = np.ones(len(values)) if root is None else np.asarray(root, float)
    require_finite("demean", values=values, root=root)
    if (root <= 0).any():
        raise DesignError("demean", "weights are not positive", keys=np.flatnonzero(root <= 0))
    columns = values.reshape(len(values), -1) * root[:, None]
    groups = [_group(one, root) for one in ids]
    if not groups:
        return columns.reshape(values.shape)
    groups.sort(key=lambda group: -len(group[2]))
    start = _within(columns, groups[0])
    if len(groups) > 1:
        start = _project(start, groups[1:] + groups[-2::-1], tol, np.linalg.norm(columns, axis=0))
    return start.reshape(values.shape)


def _group(ids, root):
    number, labels = codes(ids)
    if len(number) != len(root):
        raise DesignError(
            "demean", "ids and values of different length", expected=len(root), found=len(number)
        )
    shape = (len(labels), len(root))
    sums = sparse.csc_matrix((root, number, np.arange(len(root) + 1)), shape=shape)
    return number, sums, np.bincount(number, root**2)[:, None], root[:, None]


def _within(columns, group):
    number, sums, sizes, root = group
    return columns - root * ((sums @ columns) / sizes)[number]


def _project(start, sweep, tol, size):
    """Fixed point of a symmetric sweep of projections nearest to ``start``."""

    def change(columns):
        swept = columns
        for group in sweep:
            swept = _within(swept, group)
        return columns - swept

    x = start - change(start)
    # What is absorbed altogether leaves only rounding error, which has nothing to converge to.
    goal = np.maximum(tol * np.linalg.norm(x, axis=0), np.finfo(float).eps * size) ** 2
    residual = change(x)
    direction, square = residual, (residual**2).sum(axis=0)
    for _ in range(STEPS):
        if (square <= goal).all():
            return x
        image = change(direction)
        curvature = (direction * image).sum(axis=0)
        step = np.divide(square, curvature, out=np.zeros_like(square), where=square > goal)
        x = x - step * direction
        residual = residual - step * image
        before, square = square, (residual**2).sum(axis=0)
        ratio = np.divide(square, before, out=np.zeros_like(square), where=before > 0)
        direction = residual + ratio * direction
    raise DesignError(
        "demean",
        "the fixed effects are barely connected",
        found=f"no convergence in {STEPS} steps",
        remedy="look for entities seen once or twice",
    )


def residual_degrees(ids, cluster=None) -> int:
    """Parameters that absorbed effects cost, as fixest counts them.

    The levels of all effects, less one for each effect after the first; effects nested within the
    clusters count one each. Residual degrees of freedom are ``n - k - residual_degrees(...)``.

    Parameters
    ----------
    ids : sequence of array_like, each shape (n,)
    cluster : array_like, shape (n,), optional
        None counts every level.

    Returns
    -------
    int
    """
    effects = [codes(one)[0] for one in ids]
    if not effects:
        return 0
    home = None if cluster is None else codes(cluster, "cluster")[0]
    inside = [home is not None and nested(effect, home) for effect in effects]
    levels = [1 if one else effect.max() + 1 for effect, one in zip(effects, inside, strict=True)]
    return int(sum(levels)) - (len(effects) - 1)
