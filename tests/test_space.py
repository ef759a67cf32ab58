import numpy as np
import pandas as pd
import pytest
from monotowns.measures import agglomeration, scales, sphere_sums
from monotowns.measures.agglomeration import EARTH_KM, market_potential
from monotowns.measures.space import masses, measure

DEGREE = np.pi * EARTH_KM / 180  # km of one degree along a great circle


def test_federal_cities_enter_the_masses_and_gaps_do_not_move_neighbours():
    panel = pd.DataFrame(
        {
            "entity": ["a", "a", "b"],
            "year": [2012, 2013, 2012],
            "population": [10.0, 10.0, 20.0],
            "region": "R",
            "lat": 0.0,
            "lon": [0.0, 0.0, 1.0],
        }
    )
    cities = ["Москва", "Санкт-Петербург", "Севастополь"]
    towns = pd.DataFrame(
        {"town": cities, "population": [600, 300, 50], "lat": 0.0, "lon": [2.0, 3.0, 4.0]}
    )
    regions = pd.DataFrame(
        [
            (c, y, m)
            for c, m in zip(cities, (600.0, 300.0, 50.0), strict=True)
            for y in (2012, 2013)
        ],
        columns=["region", "year", "population"],
    )
    settings = {
        "kappa_km": 200.0,
        "min_distance_km": 10.0,
        "local_km": 150.0,
        "cores": [250, 500],
        "rings_km": [50, 100, 200],
    }
    abroad = pd.DataFrame({"population": [1000.0], "lat": [0.0], "lon": [11.0]})
    table = measure(panel, towns, regions, settings, abroad)
    expected = np.log((20 + 600 / 2 + 300 / 3 + 50 / 4) / DEGREE)
    np.testing.assert_allclose(table.loc[table["entity"] == "a", "log_mp_inverse"], expected)
    assert len(table) == 3  # b has no row of 2013, though its residents count there
    assert table["core_0_km"].iloc[0] == pytest.approx(2 * DEGREE)
    assert table["ring"].astype(str).tolist() == ["200+", "200+", "100-200"]
    at_a = table[(table["entity"] == "a") & (table["year"] == 2012)].iloc[0]
    # b lies within 150 km of a, the cities beyond; the country abroad is 11 degrees away.
    assert np.expm1(at_a["log_mp_local"]) == pytest.approx(20 / DEGREE)
    national = (600 / 2 + 300 / 3 + 50 / 4) / DEGREE
    assert np.expm1(at_a["log_mp_national"]) == pytest.approx(national)
    assert np.expm1(at_a["log_mp_foreign"]) == pytest.approx(1000 / 11 / DEGREE)
    # a and b are one region, so the instrument sees the cities alone.
    assert np.exp(at_a["log_mp_instrument"]) == pytest.approx(national)


def test_a_gap_is_interpolated_and_an_end_is_held():
    panel = pd.DataFrame(
        {
            "entity": list("aaabb"),
            "year": [2012, 2014, 2015, 2012, 2013],
            "population": [10.0, 30.0, 40.0, 5.0, 6.0],
            "region": "R",
            "lat": 0.0,
            "lon": 0.0,
        }
    )
    towns = pd.DataFrame({"town": [], "lat": [], "lon": [], "population": []})
    regions = pd.DataFrame({"region": ["R"], "year": [2012], "population": [1.0]})
    _, mass = masses(panel, towns, regions.iloc[:0])
    assert mass.loc["a"].tolist() == [10, 20, 30, 40]
    assert mass.loc["b"].tolist() == [5, 6, 6, 6]


def test_local_and_national_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    lat, lon, mass = rng.uniform(50, 60, 40), rng.uniform(30, 60, 40), rng.uniform(1, 9, (40, 3))
    local, national, _ = scales.potential_by_scale(
        lat, lon, mass, pd.DataFrame({"population": [1.0], "lat": [0.0], "lon": [0.0]}), 300
    )
    np.testing.assert_allclose(local + national, market_potential(lat, lon, mass))
    assert (local > 0).any()


def test_size_class_growth_by_hand():
    mass = [[10_000, 11_000], [15_000, 14_000], [30_000, 60_000]]
    grown = scales.size_class_masses(mass)
    # The first two share a class: it stays at 25 thousand in all, so neither moves.
    np.testing.assert_allclose(grown, [[10_000, 10_000], [15_000, 15_000], [30_000, 60_000]])


def test_the_instrument_does_not_see_its_own_region():
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(50, 60, 30), rng.uniform(30, 60, 30)
    mass = np.repeat(rng.uniform(30_000, 40_000, (30, 1)), 2, axis=1)
    region = np.arange(30) % 3
    before = scales.instrument(lat, lon, mass, region)
    doubled = np.where(region[:, None] == 0, 2 * mass, mass)
    after = scales.instrument(lat, lon, doubled, region)
    np.testing.assert_allclose(after[region == 0], before[region == 0])
    assert (after[region == 1] > before[region == 1]).all()


def test_foreign_countries_hold_the_world_without_russia():
    table = scales.foreign_countries()
    assert "RU" not in set(table["iso"])
    assert table["iso"].is_unique
    # UN: some 7.5 thousand million outside Russia around the years of GeoNames' figures.
    assert 7.0e9 < table["population"].sum() < 8.2e9
    tokyo = table.set_index("iso").loc["JP"]
    assert abs(tokyo["lat"] - 35.7) < 0.1
    assert abs(tokyo["lon"] - 139.7) < 0.1


def test_scales_and_instrument_of_the_tree_are_those_of_the_matrix(monkeypatch):
    monkeypatch.setattr(sphere_sums, "LEAF", 12)
    rng = np.random.default_rng(8)
    n = 900
    lat, lon = rng.uniform(50, 60, n), rng.uniform(35, 60, n)
    lat[:20], lon[:20] = lat[20:40], lon[20:40]  # places that share a centre
    mass = rng.lognormal(9, 1.5, (n, 3))
    abroad = pd.DataFrame({"population": [5e6, 1e7], "lat": [52.5, 39.9], "lon": [13.4, 116.4]})
    dense, tree = (
        scales.potential_by_scale(lat, lon, mass, abroad, 100.0, method=m)
        for m in ("dense", "tree")
    )
    whole = dense[0] + dense[1]
    np.testing.assert_allclose(tree[0], dense[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(tree[1], dense[1], atol=1e-3 * whole.max(), rtol=1e-3)
    assert (np.abs(tree[1] - dense[1]) <= 1e-3 * whole).all()
    np.testing.assert_array_equal(tree[2], dense[2])
    region = rng.integers(0, 12, n)
    dense, tree = (scales.instrument(lat, lon, mass, region, method=m) for m in ("dense", "tree"))
    assert (np.abs(tree - dense) <= 1e-3 * market_potential(lat, lon, mass)).all()
    assert (np.abs(tree - dense) > 1e-12 * dense).any()  # a tree it was


def test_places_taken_in_blocks_are_places_taken_at_once(monkeypatch):
    rng = np.random.default_rng(9)
    places = rng.uniform(50, 60, 50), rng.uniform(35, 60, 50)
    cores = rng.uniform(50, 60, 4), rng.uniform(35, 60, 4)
    whole = agglomeration.distance_to_core(*places, *cores)
    monkeypatch.setattr(agglomeration, "BLOCK", 7)
    np.testing.assert_array_equal(agglomeration.distance_to_core(*places, *cores), whole)
