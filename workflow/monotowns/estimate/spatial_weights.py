"""Row-standardised spatial weights on the sphere.

The nearest neighbours are libpysal's (4.14). Bands of distance are not: its ``DistanceBand`` drops
pairs at distance zero (110 municipalities share their centre with another one), its
``Graph.build_kernel`` reads degrees as radians under the haversine metric, and neither has a floor
under inverse distance.
"""

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from monotowns.measures.agglomeration import EARTH_KM
from monotowns.run.errors import DesignError

#: Floor of the distance under inverse weights, km, as in market potential.
FLOOR_KM = 10.0
#: Points in a leaf of the search tree. It settles which of several equally distant places is taken.
LEAF = 16


def on_sphere(lat, lon) -> np.ndarray:
    """Points on the unit sphere, shape (n, 3), from degrees; refuses what is not on the globe."""
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


def neighbours(lat, lon, kind, size) -> sparse.csr_array:
    """Weights of the neighbours of each place; places at one point are neighbours.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.
    kind : {"nearest", "band", "inverse"}
        Equal weights on the nearest places, or on all within a great-circle distance, or weights
        of one over the distance within it.
    size : float
        Number of neighbours, or kilometres; a place at exactly this distance is a neighbour.

    Returns
    -------
    scipy.sparse.csr_array, shape (n, n)
        Rows sum to one, but that of a place without a neighbour is empty.

    Raises
    ------
    DesignError
        A coordinate is missing or out of range, or there are too few places for so many neighbours.
    """
    points = on_sphere(lat, lon)
    n = len(points)
    # A chord orders pairs as the great circle does.
    tree = KDTree(points, leafsize=LEAF)
    if kind == "nearest":
        # Here and not at the top: who needs on_sphere alone shall not pay 3 seconds of import.
        from libpysal.weights import KNN

        if not 1 <= size < n:
            raise DesignError(
                "nearest neighbours",
                "no such number of neighbours",
                expected=f"1 to {n - 1}",
                found=size,
            )
        W = KNN(tree, k=size, silence_warnings=True)
        W.transform = "r"
        return sparse.csr_array(W.sparse)
    chord = 2 * np.sin(min(size / EARTH_KM, np.pi) / 2) * (1 + 1e-12)
    pairs = tree.sparse_distance_matrix(tree, chord, output_type="ndarray")
    pairs = pairs[pairs["i"] != pairs["j"]]
    km = 2 * EARTH_KM * np.arcsin(np.minimum(pairs["v"] / 2, 1))
    weight = np.ones_like(km) if kind == "band" else 1 / np.maximum(km, FLOOR_KM)
    share = weight / np.bincount(pairs["i"], weight, n)[pairs["i"]]
    return sparse.csr_array((share, (pairs["i"], pairs["j"])), shape=(n, n))
