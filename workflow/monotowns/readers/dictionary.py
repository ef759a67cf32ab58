"""Readers of SberIndex: dictionary of municipalities 2018-2024 and the market-access index."""

import pandas as pd


def read(path) -> pd.DataFrame:
    """Read every version of every municipality.

    Returns
    -------
    pandas.DataFrame
        ``code`` (8 digits), ``territory_id``, ``name``, ``kind``, ``status``, ``region``,
        ``centre``, ``year_from``, ``year_to`` (9999 = in force), ``change_from``, ``change_to``
        (identifiers of unions, disunions and transfers), ``lat``, ``lon`` (degrees).
    """
    frame = pd.read_excel(path, engine="calamine")
    frame["code"] = frame["oktmo"].str.replace("-", "").str[:8]
    frame = frame.rename(
        columns={
            "municipal_district_name_short": "name", "municipal_district_type": "kind",
            "municipal_district_status": "status", "municipal_district_center": "centre",
            "municipal_district_center_lat": "lat", "municipal_district_center_lon": "lon",
            "region_name": "region", "change_id_from": "change_from", "change_id_to": "change_to",
        }
    )  # fmt: skip
    columns = [
        "code", "territory_id", "name", "kind", "status", "region", "centre",
        "year_from", "year_to", "change_from", "change_to", "lat", "lon",
    ]  # fmt: skip
    return frame[columns].sort_values(["code", "year_from", "territory_id"], ignore_index=True)


def read_market_access(path) -> pd.DataFrame:
    """Read the market-access index 2024: ``territory_id``, ``market_access``."""
    return pd.read_parquet(path).sort_values("territory_id", ignore_index=True)
