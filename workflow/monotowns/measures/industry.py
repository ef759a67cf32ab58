"""Measures of regional industry: real value added and specialisation."""

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError


def price_index(inflation: dict[int, float]) -> pd.Series:
    """Average price level of each year, the last year's = 1.

    From the change of consumer prices, December to December, per cent. A year's level is the
    geometric mean of the Decembers around it: a flow is earned over the year, not in December.
    """
    rate = np.log1p(pd.Series(inflation).rename(int).sort_index() / 100)
    gaps = set(range(rate.index[0], rate.index[-1] + 1)) - set(rate.index)
    if gaps:
        raise DesignError("deflator", "a year's inflation is missing", keys=sorted(gaps))
    middle = rate.cumsum() - rate / 2
    return np.exp(middle - middle.iloc[-1]).rename("price")


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
        ``shares`` with ``gva`` (million roubles of the table's last year). Region-years without GRP
        are left out: the structure printed there is that of a composite region.
    """
    frame = shares.merge(grp[["region", "year", "grp"]], on=["region", "year"])
    level = frame["year"].map(price)
    unpriced = frame.loc[level.isna(), "year"].unique()
    if len(unpriced):
        raise DesignError("deflator", "a year has no price level", keys=sorted(unpriced))
    # Of the table's last year, however far the price index reaches beyond it.
    level = level / price[frame["year"].max()]
    frame["gva"] = frame["share"] / 100 * frame.pop("grp") / level
    return frame


def krugman(gva: pd.DataFrame) -> pd.Series:
    """Specialisation of Krugman (1991) of every region against the rest of the country.

    The sum of absolute differences of shares, from 0 to 2, in a table of one year with ``region``,
    ``industry`` and ``gva``.
    """
    own = gva.pivot(index="region", columns="industry", values="gva")
    rest = own.sum() - own
    gap = own.div(own.sum(axis=1), axis=0) - rest.div(rest.sum(axis=1), axis=0)
    return gap.abs().sum(axis=1)
