"""Reader of the yearly book on cities of about 100 thousand people and more, 1985-2019.

The compiled file has 171 columns and no codebook. Only the office's core columns are taken; three
columns of the municipal indicators database come along, because they pin the units of the others.
"""

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.acquire.readers.incomes import code8
from monotowns.acquire.readers.regions import region_name
from monotowns.run.errors import SourceError

WHERE = "cities"
KEY = {"oktmo": "code", "year": "year", "region": "region", "settlement": "town"}
#: Printed column -> ours. People in thousands, wage in roubles a month, money in million roubles,
#: housing in thousand square metres, births and deaths per thousand; the rest are counts.
CORE = {
    "population": "population",
    "workers": "workers",
    "wage": "wage",
    "volume_manufact": "shipments_manufacturing",
    "volume_mining": "shipments_mining",
    "investment": "investment",
    "n_companies": "firms",
    "new_housing": "new_housing",
    "migration": "migration",
    "job_regist_unempl": "registered_unemployed",
    "retail": "retail",
    "birth": "births",
    "death": "deaths",
}
#: Of the municipal indicators database: persons, roubles a month, thousand roubles.
BESIDE = {
    "t8112013": ("population_municipal", 1e3),
    "avg_wage": ("wage_municipal", 1),
    "t8109001": ("investment_municipal", 1e3),
}
#: Columns in which a figure below zero is a figure.
SIGNED = {"migration"}


def read(path) -> pd.DataFrame:
    """Read the cities, one row a city and year.

    Returns
    -------
    pandas.DataFrame
        ``code`` (8 digits), ``year``, ``region``, ``town``, the columns of :data:`CORE` and, in the
        units of their namesakes, those of :data:`BESIDE`.
    """
    try:
        printed = pd.read_csv(path, low_memory=False)
    except ValueError as error:
        raise SourceError(str(path), "not a CSV file", found=error) from None
    names = KEY | CORE | {column: name for column, (name, _) in BESIDE.items()}
    frame = sheets.columns(printed, names, WHERE)
    frame["code"] = _codes(frame["code"])
    frame["year"] = sheets.numbers(frame["year"], WHERE, whole=True).astype(int)
    frame["region"] = frame["region"].map(region_name).fillna(frame["region"])
    for name in CORE.values():
        frame[name] = sheets.numbers(frame[name], WHERE)
        if name not in SIGNED:
            _refuse(frame, frame[name] < 0, name, "a figure below zero", "0 or more")
    for name, unit in BESIDE.values():
        frame[name] = (sheets.numbers(frame[name], WHERE) / unit).round(3)
    sheets.once(frame, ["code", "year"], WHERE)
    for name in ("population", "workers", "wage", "investment"):
        sheets.steady(frame[frame["year"] >= 1999], "code", name, WHERE)
    return frame.sort_values(["code", "year"], ignore_index=True)


def _codes(printed):
    """Write codes as 8 digits; one that cannot be read is refused."""
    codes = printed.map(code8)
    if codes.isna().any():
        keys = printed[codes.isna()].unique()
        raise SourceError(WHERE, "a code of a city cannot be read", keys=keys, expected="8 digits")
    return codes


def _refuse(frame, at, name, problem, expected):
    if at.any():
        rows = frame[at]
        keys = [f"{r.code} {r.year} {name}" for r in rows.itertuples()]
        raise SourceError(WHERE, problem, keys=keys, expected=expected, found=rows[name].iloc[0])
