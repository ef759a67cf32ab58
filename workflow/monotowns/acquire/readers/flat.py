"""Readers of tables that are published flat: lists of towns, the dictionary of municipalities."""

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.acquire.readers.regions import region_name


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
