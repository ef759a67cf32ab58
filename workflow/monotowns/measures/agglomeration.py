"""Measures of space: great-circle distance, market potential, distance to cores, rings."""

from itertools import pairwise

import numpy as np
import pandas as pd

#: Mean radius of the Earth (IUGG), km.
EARTH_KM = 6371.0088


def great_circle_km(lat1, lon1, lat2, lon2):
    """Great-circle distance (haversine) in km between points in degrees; shapes broadcast."""
    lat1, lon1, lat2, lon2 = (np.radians(np.asarray(v, float)) for v in (lat1, lon1, lat2, lon2))
    h = np.sin((lat2 - lat1) / 2) ** 2
    h = h + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def market_potential(lat, lon, mass, decay="inverse", kappa_km=200.0, min_distance_km=10.0):
    """Market potential of Harris (1954): the masses of all other places over distance.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
        Degrees.
    mass : array_like, shape (n,) or (n, T)
        Population, one column a year.
    decay : {"inverse", "inverse_square", "exponential"}
        ``1/d``, ``1/d**2`` or ``exp(-d/kappa_km)``.
    min_distance_km : float
        Floor of the distance: a town and the district around it share one centre.

    Returns
    -------
    numpy.ndarray, shape of ``mass``
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    distance = np.maximum(distance, min_distance_km)
    weight = {
        "inverse": lambda d: 1 / d,
        "inverse_square": lambda d: 1 / d**2,
        "exponential": lambda d: np.exp(-d / kappa_km),
    }[decay](distance)
    np.fill_diagonal(weight, 0.0)
    return weight @ np.asarray(mass, float)


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
    return great_circle_km(lat[:, None], lon[:, None], core_lat, core_lon).min(axis=1)


def ring(distance_km, bounds=(50, 100, 200)) -> pd.Categorical:
    """Ordered distance rings, e.g. ``0-50``, ``50-100``, ``100-200``, ``200+`` km.

    A distance equal to a bound belongs to the outer ring.
    """
    edges = [0, *bounds]
    labels = [*(f"{a}-{b}" for a, b in pairwise(edges)), f"{bounds[-1]}+"]
    return pd.cut(np.asarray(distance_km, float), [*edges, np.inf], right=False, labels=labels)
