"""Readers of tables that are published flat: lists of towns, the dictionary of municipalities."""

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.acquire.readers.regions import region_name
from monotowns.run.errors import SourceError

#: What a town may be the seat of: nothing, a district, a region.
MARKS, SEAT = {0, 1, 2}, 2


def read_monotowns_2014(path) -> pd.DataFrame:
    """Read the government's list of 29 July 2014; ``category`` is 1 (gravest) to 3."""
    names = {"region": "region", "admin_center": "town", "mo_name_1398": "municipality"}
    frame = sheets.columns(pd.read_csv(path), names | {"category": "category"}, "monotowns 2014")
    frame["category"] = sheets.numbers(frame["category"], "monotowns 2014", whole=True).astype(int)
    for column in names.values():
        frame[column] = frame[column].str.strip()
    return frame.sort_values(["region", "town"], ignore_index=True)


def read_dictionary(path) -> pd.DataFrame:
    """Read every version of every municipality, SberIndex 2018-2024.

    ``code`` has 8 digits, ``year_to`` is 9999 while in force, ``change_from`` and ``change_to``
    are identifiers of unions, disunions and transfers, ``lat`` and ``lon`` degrees.
    """
    names = {
        "oktmo": "code",
        "territory_id": "territory_id",
        "municipal_district_name_short": "name",
        "municipal_district_type": "kind",
        "municipal_district_status": "status",
        "region_name": "region",
        "municipal_district_center": "centre",
        "year_from": "year_from",
        "year_to": "year_to",
        "change_id_from": "change_from",
        "change_id_to": "change_to",
        "municipal_district_center_lat": "lat",
        "municipal_district_center_lon": "lon",
    }
    where = "dictionary of municipalities"
    sheets.workbook(path)
    frame = sheets.columns(pd.read_excel(path, engine="calamine"), names, where)
    frame["code"] = frame["code"].astype(str).str.replace("-", "").str[:8]
    for column in ("lat", "lon"):
        frame[column] = sheets.numbers(frame[column], where)
    return frame.sort_values(["code", "year_from", "territory_id"], ignore_index=True)


def read_market_access(path) -> pd.DataFrame:
    """Read the market-access index 2024 of SberIndex."""
    names = {"territory_id": "territory_id", "market_access": "market_access"}
    frame = sheets.columns(sheets.parquet(path), names, "market access")
    frame["market_access"] = sheets.numbers(frame["market_access"], "market access")
    return frame.sort_values("territory_id", ignore_index=True)


def read_towns(path) -> pd.DataFrame:
    """Read towns on 1 January 2020: ``population`` (persons), ``lat``, ``lon`` (degrees)."""
    names = {"city": "town", "region_name": "region", "population": "population"}
    frame = sheets.columns(pd.read_csv(path), names | {"lat": "lat", "lon": "lon"}, "towns 2020")
    thousands = sheets.numbers(frame["population"], "towns 2020")
    frame["population"] = (thousands * 1000).round().astype(int)
    frame["region"] = frame["region"].map(region_name).fillna(frame["region"])
    return frame.sort_values(["region", "town"], ignore_index=True)


def read_town_codes(path) -> pd.DataFrame:
    """Read the municipality of every town: ``code``, ``town``, ``district``, ``capital``.

    ``code`` has 8 digits, ``district`` is the federal one, ``capital`` 1 for the seat of a region.
    """
    where = "codes of towns"
    names = {"oktmo": "code", "city": "town", "federal_district": "district"}
    frame = pd.read_csv(path, dtype=str)
    frame = sheets.columns(frame, names | {"capital_marker": "capital", "region": "region"}, where)
    marks = sheets.numbers(frame["capital"], where, whole=True)
    if unknown := sorted(set(marks) - MARKS):
        raise SourceError(where, "unknown mark of a capital", expected=sorted(MARKS), found=unknown)
    frame["capital"] = (marks == SEAT).astype(int)
    # A city of federal rank is its region, and has no name of a town.
    frame["town"] = frame["town"].fillna(frame.pop("region"))
    # 8 digits, or 11 with the settlement; of both the leading zero may be lost.
    frame["code"] = (
        frame["code"].where(frame["code"].str.len() % 3 == 2, "0" + frame["code"]).str[:8]
    )
    # Yalta stands twice, with the same figures.
    return frame.drop_duplicates().sort_values(["code", "town"], ignore_index=True)
