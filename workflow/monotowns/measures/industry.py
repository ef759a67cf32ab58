"""Measures of regional industry: real value added, concentration, specialisation."""

import numpy as np
import pandas as pd

from monotowns.measures.classification import refuse_doubled, refuse_missing
from monotowns.run.errors import DesignError


def price_index(inflation: dict[int, float]) -> pd.Series:
    """Average price level of each year, the last year's = 1.

    Parameters
    ----------
    inflation : dict
        Year -> change of consumer prices, December to December, per cent; years without a gap.

    Returns
    -------
    pandas.Series
        Indexed by ``year``. A year's level is the geometric mean of the Decembers around it: a
        flow is earned over the year, not in December.

    Raises
    ------
    DesignError
        A year between the first and the last is missing.
    """
    years = sorted(int(year) for year in inflation)
    gaps = sorted(set(range(years[0], years[-1] + 1)) - set(years))
    if gaps:
        raise DesignError("deflator", "a year's inflation is missing", keys=gaps)
    rate = np.log1p([inflation[year] / 100 for year in years])
    middle = np.cumsum(rate) - rate / 2
    return pd.Series(np.exp(middle - middle[-1]), index=pd.Index(years, name="year"), name="price")


def real_gva(shares: pd.DataFrame, grp: pd.DataFrame, price: pd.Series) -> pd.DataFrame:
    """Value added of each activity at constant consumer prices: share x GRP / price level.

    Regional deflators of sections are not published, so this is what the value added buys, not a
    volume index: a metal boom raises it.

    Parameters
    ----------
    shares : pandas.DataFrame
        ``region``, ``year``, ``share`` (per cent) and any other columns, which are kept.
    grp : pandas.DataFrame
        ``region``, ``year``, ``grp`` (million roubles at current basic prices).
    price : pandas.Series
        See :func:`price_index`.

    Returns
    -------
    pandas.DataFrame
        ``shares`` with ``gva`` (million roubles of the index's base year). Region-years without GRP
        are left out: the structure printed there is that of a composite region.

    Raises
    ------
    DesignError
        GRP is doubled or not positive, or a year has no price.
    """
    refuse_doubled(grp, ["region", "year"], "GRP")
    bad = ~(grp["grp"] > 0)
    if bad.any():
        rows = grp.loc[bad, ["region", "year"]].itertuples(index=False, name=None)
        raise DesignError("GRP", "not a positive number", keys=rows)
    frame = shares.merge(grp[["region", "year", "grp"]], on=["region", "year"], how="inner")
    level = frame["year"].map(price)
    if level.isna().any():
        raise DesignError(
            "deflator",
            "a year has no price level",
            keys=sorted(frame.loc[level.isna(), "year"].unique()),
        )
    frame["gva"] = frame["share"] / 100 * frame.pop("grp") / level
    return frame


def location_quotient(shares, reference):
    """Location quotient: a region's share of an activity over the reference's (broadcasts)."""
    return np.asarray(shares, float) / np.asarray(reference, float)


def herfindahl(shares):
    """Hirschman-Herfindahl concentration, from 1/k (even) to 1 (one activity).

    Parameters
    ----------
    shares : array_like, shape (..., k)
        Not negative, in any unit; rows are scaled to add up to 1.

    Returns
    -------
    numpy.ndarray, shape (...)
    """
    shares = np.asarray(shares, float)
    return ((shares / shares.sum(axis=-1, keepdims=True)) ** 2).sum(axis=-1)


def krugman(shares, reference):
    """Specialisation of Krugman (1991): sum of absolute differences of shares, from 0 to 2.

    Parameters
    ----------
    shares, reference : array_like, shape (..., k)
        Not negative; rows are scaled to add up to 1.

    Returns
    -------
    numpy.ndarray, shape (...)
    """
    own, other = (np.asarray(v, float) for v in (shares, reference))
    own, other = (v / v.sum(axis=-1, keepdims=True) for v in (own, other))
    return np.abs(own - other).sum(axis=-1)


def specialisation(gva: pd.DataFrame) -> pd.DataFrame:
    """Concentration and specialisation of each region and year over the comparable groups.

    Parameters
    ----------
    gva : pandas.DataFrame
        ``region``, ``year``, ``group``, ``gva``: every group of every region-year. Two regions a
        year at least.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``lq_manufacturing``, ``hhi``, ``krugman``; the quotient and
        Krugman's index are against the rest of the country, the own region left out.

    Raises
    ------
    DesignError
        A group is missing or a year has one region only.
    """
    wide = gva.pivot(index=["year", "region"], columns="group", values="gva")
    refuse_missing(wide.reset_index(), list(wide), ["region", "year"], "value added by group")
    alone = wide.groupby("year").size() < 2
    if alone.any():
        raise DesignError("value added by group", "no other region", keys=alone[alone].index)
    rest = wide.groupby("year").transform("sum") - wide
    share, other = (v.div(v.sum(axis=1), axis=0)["manufacturing"] for v in (wide, rest))
    table = pd.DataFrame(
        {
            "lq_manufacturing": location_quotient(share, other),
            "hhi": herfindahl(wide),
            "krugman": krugman(wide, rest),
        },
        index=wide.index,
    )
    return table.reset_index().sort_values(["region", "year"], ignore_index=True)[
        ["region", "year", "lq_manufacturing", "hhi", "krugman"]
    ]
