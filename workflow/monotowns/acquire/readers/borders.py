"""Reader of the simplified outlines of municipalities, a JavaScript literal of GeoJSON.

Its keys are bare and its lists end in commas, which JSON does not allow and YAML's flow style does:
after the first words it is read as YAML, data only, and no converter of our own has to be right.
"""

from pathlib import Path

import pandas as pd
import yaml

from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

START, END = "export const dataRussia =", ";"
PROPERTIES = ("territory_id", "year_from", "year_to")
#: Degrees between which the country lies; west of the 180th meridian it goes on from -180.
LAT, EAST, WEST = (41, 83), (19, 180), (-180, -168)
#: Rings are kept on this grid, degrees: 11 metres, far below what the simplification left out.
GRID = 1e-4
#: A ring of fewer points, the first of which is also the last, surrounds nothing.
RING = 4
#: Territories whose outline the simplification flattened to a line: Nekrasovka, a district of
#: Moscow. They have no row; another one is a fault.
FLAT = {2552}


def read(path) -> pd.DataFrame:
    """Read the outlines, one row a territory.

    Returns
    -------
    pandas.DataFrame
        ``territory_id``, ``year_from``, ``year_to`` (9999 while in force), and ``wkt``: a valid
        polygon or multipolygon, longitude before latitude, degrees. What lies on both sides of the
        180th meridian has parts on both, that end at it.
    """
    rows = [_row(f"{path}, feature {i}", one) for i, one in enumerate(_features(path), 1)]
    frame = pd.DataFrame(rows, columns=[*PROPERTIES, "wkt"])
    frame = sheets.once(sheets.filled(frame, str(path)), ["territory_id"], str(path))
    flat = set(frame.loc[frame["wkt"].isna(), "territory_id"])
    if flat - FLAT:
        raise SourceError(
            str(path),
            "an outline has no area",
            keys=[f"territory {one}" for one in sorted(flat - FLAT)],
            expected="a polygon",
            found="points on one line",
        )
    return frame.dropna(subset="wkt").sort_values("territory_id", ignore_index=True)


def _features(path):
    """Take the features of the file."""
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise SourceError(str(path), "not a text in UTF-8", found=error) from None
    if not text.startswith(START):
        found = repr(text[: len(START)])
        raise SourceError(str(path), "another layout", expected=START, found=found)
    try:
        # libyaml's safe loader reads in three seconds what Python's needs half a minute for.
        literal = yaml.load(text.removeprefix(START).removesuffix(END), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise SourceError(str(path), "not a literal of GeoJSON", found=error) from None
    features = literal.get("features") if isinstance(literal, dict) else None
    if not isinstance(features, list):
        found = ", ".join(literal) if isinstance(literal, dict) else type(literal).__name__
        raise SourceError(str(path), "another layout", expected="a list of features", found=found)
    return features


def _row(where, feature):
    """The row of a feature; an outline without area has no ``wkt``."""
    try:
        numbers = [int(feature["properties"][name]) for name in PROPERTIES]
        kind, parts = feature["geometry"]["type"], feature["geometry"]["coordinates"]
    except (KeyError, TypeError, ValueError) as error:
        expected = f"properties {', '.join(PROPERTIES)}; geometry with type and coordinates"
        found = f"{type(error).__name__}: {error}"
        raise SourceError(where, "another layout", expected=expected, found=found) from None
    where = f"{where}, territory {numbers[0]}"
    if kind not in ("Polygon", "MultiPolygon"):
        expected = "Polygon or MultiPolygon"
        raise SourceError(where, "not a polygon", expected=expected, found=kind)
    return [*numbers, _outline(where, [parts] if kind == "Polygon" else parts)]


def _outline(where, parts):
    """The text of the valid polygon of these rings; none where they surround no area."""
    import shapely

    if not isinstance(parts, list) or not parts or not all(parts):
        raise SourceError(where, "an outline without rings", expected="rings", found=parts)
    polygons = []
    for rings in parts:
        outer, *holes = [_ring(where, ring) for ring in rings]
        polygons.append(shapely.Polygon(outer, holes))
    # Rings that touch or cross themselves are taken apart; points and lines are left behind.
    shape = shapely.make_valid(shapely.MultiPolygon(polygons))
    pieces = shapely.get_parts(shapely.get_parts([shape]))
    area = shapely.set_precision(shapely.union_all(pieces[shapely.area(pieces) > 0]), GRID)
    return None if area.is_empty else shapely.to_wkt(area.normalize(), rounding_precision=4)


def _ring(where, ring):
    """A closed ring of places within the country, which does not jump over the 180th meridian."""
    if not isinstance(ring, list) or len(ring) < RING:
        found = f"{len(ring)} points" if isinstance(ring, list) else ring
        raise SourceError(where, "a ring is too short", expected=f"{RING} points", found=found)
    if odd := [place for place in ring if not _lies_here(place)]:
        raise SourceError(
            where,
            "a point lies outside of the country",
            keys=odd,
            expected=f"longitude {EAST[0]} to {EAST[1]} or {WEST[0]} to {WEST[1]}, "
            f"then latitude {LAT[0]} to {LAT[1]}",
            found=odd[0],
            remedy="look for swapped coordinates or a projection",
        )
    if ring[0] != ring[-1]:
        raise SourceError(where, "a ring is not closed", expected=ring[0], found=ring[-1])
    if len({place[0] > 0 for place in ring}) > 1:
        expected = "parts that end at it"
        raise SourceError(where, "a ring crosses the 180th meridian", expected=expected)
    return ring


def _lies_here(place):
    try:
        lon, lat = place
        lies = EAST[0] <= lon <= EAST[1] or WEST[0] <= lon <= WEST[1]
        return lies and LAT[0] <= lat <= LAT[1]
    except (TypeError, ValueError):
        return False
