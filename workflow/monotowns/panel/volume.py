"""Regional production: volume over two classifications, and how these agree."""

import pandas as pd

from monotowns.acquire.readers.regions import RUSSIA
from monotowns.run.errors import DesignError

#: Classifications of activities: to 2016, and from 2015 on.
OLD, NEW = "okved2007", "okved2"
#: First year of shipments by the newer one: a step in the series that is no growth.
SHIPMENTS_SINCE = 2017
#: The level of this year is 100: both classifications begin after it or reach it.
BASE = 2014


def _growth(production, activity, classification):
    """Years by regions, per cent of the year before."""
    name = f"{activity}_index_{classification}"
    of = production[production["indicator"] == name]
    if of.empty:
        known = ", ".join(sorted(production["indicator"].unique()))
        raise DesignError("regional production", "no such index", expected=name, found=known)
    return of.pivot(index="year", columns="region", values="value")


def chained(
    production: pd.DataFrame,
    first_year_of_new: int,
    *,
    activity: str = "manufacturing",
    base: int = BASE,
) -> pd.DataFrame:
    """Volume of production of every region, chained over the two classifications.

    Parameters
    ----------
    production : pandas.DataFrame
        ``indicator``, ``region``, ``year``, ``value``: per cent of the year before.
    first_year_of_new : int
        First year whose index is that of OKVED2: 2015, the first that has one, to 2017.
    activity : str
        ``manufacturing``, ``mining`` or ``industry``.
    base : int
        Year whose level is 100.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``volume``. The first year is that before the first index. Beyond a
        year without an index nothing is comparable to the base year, and left out.
    """
    old, new = (_growth(production, activity, of) for of in (OLD, NEW))
    first, last = new.index.min(), old.index.max() + 1
    if not first <= first_year_of_new <= last:
        where, expected = "first_year_of_new", f"{first} to {last}"
        raise DesignError(where, "no such chain", expected=expected, found=first_year_of_new)
    growth = pd.concat([old.loc[: first_year_of_new - 1], new.loc[first_year_of_new:]]) / 100
    years = range(growth.index.min(), growth.index.max() + 1)
    if not years[0] - 1 <= base <= years[-1]:
        expected = f"{years[0] - 1} to {years[-1]}"
        raise DesignError("base", "no index reaches this year", expected=expected, found=base)
    growth = growth.reindex(years)
    after = growth.loc[base + 1 :].cumprod(skipna=False)
    # The level of a year is that of the next over the next year's growth.
    before = 1 / growth.loc[:base].iloc[::-1].cumprod(skipna=False)
    before.index -= 1
    level = pd.concat([before.iloc[::-1], after])
    level.loc[base] = 1.0
    # A region without a neighbouring year has no level, not even in the base year.
    level = level.sort_index().dropna(axis="columns", thresh=2) * 100
    level = level.rename_axis(index="year").reset_index().melt("year", value_name="volume")
    level = level.dropna()[["region", "year", "volume"]]
    return level.sort_values(["region", "year"], ignore_index=True)


def overlap(production: pd.DataFrame, *, activity: str = "manufacturing") -> pd.DataFrame:
    """Both classifications' indices of the regions in the years that have both.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``okved2007``, ``okved2``, ``difference`` (the second less the
        first), ``correlation`` (of the year's regions, each with the same weight, without Russia).
    """
    both = [_growth(production, activity, of).stack().rename(of) for of in (OLD, NEW)]
    table = pd.concat(both, axis="columns", join="inner").reset_index()
    table = table[table["region"] != RUSSIA]
    agree = {year: of[OLD].corr(of[NEW]) for year, of in table.groupby("year")}
    table = table.assign(
        difference=table[NEW] - table[OLD], correlation=table["year"].map(agree).astype(float)
    )
    columns = ["region", "year", OLD, NEW, "difference", "correlation"]
    return table[columns].sort_values(["region", "year"], ignore_index=True)
