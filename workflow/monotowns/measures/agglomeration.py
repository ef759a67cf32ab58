"""Measures of space: great-circle distance, market potential, distance to cores, rings."""

from itertools import pairwise

import numpy as np
import pandas as pd

from monotowns.measures.sphere_sums import kernel_sums, unit_vectors
from monotowns.run.errors import InputError

#: Mean radius of the Earth (IUGG), km.
EARTH_KM = 6371.0088


def great_circle_km(lat1, lon1, lat2, lon2):
    """Great-circle distance (haversine) in km between points in degrees; shapes broadcast."""
    lat1, lon1, lat2, lon2 = (np.radians(np.asarray(v, float)) for v in (lat1, lon1, lat2, lon2))
    h = np.sin((lat2 - lat1) / 2) ** 2
    h = h + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


#: Points up to which market potential is summed from the matrix of all distances.
DENSE_LIMIT = 4000
#: Places whose distances to a list of others are held at a time.
BLOCK = 10_000
#: Decay lengths beyond which the tree counts no exponential weight: it is below 5e-5 there.
CUT_LENGTHS = 10
#: Nodes a side and separation (see ``sphere_sums``) that keep every pair within a relative 1e-3.
FAR_FIELD = {"inverse": (5, 0.4), "inverse_square": (6, 0.36), "exponential": (6, 0.4)}


def market_potential(
    lat, lon, mass, decay="inverse", kappa_km=200.0, min_distance_km=10.0, method="auto"
):
    """Market potential of Harris (1954): the masses of all other places over distance.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.
    mass : array_like, shape (n,) or (n, T)
        Population, one column a year; not negative.
    decay : {"inverse", "inverse_square", "exponential"}
        ``1/d``, ``1/d**2`` or ``exp(-d/kappa_km)``.
    min_distance_km : float
        Floor of the distance, positive: a town and the district around it share one centre.
    method : {"auto", "dense", "tree"}
        ``dense`` sums the n x n matrix. ``tree`` needs memory in proportion to n and has a relative
        error below 1e-3; of ``exp(-d/kappa_km)`` it counts nothing beyond ten decay lengths.
        ``auto`` is dense up to :data:`DENSE_LIMIT` points.

    Returns
    -------
    numpy.ndarray, shape of ``mass``

    Raises
    ------
    InputError
        A coordinate or mass is missing or out of range, or an argument is not one of the above.
    """
    lat, lon, mass = (np.asarray(v, float) for v in (lat, lon, mass))
    _check_places(lat, lon, mass, min_distance_km)
    weights = {
        "inverse": lambda d: 1 / d,
        "inverse_square": lambda d: 1 / d**2,
        "exponential": lambda d: np.exp(d / -kappa_km),
    }
    for name, value, known in (
        ("decay", decay, weights),
        ("method", method, ("auto", "dense", "tree")),
    ):
        if value not in known:
            raise InputError(
                "market_potential", f"unknown {name}", expected=", ".join(known), found=value
            )
    if by_tree(method, len(lat)):
        # An exponential changes over the decay length at whatever distance, a power does not.
        ends = {"cutoff": CUT_LENGTHS * kappa_km, "scale": kappa_km}
        sums = kernel_sums(
            unit_vectors(lat, lon),
            mass.reshape(len(lat), -1),
            weights[decay],
            EARTH_KM,
            min_distance_km,
            far_field=FAR_FIELD[decay],
            **(ends if decay == "exponential" else {}),
        )
        return sums.reshape(mass.shape) - weights[decay](min_distance_km) * mass
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    weight = weights[decay](np.maximum(distance, min_distance_km))
    np.fill_diagonal(weight, 0.0)
    return weight @ mass


def by_tree(method, points) -> bool:
    """Whether a method of :func:`market_potential` sums over so many points by the tree."""
    return method == "tree" or (method == "auto" and points > DENSE_LIMIT)


def in_blocks(function, lat, lon):
    """Results of a function of places, taken for :data:`BLOCK` places at a time.

    What it holds for a place and every core or country then never stands for all places at once.
    """
    blocks = [slice(first, first + BLOCK) for first in range(0, len(lat), BLOCK)]
    return np.concatenate([function(lat[some, None], lon[some, None]) for some in blocks])


def _check_places(lat, lon, mass, min_distance_km):
    where = "market_potential"
    if lat.ndim != 1 or lon.shape != lat.shape or mass.shape[:1] != lat.shape:
        raise InputError(
            where,
            "one latitude, longitude and row of masses a place",
            found=f"shapes {lat.shape}, {lon.shape}, {mass.shape}",
        )
    for problem, expected, good in (
        ("latitude out of range", "-90 to 90", np.abs(lat) <= 90),
        ("longitude out of range", "-180 to 360", (lon >= -180) & (lon <= 360)),
        ("mass missing or negative", "0 or more", (mass.T >= 0) & np.isfinite(mass.T)),
    ):
        rows = np.flatnonzero(~np.atleast_2d(good).all(axis=0))
        if len(rows):
            raise InputError(where, problem, keys=[f"row {r}" for r in rows], expected=expected)
    if not min_distance_km > 0:
        raise InputError(
            where,
            "the floor of the distance is not positive",
            expected="some km",
            found=min_distance_km,
        )


#: Decays of market potential that every run computes.
DECAYS = ("inverse", "inverse_square", "exponential")


def distance_to_core(lat, lon, core_lat, core_lon):
    """Great-circle km to the nearest core city.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
    core_lat, core_lon : array_like, shape (m,)
        Degrees; at least one core.

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    return in_blocks(lambda y, x: great_circle_km(y, x, core_lat, core_lon).min(axis=1), lat, lon)


def ring(distance_km, bounds=(50, 100, 200)) -> pd.Categorical:
    """Ordered distance rings, e.g. ``0-50``, ``50-100``, ``100-200``, ``200+`` km.

    A distance equal to a bound belongs to the outer ring.
    """
    edges = [0, *bounds]
    labels = [*(f"{a}-{b}" for a, b in pairwise(edges)), f"{bounds[-1]}+"]
    return pd.cut(np.asarray(distance_km, float), [*edges, np.inf], right=False, labels=labels)
