"""One break in a series' growth: its date, how sure the date is, and whether there is one.

ruptures (1.1) dates a break without a test or a confidence set; statsmodels (0.15) tests stability
(``breaks_cusumolsresid``, ``breaks_hansen``) without a date.
"""

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError


def break_dates(series, draws, seed, trim=3, level=0.95) -> pd.DataFrame:
    """Least-squares date of one break in the mean yearly change of each series.

    Bai and Perron (1998) with one break, all that a dozen changes can carry. The confidence set
    holds the dates that the likelihood ratio does not reject: statistic
    ``n (SSR(date) - SSR(best)) / SSR(best)``, critical value ``-2 log(1 - sqrt(level))`` (Hansen
    2000, for thresholds; Eo and Morley 2015, for dates). It is asymptotic; the test of a break is
    not: the largest F over dates is compared with that of the same changes in random order.

    Parameters
    ----------
    series : pandas.DataFrame
        Regions down, consecutive years across; logs for growth rates. Missing years only before
        the first or after the last observed one.
    draws, seed : int
        Permutations; the same order of years for all series.
    trim : int
        Least number of changes on either side.
    level : float
        Of the confidence set.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``break_year`` (last year of the old growth rate), ``break_low``,
        ``break_high`` (hull of the confidence set), ``break_p``. Series with fewer than
        ``2 trim + 2`` changes have no row.

    Raises
    ------
    DesignError
        Years are not consecutive, a series has a gap or never changes at its own rate.
    """
    years = np.array(series.columns)
    if (np.diff(years) != 1).any():
        raise DesignError("break dates", "years are not consecutive", found=list(years))
    key = np.random.default_rng(seed).random((draws, len(years)))
    rows = []
    for region, row in zip(series.index, series.to_numpy(float), strict=True):
        seen = np.flatnonzero(~np.isnan(row))
        if len(seen) < 2 * trim + 3:
            continue
        if (np.diff(seen) != 1).any():
            raise DesignError("break dates", "a year is missing within a series", keys=[region])
        change = np.diff(row[seen])
        if np.ptp(change) < 1e-12 * max(1, np.abs(change).max()):
            raise DesignError("break dates", "a series grows at one exact rate", keys=[region])
        within = _residual(change[None], trim)[0]
        best = within.argmin()
        ratio = len(change) * (within / within[best] - 1)
        inside = np.flatnonzero(ratio <= -2 * np.log(1 - np.sqrt(level)))
        # The total sum of squares is the same in every order: the least residual decides.
        order = np.argsort(key[:, seen[1:]], axis=1)
        chance = _residual(change[order], trim).min(axis=1)
        as_low = (chance <= within[best] * (1 + 1e-9)).sum()
        date = years[seen[trim]] + np.array([best, inside[0], inside[-1]])
        rows.append((region, *date, (1 + as_low) / (1 + draws)))
    columns = ["region", "break_year", "break_low", "break_high", "break_p"]
    return pd.DataFrame(rows, columns=columns)


def _residual(change, trim):
    """Sum of squares around two means, one column a date; (m, n) gives (m, n - 2 trim + 1)."""
    n = change.shape[1]
    left = np.arange(trim, n - trim + 1)
    total = np.cumsum(change, axis=1)
    first, all_ = total[:, left - 1], total[:, -1:]
    explained = first**2 / left + (all_ - first) ** 2 / (n - left)
    return (change**2).sum(axis=1, keepdims=True) - explained
