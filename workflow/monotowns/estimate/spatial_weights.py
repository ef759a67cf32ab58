"""Spatial weights on the sphere: sparse, row-standardised, their islands named."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from monotowns.measures.agglomeration import EARTH_KM
from monotowns.run.errors import DesignError

#: Decays of :func:`distance_band`: weight before standardisation of a neighbour at ``d`` km.
DECAYS = {"uniform": np.ones_like, "inverse": lambda d: 1 / d, "inverse_square": lambda d: d**-2.0}

#: Places whose neighbours are listed at a time.
BLOCK = 10_000

#: How far a row of a standardised matrix may be from one: rounding of a few hundred terms.
ROW_SUM = 1e-9


def on_sphere(lat, lon) -> np.ndarray:
    """Points on the unit sphere.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.

    Returns
    -------
    numpy.ndarray, shape (n, 3)

    Raises
    ------
    DesignError
        A coordinate is missing or out of range.
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    bad = ~((np.abs(lat) <= 90) & (np.abs(lon) <= 180))
    if bad.any():
        raise DesignError(
            "coordinates",
            "missing or out of range",
            keys=np.flatnonzero(bad),
            expected="latitude -90 to 90 and longitude -180 to 180, degrees",
            remedy="leave these places out or correct them",
        )
    lat, lon = np.radians(lat), np.radians(lon)
    return np.c_[np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]


def knn(lat, lon, k) -> sparse.csr_array:
    """Weights ``1/k`` on the ``k`` nearest places by great-circle distance.

    Places that share one point are neighbours of each other. Equal distances are settled by the
    order of the search tree, which depends on the coordinates alone.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.
    k : int
        Neighbours a place, less than ``n``.

    Returns
    -------
    scipy.sparse.csr_array, shape (n, n)
        Row-standardised, in general not symmetric.

    Raises
    ------
    DesignError
        A coordinate is missing or out of range, or ``k`` is not in ``1..n-1``.
    """
    points = on_sphere(lat, lon)
    n = len(points)
    if not 1 <= k < n:
        raise DesignError(
            "nearest neighbours", "no such number of neighbours", keys=[k], expected=f"1 to {n - 1}"
        )
    found = cKDTree(points).query(points, k + 1)[1]
    # Where several places share one point a place need not be first among its own neighbours.
    other = found != np.arange(n)[:, None]
    other[other.all(axis=1), -1] = False
    rows = np.repeat(np.arange(n), k)
    return sparse.csr_array((np.full(n * k, 1 / k), (rows, found[other])), shape=(n, n))


def distance_band(lat, lon, cutoff_km, decay="uniform", min_distance_km=10.0) -> sparse.csr_array:
    """Weights on all places within a great-circle distance.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.
    cutoff_km : float
        Places at exactly this distance are neighbours.
    decay : {"uniform", "inverse", "inverse_square"}
        Weight by distance before the rows are standardised.
    min_distance_km : float
        Floor of the distance, as in market potential.

    Returns
    -------
    scipy.sparse.csr_array, shape (n, n)
        Row-standardised.

    Raises
    ------
    DesignError
        A coordinate is missing or out of range, or a place has no neighbour (see
        :func:`islands`).
    """
    points = on_sphere(lat, lon)
    n, tree, chord = len(points), cKDTree(points), _chord(cutoff_km)
    count = tree.query_ball_point(points, chord, return_length=True) - 1
    if (count == 0).any():
        raise DesignError(
            "distance band",
            f"places without a neighbour within {cutoff_km} km",
            keys=np.flatnonzero(count == 0),
            remedy="take a larger cutoff or nearest neighbours, or leave these places out",
        )
    # Filled block by block: in a dense country the pairs take several times the room of W.
    start = np.append(0, np.cumsum(count))
    start = start.astype(sparse.get_index_dtype(maxval=start[-1]))
    neighbour, weight = np.empty(start[-1], start.dtype), np.empty(start[-1])
    for first in range(0, n, BLOCK):
        some = cKDTree(points[first : first + BLOCK])
        pairs = some.sparse_distance_matrix(tree, chord, output_type="ndarray")
        pairs = pairs[pairs["i"] + first != pairs["j"]]
        km = 2 * EARTH_KM * np.arcsin(np.minimum(pairs["v"] / 2, 1))
        decayed = DECAYS[decay](np.maximum(km, min_distance_km))
        total = np.bincount(pairs["i"], decayed, minlength=some.n)
        at = (pairs["i"], pairs["j"])
        rows = sparse.csr_array((decayed / total[pairs["i"]], at), shape=(some.n, n))
        rows.sort_indices()
        place = slice(start[first], start[first + some.n])
        neighbour[place], weight[place] = rows.indices, rows.data
    return sparse.csr_array((weight, neighbour, start), shape=(n, n))


def islands(lat, lon, cutoff_km) -> np.ndarray:
    """Positions of the places that have no other place within ``cutoff_km``.

    To leave them out makes no other place an island: they were nobody's neighbour.

    Raises
    ------
    DesignError
        A coordinate is missing or out of range.
    """
    points = on_sphere(lat, lon)
    tree = cKDTree(points)
    return np.flatnonzero(tree.query_ball_point(points, _chord(cutoff_km), return_length=True) == 1)


def check(W, ids, where) -> sparse.csr_array:
    """Weights as the spatial models need them.

    Parameters
    ----------
    W : sparse or dense matrix, shape (n, n)
    ids : sequence, length n
        Names of the rows, for the error.
    where : str
        Who asks.

    Returns
    -------
    scipy.sparse.csr_array
        The same weights, without stored zeros.

    Raises
    ------
    DesignError
        The shape is wrong, a weight is missing or negative, a place is its own neighbour or an
        island, or a row does not sum to one.
    """
    W = sparse.csr_array(W, dtype=float)
    ids, n = np.asarray(ids), len(ids)
    if W.shape != (n, n):
        raise DesignError(
            where, "W is not one row and one column an entity", expected=(n, n), found=W.shape
        )
    W.eliminate_zeros()
    row = np.repeat(np.arange(n), np.diff(W.indptr))
    total = W.sum(axis=1)
    faults = [
        (
            "W has a weight that is missing, infinite or negative",
            np.unique(row[~(np.isfinite(W.data) & (W.data >= 0))]),
            "repair the weights",
        ),
        (
            "W has entities that are their own neighbours",
            np.flatnonzero(W.diagonal()),
            "put zeros on the diagonal",
        ),
        (
            "W has islands",
            np.flatnonzero(np.diff(W.indptr) == 0),
            "leave these entities out of the sample and of W, or take nearest neighbours",
        ),
        (
            "rows of W do not sum to one",
            np.flatnonzero(np.abs(total - 1) > ROW_SUM),
            "divide each row by its sum",
        ),
    ]
    for problem, at, remedy in faults:
        if len(at):
            raise DesignError(where, problem, keys=ids[at], remedy=remedy)
    return W


def _chord(km):
    """Straight-line distance on the unit sphere; a little more, so that the cutoff is inside."""
    return 2 * np.sin(min(km / EARTH_KM, np.pi) / 2) * (1 + 1e-12)
