"""Outlines of municipalities: the reader, what it refuses, the dissolving, and the maps."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from checkout import ROOT
from monotowns.acquire.readers import borders as reader
from monotowns.acquire.registry import load_registry
from monotowns.figures import maps
from monotowns.figures.style import save, style
from monotowns.panel import borders, contracts
from monotowns.run.errors import ContractError, SourceError
from monotowns.run.tables import read_table, write_table
from pyproj import Geod

MIRROR = os.environ.get("MONOTOWNS_MIRROR", "")
#: A feature as it is published: bare keys, commas after the last of a list.
FEATURE = """    {{
      type: "Feature",
      properties: {{
        fid: 1,
        osm_vers: "2023-01-01T01:00:00Z",
        territory_id: "{territory}",
        year_from: 2018,
        year_to: 9999,
      }},
      geometry: {{ type: "{kind}", coordinates: {coordinates}, rewind: true, }},
    }},
"""
SQUARE = "[[[40, 50,], [41, 50], [41, 51], [40, 51], [40, 50.0],],]"


def feature(territory=7, kind="Polygon", coordinates=SQUARE):
    return FEATURE.format(territory=territory, kind=kind, coordinates=coordinates)


def literal(*features):
    head = 'export const dataRussia = {\n  type: "FeatureCollection",\n  features: [\n'
    return f"{head}{''.join(features)}  ],\n}};\n"


def read(folder, text):
    path = folder / "borders.js"
    path.write_text(text, encoding="utf-8")
    return reader.read(path)


# --- the reader


def test_a_literal_of_two_territories(tmp_path):
    hole = "[[40.3, 50.3], [40.6, 50.3], [40.6, 50.6], [40.3, 50.3]]"
    table = read(tmp_path, literal(feature(9, coordinates=f"{SQUARE[:-2]},{hole}]"), feature(7)))
    assert table[["territory_id", "year_from", "year_to"]].to_numpy().tolist() == [
        [7, 2018, 9999],
        [9, 2018, 9999],
    ]
    square, with_hole = shapely.from_wkt(table["wkt"])
    assert square.equals(shapely.box(40, 50, 41, 51))
    assert with_hole.area == pytest.approx(1 - 0.3 * 0.3 / 2)
    assert contracts.check(table, "borders") is not None


def test_a_ring_that_crosses_itself_is_taken_apart_and_a_spike_left_behind(tmp_path):
    bow = "[[[40, 50], [42, 52], [42, 50], [40, 52], [40, 50]]]"
    spike = "[[[40, 50], [41, 50], [41, 51], [41, 53], [41, 51], [40, 51], [40, 50]]]"
    table = read(tmp_path, literal(feature(1, coordinates=bow), feature(2, coordinates=spike)))
    bow, spiked = shapely.from_wkt(table["wkt"])
    assert bow.geom_type == "MultiPolygon" and bow.is_valid and bow.area == pytest.approx(2)
    assert spiked.equals(shapely.box(40, 50, 41, 51))


def ring(*points):
    return str([[list(point) for point in points]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "LineString"}, "territory 7: not a polygon\n.*Polygon or Multi.*\n.*LineString"),
        ({"coordinates": ring((40, 50), (41, 50), (41, 51), (40, 51))}, "not closed"),
        ({"coordinates": "[]"}, "without rings"),
        ({"coordinates": "[[]]"}, "too short"),
        ({"coordinates": ring((40, 50), (41, 51), (40, 50))}, "too short\n.*4 points\n.*3 points"),
        ({"coordinates": SQUARE.replace("41", "141.5e5")}, "outside of the country"),
        ({"coordinates": SQUARE.replace("51", "15")}, "outside of the country"),
        ({"coordinates": SQUARE.replace("51", '"51,5"')}, "outside of the country"),
        ({"coordinates": SQUARE.replace("51", ".nan")}, "outside of the country"),
        ({"coordinates": SQUARE.replace("[41, 51]", "[41, 51, 3]")}, "outside of the country"),
        (
            {"coordinates": ring((55, 130), (56, 130), (56, 131), (55, 130))},
            r"outside of the country\n.*55, 130(.|\n)*swapped",
        ),
        (
            {"coordinates": ring((179, 66), (-179, 66), (-179, 67), (179, 66))},
            "crosses the 180th meridian",
        ),
        ({"coordinates": ring((40, 50), (41, 51), (42, 52), (40, 50))}, "no area\n.*territory 7"),
        ({"territory": "seven"}, "another layout\n.*territory_id(.|\n)*seven"),
    ],
)
def test_what_is_no_outline_is_refused_with_its_feature(tmp_path, change, words):
    with pytest.raises(SourceError, match=words) as refusal:
        read(tmp_path, literal(feature(6), feature(**change)))
    at = "territory 7" if "no area" in words else "feature 2"
    assert at in str(refusal.value) and "borders.js" in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "another layout"),
        ("<html>", "another layout\n.*export const"),
        (literal(feature()).replace("dataRussia", "data"), "another layout"),
        (literal(feature()).replace("features:", "shapes:"), "a list of features\n.*shapes"),
        (literal(feature()).replace("geometry", "geom"), "KeyError: 'geometry'"),
        (literal(feature())[:-8], "not a literal of GeoJSON"),
        (literal(feature()).replace('"Feature"', "!!python/name:os.getcwd"), "not a literal"),
        (literal(), "no row was recognised"),
        (literal(feature(), feature()), "a row stands twice\n.*7"),
    ],
)
def test_another_layout_is_refused(tmp_path, text, words):
    with pytest.raises(SourceError, match=words):
        read(tmp_path, text)


def test_what_the_contract_holds(tmp_path):
    table = read(tmp_path, literal(feature()))
    twice = pd.concat([table, table], ignore_index=True)
    with pytest.raises(ContractError, match="one row a territory_id"):
        contracts.check(twice, "borders")
    for wkt in ("POLYGON ((40 50, 42 52, 42 50, 40 52, 40 50))", "POLYGON ((40 50, 41"):
        with pytest.raises(ContractError, match="outlines are valid polygons"):
            contracts.check(table.assign(wkt=wkt), "borders")
    with pytest.raises(ContractError, match="str_matches"):
        contracts.check(table.assign(wkt="POINT (40 50)"), "borders")


# --- changes of the real file


@cache
def published():
    source = load_registry(ROOT / "data/sources.yaml")["municipal_borders"]
    text = (Path(MIRROR) / source.file).read_text(encoding="utf-8")
    head, *features = text.split("    {\n      type: ")
    return [head, *(f"    {{\n      type: {one}" for one in features[:40])]


@pytest.mark.raw
@pytest.mark.skipif(not MIRROR, reason="no raw files: MONOTOWNS_MIRROR is not set")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", None),
        ('"Polygon"', '"Point"', "not a polygon"),
        ("territory_id:", "territory:", "another layout"),
        ("year_to: 9999", "year_to: now", "another layout"),
        ('territory_id: "461"', 'territory_id: "462"', "a row stands twice"),
        ("[45.96034192010234, 43.34399806583998]", "[43.3, 45.9]", "not closed"),
        ("[45.96034192010234, 43.34399806583998]", "[5116000, 5365000]", "outside of the country"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, old, new, words):
    head, *features = published()
    text = head + features[0].replace(old, new, 1) + "".join(features[1:]) + "  ],\n};\n"
    text = text if old in features[0] else text.replace(old, new, 1)
    if words is None:
        assert len(contracts.check(read(tmp_path, text), "borders")) == len(features)
        return
    with pytest.raises(SourceError, match=words):
        read(tmp_path, text)


# --- entities and regions


def squares():
    """Three squares in a row, and one beyond the 180th meridian in two parts."""
    boxes = [shapely.box(x, 60, x + 1, 61) for x in (100, 101, 102)]
    far = shapely.MultiPolygon([shapely.box(179, 66, 180, 67), shapely.box(-180, 66, -178, 67)])
    wkt = [shapely.to_wkt(one) for one in (*boxes, far)]
    return pd.DataFrame({"territory_id": [1, 2, 3, 4], "wkt": wkt})


def dictionary():
    """Territories 1 and 2 were united, 5 has no outline, 6 and 7 are districts of a city."""
    rows = [
        ("10601000", 1, 2018, 2020, "A", None, "u1"),
        ("10602000", 2, 2018, 2020, "A", None, "u1"),
        ("10501000", 5, 2020, 9999, "A", "u1", None),
        ("10603000", 3, 2018, 9999, "A", None, None),
        ("77601000", 4, 2018, 9999, "B", None, None),
        ("45301000", 6, 2018, 9999, "C", None, None),
        ("45302000", 7, 2018, 9999, "C", None, None),
    ]
    columns = ["code", "territory_id", "year_from", "year_to", "region"]
    return pd.DataFrame(rows, columns=[*columns, "change_from", "change_to"]).assign(name="n")


def test_united_territories_are_one_outline_without_a_border_inside():
    entities = borders.of_entities(squares(), dictionary()).set_index("entity")
    assert list(entities.index) == ["10501000", "10603000", "77601000"]
    assert entities.loc["10501000", "geometry"].equals(shapely.box(100, 60, 102, 61))
    assert entities.crs == "EPSG:4326"
    regions = borders.of_regions(squares(), dictionary()).set_index("region")
    assert regions.loc["A", "geometry"].equals(shapely.box(100, 60, 103, 61))
    # One piece across the 180th meridian, three degrees wide.
    assert regions.loc["B", "geometry"].bounds == (179, 66, 182, 67)
    assert regions.loc["B", "geometry"].geom_type == "Polygon"


def test_what_has_no_outline_is_listed():
    listed = borders.without(squares(), dictionary())
    assert listed.to_numpy().tolist() == [
        ["territory", 5, "A"],
        ["territory", 6, "C"],
        ["territory", 7, "C"],
        ["entity", "45000000", "C"],
        ["region", "C", "C"],
    ]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table of borders as a run writes and reads it."""
    names = ("borders", "municipal_dictionary")
    both = [read_table(ROOT / f"data/snapshot/{name}.csv") for name in names]
    outlines = borders.of_entities(*both), borders.of_regions(*both)
    paths = [tmp_path_factory.mktemp("borders") / f"{i}.parquet" for i in (1, 2)]
    for path in paths:
        write_table(borders.to_table(*outlines), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    return read_table(paths[0])


def test_every_entity_of_the_dictionary_has_an_outline(table):
    both = [
        read_table(ROOT / f"data/snapshot/{n}.csv") for n in ("borders", "municipal_dictionary")
    ]
    entities = set(table.loc[table["level"] == "entity", "unit"])
    assert entities == set(borders.places(both[1])["entity"])
    assert {"45000000", "40000000", "67000000"} <= entities
    assert (table["level"] == "region").sum() == 85
    assert borders.without(*both).to_numpy().tolist() == [["territory", 2552, "Москва"]]


#: Published areas, thousand square kilometres, of regions without a sea.
AREAS = {
    "Свердловская область": 194.3,
    "Иркутская область": 774.8,
    "Республика Татарстан": 67.8,
    "Новосибирская область": 177.8,
    "Забайкальский край": 431.9,
    "Тверская область": 84.2,
}


def test_the_projection_keeps_areas(table):
    regions = borders.of_level(table, "region")
    for name, area in AREAS.items():
        assert regions.area[name] / 1e9 == pytest.approx(area, rel=0.02), name
    # All regions against the ellipsoid, on which an edge is the shortest line, no straight one.
    degrees = regions.geometry.to_crs(borders.DEGREES)
    on_globe = [abs(Geod(ellps="WGS84").geometry_area_perimeter(one)[0]) for one in degrees]
    np.testing.assert_allclose(regions.area, on_globe, rtol=0.01)


def test_no_region_spans_the_map_and_all_lie_where_they_should(table):
    regions = borders.of_level(table, "region")
    wide = regions.bounds["maxx"] - regions.bounds["minx"]
    assert wide.max() < 3.2e6
    assert regions.is_valid.all()
    places = pd.DataFrame({"lat": [66.2, 54.7, 45.3], "lon": [-175.0, 21.5, 34.3]})
    for at, name in zip(
        borders.points(places).geometry,
        ("Чукотский автономный округ", "Калининградская область", "Республика Крым"),
        strict=True,
    ):
        assert regions.geometry[name].distance(at) == 0


# --- maps


def figure_tables(table):
    dictionary = read_table(ROOT / "data/snapshot/municipal_dictionary.csv")
    place = dictionary.dropna(subset="lat").drop_duplicates("code")[::20].reset_index(drop=True)
    panel = place.rename(columns={"code": "entity"})[["entity", "region", "lat", "lon"]]
    panel = panel.assign(year=2021, monotown=[float(i % 9 == 0) for i in range(len(panel))])
    measures = panel[["entity", "year"]].assign(log_mp_inverse=np.linspace(10, 13, len(panel)))
    regions = table.loc[table["level"] == "region", "unit"]
    names = ["industrialised", "de-industrialising", "something else"]
    stages = pd.DataFrame(
        {"region": regions, "year": 2022, "stage": np.resize(names, len(regions))}
    )
    potential = panel[["entity"]].assign(index=np.linspace(-1, 1, len(panel)), rank=1.0)
    towns = read_table(ROOT / "data/snapshot/towns_2020.csv")
    return {
        "panel": panel,
        "measures": measures,
        "stages": stages,
        "potential": potential,
        "borders": table,
        "towns": towns,
    }


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (maps.market_potential, ("panel", "measures", "borders", "towns")),
        (maps.stages, ("stages", "panel", "borders", "towns")),
        (maps.development_potential, ("potential", "panel", "borders", "towns")),
    ],
)
def test_maps_are_light_name_the_cities_apart_and_do_not_change(tmp_path, table, draw, names):
    tables = figure_tables(table)
    written = []
    with style():
        for i in (1, 2):
            figure = draw(*(tables[name] for name in names))
            save(figure, tmp_path / f"{i}.svg", tmp_path / f"{i}.png")
            written.append([(tmp_path / f"{i}.{end}").read_bytes() for end in ("svg", "png")])
    assert written[0] == written[1]
    assert len(written[0][0]) < 1_500_000
    axes = figure.axes[0]
    labels = [one for one in axes.texts if one.get_text() in dict(maps.NAMES.values())]
    assert len(labels) == len(maps.NAMES)
    boxes = [shapely.box(*one.get_window_extent().extents) for one in labels]
    apart = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    assert (apart[0] == apart[1]).all()


def test_cities_over_a_million_have_english_names():
    towns = read_table(ROOT / "data/snapshot/towns_2020.csv")
    assert set(towns.loc[towns["population"] > maps.LARGE, "town"]) == set(maps.NAMES)
