"""Readers of SberIndex: dictionary of municipalities 2018-2024 and the market-access index."""

import pandas as pd

from monotowns.acquire.readers import sheets

#: Column of the workbook -> column of the table.
NAMES = {
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
WHERE = "dictionary of municipalities"


def read(path) -> pd.DataFrame:
    """Read every version of every municipality.

    Returns
    -------
    pandas.DataFrame
        ``code`` (8 digits), ``territory_id``, ``name``, ``kind``, ``status``, ``region``,
        ``centre``, ``year_from``, ``year_to`` (9999 = in force), ``change_from``, ``change_to``
        (identifiers of unions, disunions and transfers), ``lat``, ``lon`` (degrees).
    """
    sheets.workbook(path)
    frame = sheets.columns(pd.read_excel(path, engine="calamine"), NAMES, WHERE)
    frame = frame[list(NAMES)].rename(columns=NAMES)
    frame["code"] = frame["code"].astype(str).str.replace("-", "").str[:8]
    for column in ("lat", "lon"):
        frame[column] = sheets.numbers(frame[column], WHERE)
    return frame.sort_values(["code", "year_from", "territory_id"], ignore_index=True)


def read_market_access(path) -> pd.DataFrame:
    """Read the market-access index 2024: ``territory_id``, ``market_access``."""
    frame = sheets.columns(
        pd.read_parquet(path), ["territory_id", "market_access"], "market access"
    )
    frame["market_access"] = sheets.numbers(frame["market_access"], "market access")
    return frame.sort_values("territory_id", ignore_index=True)
