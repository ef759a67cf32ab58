"""Measures of space: great-circle distance, market potential, distance to cores, rings."""

from itertools import pairwise

import numpy as np
import pandas as pd

#: Mean radius of the Earth (IUGG), km.
EARTH_KM = 6371.0088
#: Pairs of places whose distances are held at a time: some 30 MB a matrix.
PAIRS = 2**22
#: Bounds of the size classes whose national growth moves the instrument, persons (Rosstat's).
SIZE_CLASSES = (20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
#: A core city lies in the entity with the nearest centre, which is no further than this.
CORE_KM = 10


def great_circle_km(lat1, lon1, lat2, lon2):
    """Great-circle distance (haversine) in km between points in degrees; shapes broadcast."""
    lat1, lon1, lat2, lon2 = (np.radians(np.asarray(v, float)) for v in (lat1, lon1, lat2, lon2))
    h = np.sin((lat2 - lat1) / 2) ** 2
    h = h + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def market_potential(lat, lon, mass, region, kappa_km, min_distance_km, local_km) -> dict:
    """Market potential of Harris (1954): the masses of all other places over distance.

    Parameters
    ----------
    lat, lon, region : array_like, shape (n,)
    mass : array_like, shape (n, T)
        Persons, one column a year, none missing.
    kappa_km : float
        Scale of the exponential decay.
    min_distance_km : float
        Floor of the distance: a town and the district around it share one centre.
    local_km : float
        Masses up to this distance are local, the rest national.

    Returns
    -------
    dict of numpy.ndarray, shape (n, T)
        ``inverse`` (1/d), ``inverse_square``, ``exponential``; ``local`` and ``national``, which
        add up to ``inverse``; ``instrument``: 1/d over the masses of other regions, grown by
        :func:`size_class_masses`, so that a local boom cannot move it.
    """
    lat, lon, mass = (np.asarray(v, float) for v in (lat, lon, mass))
    region, grown = pd.factorize(np.asarray(region))[0], size_class_masses(mass)
    blocks = []
    for rows in np.array_split(np.arange(len(lat)), -(-(len(lat) ** 2) // PAIRS)):
        distance = great_circle_km(lat[rows, None], lon[rows, None], lat, lon)
        floored = np.maximum(distance, min_distance_km)
        others = rows[:, None] != np.arange(len(lat))
        weight = others / floored
        near = distance <= local_km
        sums = {
            "inverse": weight @ mass,
            "inverse_square": weight**2 @ mass,
            "exponential": (others * np.exp(floored / -kappa_km)) @ mass,
            "local": (weight * near) @ mass,
            "national": (weight * ~near) @ mass,
            "instrument": (weight * (region[rows, None] != region)) @ grown,
        }
        blocks.append(sums)
    return {name: np.concatenate([sums[name] for sums in blocks]) for name in blocks[0]}


def size_class_masses(mass) -> np.ndarray:
    """Masses of the first year grown at the national rate of their size class.

    Place and year differ only through the class: what a place itself did is not in it, but for
    its part in its class's total.
    """
    mass = np.asarray(mass, float)
    group = np.searchsorted(SIZE_CLASSES, mass[:, 0], side="right")
    total = pd.DataFrame(mass).groupby(group).transform("sum").to_numpy()
    return mass[:, :1] * (total / total[:, :1])


def distance_to_core(lat, lon, core_lat, core_lon):
    """Great-circle km of n places to the nearest of m core cities, shape (n,)."""
    lat, lon = np.asarray(lat, float)[:, None], np.asarray(lon, float)[:, None]
    return great_circle_km(lat, lon, core_lat, core_lon).min(axis=1)


def ring(distance_km, bounds=(50, 100, 200)) -> pd.Categorical:
    """Ordered distance rings, e.g. ``0-50``, ``50-100``, ``100-200``, ``200+`` km.

    A distance equal to a bound belongs to the outer ring.
    """
    edges = [0, *bounds]
    labels = [*(f"{a}-{b}" for a, b in pairwise(edges)), f"{bounds[-1]}+"]
    return pd.cut(np.asarray(distance_km, float), [*edges, np.inf], right=False, labels=labels)


def core_entities(centre: pd.DataFrame, towns: pd.DataFrame, least: int) -> set:
    """Entities that hold a city of at least ``least`` residents: they are no place near one.

    Parameters
    ----------
    centre : pandas.DataFrame
        Indexed by entity: ``lat``, ``lon``.
    towns : pandas.DataFrame
        ``population``, ``lat``, ``lon``.
    """
    core, place = towns[towns["population"] >= least], centre.dropna(subset=["lat", "lon"])
    distance = great_circle_km(
        *(core[c].to_numpy()[:, None] for c in ("lat", "lon")),
        *(place[c].to_numpy() for c in ("lat", "lon")),
    )
    return set(place.index[distance.argmin(axis=1)[distance.min(axis=1) <= CORE_KM]])
