"""Readers of the tables that are already flat: the 2014 list, TOSER dates, main industries."""

import pandas as pd

from monotowns.acquire.readers import sheets


def read_monotowns_2014(path) -> pd.DataFrame:
    """Read the government's list of 29 July 2014: region, town, municipality, category 1 to 3."""
    named = ["region", "admin_center", "mo_name_1398", "category"]
    frame = sheets.columns(pd.read_csv(path), named, "monotowns 2014")
    frame = frame.rename(columns={"admin_center": "town", "mo_name_1398": "municipality"})
    frame["category"] = sheets.numbers(frame["category"], "monotowns 2014", whole=True).astype(int)
    for column in ("region", "town", "municipality"):
        frame[column] = frame[column].str.strip()
    frame = frame[["region", "town", "municipality", "category"]]
    return frame.sort_values(["region", "town"], ignore_index=True)


def read_toser(path) -> pd.DataFrame:
    """Read TOSER towns with the date of establishment, where one is evidenced.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``town``, ``established`` (ISO date, year-month or year; empty where only
        bounds or existence are known), ``precision``, ``evidence``, ``address``.
    """
    names = {
        "region": "region",
        "town": "town",
        "established_date": "established",
        "date_precision": "precision",
        "evidence_kind": "evidence",
        "source_url": "address",
    }
    frame = sheets.columns(pd.read_csv(path, dtype=str), names, "TOSER")
    return (
        frame[list(names)].rename(columns=names).sort_values(["region", "town"], ignore_index=True)
    )


def read_industries(path) -> pd.DataFrame:
    """Read the main industry of monotowns; ``strength`` is the leading mark of the evidence."""
    named = [
        "region",
        "town",
        "industry",
        "okved2_section",
        "okved2_division",
        "as_of",
        "evidence_kind",
        "source_url",
        "note",
    ]
    frame = sheets.columns(pd.read_csv(path, dtype=str), named, "main industries")
    frame["strength"] = frame["note"].str.extract(r"^\[([a-z-]+)\]", expand=False)
    frame = frame.rename(
        columns={
            "okved2_section": "section",
            "okved2_division": "division",
            "evidence_kind": "evidence",
            "source_url": "address",
        }
    )
    columns = [
        "region",
        "town",
        "industry",
        "section",
        "division",
        "as_of",
        "strength",
        "evidence",
        "address",
    ]
    return frame[columns].sort_values(["region", "town", "industry"], ignore_index=True)
