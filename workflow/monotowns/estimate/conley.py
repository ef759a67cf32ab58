"""Covariances robust to correlation over space and time: Conley, Driscoll and Kraay."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from monotowns.estimate import absorb as fixed
from monotowns.measures.agglomeration import EARTH_KM
from monotowns.measures.sphere_sums import kernel_sums
from monotowns.run.errors import DesignError

#: Locations beyond which neighbours are summed cell by cell and never listed: in a country that
#: does not grow their number rises with the square of the locations.
LISTED = 10_000
#: Locations whose neighbours are held in memory at a time.
BLOCK = 2_000


def conley(
    X,
    residuals,
    lat,
    lon,
    time=None,
    cutoff_km=100.0,
    kernel="uniform",
    lags=0,
    entity=None,
    small_sample=None,
):
    """Covariance of a least-squares fit with spatially (and serially) correlated errors.

    ``(X'X)^-1 M (X'X)^-1`` with ``M`` the sum of ``k(d_ij) x_i u_i u_j x_j'`` over pairs of rows of
    one period no further apart than the cutoff (Conley 1999), plus, for one entity's rows of
    different periods, ``(1 - |t - s| / (lags + 1))`` times the same product (Newey and West; Hsiang
    2010). Neither kernel makes ``M`` positive semi-definite for every sample: a negative variance
    says that the cutoff is too large for the data.

    Parameters
    ----------
    X : array_like, shape (n, p)
        Regressors after the fixed effects are projected out.
    residuals : array_like, shape (n,)
    lat, lon : array_like, shape (n,)
        Degrees, -90 to 90 and -180 to 180.
    time : array_like of int, shape (n,), optional
        Period of each row; None is one cross-section.
    cutoff_km : float
        Great-circle distance up to which errors are correlated.
    kernel : {"uniform", "bartlett"}
        1, or ``1 - d / cutoff_km``, up to and including the cutoff.
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
        position), unknown kernel, cutoff not positive, lags without time or entity.
    """
    where = "conley"
    if kernel not in ("uniform", "bartlett"):
        raise DesignError(where, "unknown kernel", expected="uniform, bartlett", found=kernel)
    if not (np.isfinite(cutoff_km) and cutoff_km > 0):
        raise DesignError(where, "the cutoff is not a positive distance", found=cutoff_km)
    if lags and (time is None or entity is None):
        raise DesignError(where, "serial correlation needs time and entity", found=f"lags = {lags}")
    scores, bread = _scores(where, X, residuals, small_sample)
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    period = np.zeros(len(lat)) if time is None else np.asarray(time)
    fixed.require_finite(where, residuals=residuals, lat=lat, lon=lon, time=period)
    outside = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    if outside.any():
        raise DesignError(
            where,
            "coordinates out of range",
            keys=np.flatnonzero(outside),
            expected="latitude -90 to 90, longitude -180 to 180",
        )
    meat = _spatial(scores, lat, lon, period, cutoff_km, kernel)
    if lags:
        meat += _serial(scores, *_panel(where, entity, period), lags)
    return bread @ meat @ bread


def driscoll_kraay(X, residuals, time, lags=0, small_sample=None):
    """Covariance robust to any spatial and to serial correlation up to some lags.

    Newey and West's of the period sums of the scores (Driscoll and Kraay 1998); needs many periods.

    Parameters
    ----------
    X, residuals
        As for :func:`conley`.
    time : array_like of int, shape (n,)
        Period of each row; a period without rows has a score of zero.
    lags : int
        Last lag with weight, ``1 - lag / (lags + 1)``.
    small_sample : int, optional
        Parameters estimated; multiplies by ``(n - 1) / (n - small_sample) * T / (T - 1)`` as
        fixest, with ``T`` the periods that have rows. None: no correction.

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        Values missing, or no more periods than lags.
    """
    where = "driscoll_kraay"
    scores, bread = _scores(where, X, residuals, small_sample)
    fixed.require_finite(where, residuals=residuals, time=time)
    period = _periods(where, time)
    span = period.max() + 1
    if span <= max(lags, 1):
        raise DesignError(
            where, "too few periods", expected=f"more than {max(lags, 1)}", found=span
        )
    sums = np.array([np.bincount(period, column, span) for column in scores.T]).T
    meat = sums.T @ sums
    for lag in range(1, lags + 1):
        cross = sums[lag:].T @ sums[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    if small_sample is not None:
        seen = len(np.unique(period))
        meat *= seen / (seen - 1)
    return bread @ meat @ bread


def _scores(where, X, residuals, parameters):
    """Scores and the outer matrix; the small-sample factor goes into the scores."""
    X, residuals = np.asarray(X, float), np.asarray(residuals, float)
    X = X.reshape(len(X), -1)
    fixed.require_finite(where, X=X, residuals=residuals)
    gram = X.T @ X
    size = np.sqrt(np.diag(gram))
    if (size == 0).any() or np.linalg.matrix_rank(gram / np.outer(size, size)) < len(gram):
        raise DesignError(where, "columns of X are collinear or zero")
    factor = 1.0
    if parameters is not None:
        if parameters >= len(X):
            raise DesignError(where, "no degrees of freedom left", found=f"{len(X)} rows")
        factor = (len(X) - 1) / (len(X) - parameters)
    return np.sqrt(factor) * X * residuals[:, None], np.linalg.inv(gram)


def _periods(where, time):
    """Periods counted from the first."""
    whole = np.asarray(time).astype(int)
    if (whole != time).any():
        raise DesignError(where, "time is not whole", keys=np.flatnonzero(whole != time))
    return whole - whole.min()


def _panel(where, entity, period):
    entity, period = fixed.codes(entity, f"{where}: entity")[0], _periods(where, period)
    order = np.lexsort((period, entity))
    twice = (np.diff(entity[order]) == 0) & (np.diff(period[order]) == 0)
    if twice.any():
        raise DesignError(where, "an entity stands twice in a period", keys=order[1:][twice])
    return entity, period


def _spatial(scores, lat, lon, period, cutoff_km, kernel):
    # Places repeat over the periods of a panel: neighbours are sought once for each place.
    places, place = np.unique(lat + 1j * lon, return_inverse=True)
    times, when = np.unique(period, return_inverse=True)
    cells, shape = place * len(times) + when, (len(places), len(times))
    sums = np.array([np.bincount(cells, s, np.prod(shape)) for s in scores.T])
    wide = np.moveaxis(sums.reshape(-1, *shape), 1, 0).reshape(len(places), -1)
    phi, theta = np.radians(places.real), np.radians(places.imag)
    points = np.c_[np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)]
    near = _listed if len(points) <= LISTED else _by_cells
    near = near(points, wide, cutoff_km, kernel)
    near = np.moveaxis(near.reshape(len(places), -1, len(times)), 1, 0).reshape(len(sums), -1)
    return sums.reshape(len(sums), -1) @ near.T


def _weight(km, cutoff_km, kernel):
    return np.ones_like(km) if kernel == "uniform" else 1 - km / cutoff_km


def _by_cells(points, wide, cutoff_km, kernel):
    """Sums over the neighbours of every location, exact, by a tree of cells."""
    return kernel_sums(
        points, wide, lambda km: _weight(km, cutoff_km, kernel), EARTH_KM, 0.0, cutoff=cutoff_km
    )


def _listed(points, wide, cutoff_km, kernel):
    """The same from a list of all pairs of neighbours."""
    tree = cKDTree(points)
    # Slightly beyond the cutoff, so that the exact comparison below decides.
    chord = 2 * np.sin(min(cutoff_km / EARTH_KM, np.pi) / 2) * (1 + 1e-9)
    near = np.empty_like(wide)
    for first in range(0, len(points), BLOCK):
        some = cKDTree(points[first : first + BLOCK])
        pairs = some.sparse_distance_matrix(tree, chord, output_type="ndarray")
        km = 2 * EARTH_KM * np.arcsin(np.minimum(pairs["v"] / 2, 1))
        weight = (km <= cutoff_km) * _weight(km, cutoff_km, kernel)
        size = (some.n, len(points))
        matrix = sparse.csr_matrix((weight, (pairs["i"], pairs["j"])), shape=size)
        near[first : first + BLOCK] = matrix @ wide
    return near


def _serial(scores, entity, period, lags):
    span = period.max() + 1
    row = np.full((entity.max() + 1, span), -1)
    row[entity, period] = np.arange(len(scores))
    meat = np.zeros((scores.shape[1],) * 2)
    for lag in range(1, min(lags, span - 1) + 1):
        now, before = row[:, lag:].ravel(), row[:, :-lag].ravel()
        both = (now >= 0) & (before >= 0)
        cross = scores[now[both]].T @ scores[before[both]]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    return meat
