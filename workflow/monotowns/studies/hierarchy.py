"""The urban hierarchy: the rank-size rule (Zipf) and growth independent of size (Gibrat)."""

import numpy as np
import pandas as pd
from scipy import stats

from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError


def _sizes(size, name):
    size = np.asarray(size, float)
    bad = ~(np.isfinite(size) & (size > 0))
    if bad.any():
        raise DesignError(
            name,
            "a size is not a positive number",
            keys=np.flatnonzero(bad),
            found=size[bad][:5].tolist(),
        )
    return size


def rank_size(size, minimum=0.0, level=0.95) -> Fit:
    """Pareto exponent of the upper tail from the regression of log(rank - 1/2) on log size.

    Gabaix and Ibragimov (2011): the shift of 1/2 removes the leading bias, and the standard error
    is ``b sqrt(2 / n)``; that of the regression is far too small as ranks are correlated.

    Parameters
    ----------
    size : array_like, shape (n,)
        Populations of the towns of one year; ties may stand in any order.
    minimum : float
        Smallest size that belongs to the tail, in the units of ``size``.
    level : float
        Coverage of the interval.

    Returns
    -------
    Fit
        Term ``exponent`` (1 is Zipf's law). Its p-value is that of Zipf's law, exponent = 1.

    Raises
    ------
    DesignError
        A size that is not positive, or fewer than three sizes, or one size only in the tail.
    """
    size = _sizes(size, "rank-size rule")
    tail = np.sort(size[size >= minimum])[::-1]
    if len(tail) < 3 or tail[0] == tail[-1]:
        raise DesignError(
            "rank-size rule",
            "the tail has too few different sizes",
            expected="at least 3 towns, not all equal",
            found=len(tail),
        )
    slope = np.polynomial.Polynomial.fit(
        np.log(tail), np.log(np.arange(1, len(tail) + 1) - 0.5), 1
    ).convert()
    exponent = -slope.coef[1]
    error = exponent * np.sqrt(2 / len(tail))
    terms = wald_terms(["exponent"], [exponent], [error], level=level)
    terms["p_value"] = 2 * stats.norm.sf(abs(exponent - 1) / error)
    return Fit(terms, "rank_size", "Gabaix-Ibragimov b sqrt(2/n)", len(tail), len(tail), len(tail))


def gibrat(start, end, years, level=0.95) -> Fit:
    """Does growth depend on size, in its mean or in its variance?

    Gibrat's law says that neither does: growth of log size per year is regressed on log initial
    size, and then the squared residuals on the same. Heteroskedasticity-robust (fixest's
    correction): a variance that falls with size is itself a finding of the second regression.

    Parameters
    ----------
    start, end : array_like, shape (n,)
        Sizes of the same towns in the first and the last year.
    years : float
        Years between them.

    Returns
    -------
    Fit
        Terms ``mean`` (change of annual growth per log point of initial size) and ``variance``
        (change of the squared deviation of annual growth, relative to its mean over all towns).

    Raises
    ------
    DesignError
        Sizes not positive, lengths that differ, fewer than three towns, or towns of one size.
    """
    import pyfixest

    start, end = _sizes(start, "Gibrat's law"), _sizes(end, "Gibrat's law")
    if len(start) != len(end) or len(start) < 3 or np.ptp(start) == 0:
        raise DesignError(
            "Gibrat's law",
            "no regression on these sizes",
            expected="the same 3 or more towns twice, not all of one size",
            found=(len(start), len(end)),
        )
    rows = pd.DataFrame({"size": np.log(start), "growth": np.log(end / start) / years})
    mean = pyfixest.feols("growth ~ size", rows, vcov="hetero")
    rows["spread"] = mean.resid() ** 2 / np.mean(mean.resid() ** 2)
    variance = pyfixest.feols("spread ~ size", rows, vcov="hetero")
    terms = wald_terms(
        ["mean", "variance"],
        [mean.coef()["size"], variance.coef()["size"]],
        [mean.se()["size"], variance.se()["size"]],
        level=level,
        df=len(rows) - 2,
    )
    return Fit(
        terms,
        "gibrat",
        "heteroskedasticity-robust, fixest small-sample correction",
        len(rows),
        len(rows),
        len(rows),
    )


def hierarchy_fits(towns, rows, tails) -> dict:
    """Rank-size rule of towns over several tails, and Gibrat's law of entities.

    Parameters
    ----------
    towns : array_like
        Populations of the towns of one year.
    rows : pandas.DataFrame
        Balanced ``entity``, ``year``, ``population``.
    tails : sequence of int
        Least populations of a town.

    Returns
    -------
    dict
        ``zipf_<least population>`` and ``gibrat`` -> Fit.
    """
    wide = rows.pivot(index="entity", columns="year", values="population")
    first, last = wide.columns[[0, -1]]
    return {f"zipf_{least}": rank_size(towns, least) for least in tails} | {
        "gibrat": gibrat(wide[first], wide[last], last - first)
    }
