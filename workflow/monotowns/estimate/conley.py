"""Covariance robust to correlation over space and, of one entity, over time (Conley 1999).

statsmodels 0.15 and linearmodels have none; pyfixest 0.60 and diff-diff sum over all pairs of rows
(10 to 40 times slower at study size, see tests/bench).
"""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from monotowns.estimate import absorb
from monotowns.estimate.collinearity import collinear
from monotowns.measures.agglomeration import EARTH_KM
from monotowns.run.errors import DesignError

#: Locations whose neighbours are held in memory at a time.
BLOCK = 2_000


def conley(
    X, residuals, lat, lon, time, cutoff_km, lags=0, entity=None, small_sample=None
) -> np.ndarray:
    """Covariance of a least-squares fit with spatially (and serially) correlated errors.

    ``(X'X)^-1 M (X'X)^-1`` with ``M`` the sum of ``(1 - d_ij / cutoff) x_i u_i u_j x_j'`` over
    pairs of rows of one period no further apart than the cutoff, plus, for one entity's rows of
    different periods, ``(1 - |t - s| / (lags + 1))`` times the same product (Newey and West; Hsiang
    2010). ``M`` need not be positive semi-definite on a sphere: a negative variance says that the
    cutoff is too large for the data.

    Parameters
    ----------
    X : array_like, shape (n, p)
        Regressors after the fixed effects are projected out.
    residuals : array_like, shape (n,)
    lat, lon : array_like, shape (n,)
        Degrees, -90 to 90 and -180 to 180.
    time : array_like of int, shape (n,)
        Period of each row.
    cutoff_km : float
        Great-circle distance up to which errors are correlated.
    lags : int
        Periods over which one entity's errors are correlated.
    entity : array_like, shape (n,), optional
        Needed if ``lags > 0``. Places do not tell entities apart: a town and the district around
        it share a centre.
    small_sample : int, optional
        Parameters estimated, absorbed ones included (see ``absorb.residual_degrees``): multiplies
        by ``(n - 1) / (n - small_sample)``, fixest's factor for parameters. None: no correction.

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        Values missing, coordinates out of range, an entity twice in a period (rows named by
        position), collinear columns.
    """
    X, residuals, lat, lon = (np.asarray(a, float) for a in (X, residuals, lat, lon))
    absorb.require_finite("conley", X=X, residuals=residuals, lat=lat, lon=lon, time=time)
    outside = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    if outside.any():
        raise DesignError(
            "conley",
            "coordinates out of range",
            keys=np.flatnonzero(outside),
            expected="latitude -90 to 90, longitude -180 to 180",
        )
    if dependent := collinear(X, range(X.shape[1])):
        raise DesignError("conley", "columns of X are collinear or zero", keys=dependent)
    period = np.asarray(time).astype(int)
    scores = X * residuals[:, None]
    meat = _spatial(scores, lat, lon, period, cutoff_km)
    if lags:
        meat += _serial(scores, absorb.codes(entity, "entity")[0], period - period.min(), lags)
    if small_sample is not None:
        meat *= (len(X) - 1) / (len(X) - small_sample)
    bread = np.linalg.inv(X.T @ X)
    return bread @ meat @ bread


def _spatial(scores, lat, lon, period, cutoff_km):
    # Places repeat over the periods of a panel: neighbours are sought once for each place.
    places, place = np.unique(lat + 1j * lon, return_inverse=True)
    times, when = np.unique(period, return_inverse=True)
    cells, shape = place * len(times) + when, (len(places), len(times))
    sums = np.array([np.bincount(cells, s, np.prod(shape)) for s in scores.T])
    wide = np.moveaxis(sums.reshape(-1, *shape), 1, 0).reshape(len(places), -1)
    phi, theta = np.radians(places.real), np.radians(places.imag)
    points = np.c_[np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)]
    near = _neighbours(points, wide, cutoff_km)
    near = np.moveaxis(near.reshape(len(places), -1, len(times)), 1, 0).reshape(len(sums), -1)
    return sums @ near.T


def _neighbours(points, wide, cutoff_km):
    """Weighted sums over the neighbours of every location."""
    tree = cKDTree(points)
    # Slightly beyond the cutoff, so that the exact comparison below decides.
    chord = 2 * np.sin(min(cutoff_km / EARTH_KM, np.pi) / 2) * (1 + 1e-9)
    near = np.empty_like(wide)
    for first in range(0, len(points), BLOCK):
        some = cKDTree(points[first : first + BLOCK])
        pairs = some.sparse_distance_matrix(tree, chord, output_type="ndarray")
        km = 2 * EARTH_KM * np.arcsin(np.minimum(pairs["v"] / 2, 1))
        weight = (km <= cutoff_km) * (1 - km / cutoff_km)
        size = (some.n, len(points))
        matrix = sparse.csr_matrix((weight, (pairs["i"], pairs["j"])), shape=size)
        near[first : first + BLOCK] = matrix @ wide
    return near


def _serial(scores, entity, period, lags):
    span = period.max() + 1
    row = np.full((entity.max() + 1, span), -1)
    row[entity, period] = np.arange(len(scores))
    if (row >= 0).sum() < len(scores):
        twice = np.setdiff1d(np.arange(len(scores)), row)
        raise DesignError("conley", "an entity stands twice in a period", keys=twice)
    meat = np.zeros((scores.shape[1],) * 2)
    for lag in range(1, min(lags, span - 1) + 1):
        now, before = row[:, lag:].ravel(), row[:, :-lag].ravel()
        both = (now >= 0) & (before >= 0)
        cross = scores[now[both]].T @ scores[before[both]]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    return meat
