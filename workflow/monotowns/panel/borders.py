"""Borders of the study's entities and of the regions, dissolved from outlines of territories."""

import pandas as pd

DEGREES = "EPSG:4326"
#: Albers equal-area conic projection of Russia, metres from 100 degrees east, 56 degrees north.
ALBERS = "+proj=aea +lat_1=52 +lat_2=64 +lat_0=56 +lon_0=100 +datum=WGS84 +units=m +no_defs"
#: Outlines are joined on the grid on which they are kept, degrees: neighbours share their points.
GRID = 1e-4


def outlines(borders: pd.DataFrame):
    """Read the outlines of territories; longitudes run on east of the 180th meridian, to 191.

    What lies on both sides of the meridian is thereby one piece, without a border along it. A
    projection takes 190 degrees east for the 170 degrees west that they are.

    Returns
    -------
    geopandas.GeoDataFrame
        The table with ``geometry`` instead of ``wkt``, indexed by ``territory_id``.
    """
    import geopandas
    import shapely

    def eastwards(places):
        places[:, 0] += 360 * (places[:, 0] < 0)
        return places

    shapes = shapely.transform(shapely.from_wkt(borders["wkt"]), eastwards)
    rows = borders.drop(columns="wkt")
    return geopandas.GeoDataFrame(rows, geometry=shapes, crs=DEGREES).set_index("territory_id")


def places(dictionary: pd.DataFrame) -> pd.DataFrame:
    """Give every territory its ``entity``, and the ``region`` of the entity's newest version."""
    # Brings scipy's graphs along, for which the maps' parsing need not wait.
    from monotowns.panel.territories import FEDERAL_CITIES, components

    frame = dictionary.assign(entity=dictionary["code"].map(components(dictionary)))
    city = frame["code"].str[:2].map(FEDERAL_CITIES)
    frame["entity"] = city.fillna(frame["entity"])
    frame = frame.sort_values(["year_to", "code"])
    newest = frame.drop_duplicates("entity", keep="last").set_index("entity")
    frame["region"] = frame["entity"].map(newest["region"])
    frame = frame.drop_duplicates("territory_id", keep="last").set_index("territory_id")
    return frame[["entity", "name", "region"]].sort_index()


def _dissolved(borders, dictionary, by):
    """The union of the territories of every unit, on their grid."""
    rows = outlines(borders)[["geometry"]].join(places(dictionary), how="inner")
    units = rows[["geometry", *by]].dissolve(by[0], grid_size=GRID)
    return units.set_geometry(units.normalize()).reset_index()[[*by, "geometry"]]


def of_entities(borders: pd.DataFrame, dictionary: pd.DataFrame):
    """Dissolve territories to the harmonised entities, all their versions together.

    Returns
    -------
    geopandas.GeoDataFrame
        ``entity``, ``region``, ``geometry``, in degrees, one row an entity with an outline.
    """
    return _dissolved(borders, dictionary, ["entity", "region"])


def of_regions(borders: pd.DataFrame, dictionary: pd.DataFrame):
    """Dissolve territories to regions: ``region``, ``geometry``."""
    return _dissolved(borders, dictionary, ["region"])


def without(borders: pd.DataFrame, dictionary: pd.DataFrame) -> pd.DataFrame:
    """List what has no outline: ``level`` (territory, entity or region), ``unit``, ``region``.

    An entity or a region is listed when none of its territories has one.
    """
    place = places(dictionary).reset_index()
    drawn = place[place["territory_id"].isin(borders["territory_id"])]
    rows = []
    for level, unit in (("territory", "territory_id"), ("entity", "entity"), ("region", "region")):
        lost = place[~place[unit].isin(drawn[unit])].drop_duplicates(unit)
        rows += [(level, *row) for row in lost[[unit, "region"]].itertuples(index=False)]
    return pd.DataFrame(rows, columns=["level", "unit", "region"])


def to_table(entities, regions) -> pd.DataFrame:
    """Put both kinds of outlines into one plain table that :func:`of_level` takes apart."""
    import shapely

    kinds = {"entity": entities, "region": regions}
    frames = [frame.assign(level=level, unit=frame[level]) for level, frame in kinds.items()]
    table = pd.concat([pd.DataFrame(frame) for frame in frames], ignore_index=True)
    # One order of bytes on every machine.
    table["geometry"] = shapely.to_wkb(table["geometry"].to_numpy(), byte_order=1)
    return table[["level", "unit", "region", "geometry"]]


def of_level(table: pd.DataFrame, level: str):
    """Take the outlines of ``entity`` or ``region`` out of the table, projected.

    Returns
    -------
    geopandas.GeoDataFrame
        ``unit`` (the index), ``region``, ``geometry`` in metres of :data:`ALBERS`.
    """
    import geopandas

    rows = table[table["level"] == level].set_index("unit")
    shapes = geopandas.GeoSeries.from_wkb(rows["geometry"], crs=DEGREES)
    return geopandas.GeoDataFrame(rows[["region"]], geometry=shapes).to_crs(ALBERS)


def points(table: pd.DataFrame):
    """Project the places of a table (``lat`` and ``lon``, degrees) to points.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows of the table, in their order.
    """
    import geopandas

    at = geopandas.points_from_xy(table["lon"], table["lat"], crs=DEGREES)
    return geopandas.GeoDataFrame(table, geometry=at).to_crs(ALBERS)
