"""The urban hierarchy: the rank-size rule (Zipf) and growth independent of size (Gibrat)."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from monotowns.estimate.record import TERMS, Fit, wald_terms
from monotowns.run.errors import DesignError


def _log_sizes(size, where, minimum=0.0):
    """Logs of the sizes from ``minimum`` on; refuses what no regression can be run on."""
    size = np.asarray(size, float)
    bad = ~(np.isfinite(size) & (size > 0))
    if bad.any():
        raise DesignError(where, "a size is not a positive number", keys=np.flatnonzero(bad))
    size = size[size >= minimum]
    if len(size) < 3 or np.ptp(size) == 0:
        raise DesignError(where, "fewer than three towns, or all of one size", found=len(size))
    return np.log(size)


def rank_size(size, minimum=0.0) -> Fit:
    """Pareto exponent of the upper tail from the regression of log(rank - 1/2) on log size.

    Gabaix and Ibragimov (2011): the shift of 1/2 removes the leading bias, and the standard error
    is ``b sqrt(2 / n)``; that of the regression is far too small as ranks are correlated.

    Parameters
    ----------
    size : array_like, shape (n,)
        Populations of the towns of one year; ties may stand in any order.
    minimum : float
        Smallest size that belongs to the tail, in the units of ``size``.

    Returns
    -------
    Fit
        Term ``exponent`` (1 is Zipf's law). Its p-value is that of Zipf's law, exponent = 1.

    Raises
    ------
    DesignError
        A size that is not positive, fewer than three sizes, or one size only in the tail.
    """
    tail = np.sort(_log_sizes(size, "rank-size rule", minimum))[::-1]
    n = len(tail)
    slope = sm.OLS(np.log(np.arange(1, n + 1) - 0.5), sm.add_constant(tail)).fit().params[1]
    error = -slope * np.sqrt(2 / n)
    terms = wald_terms(["exponent"], [-slope], [error])
    terms["p_value"] = 2 * stats.norm.sf(abs(-slope - 1) / error)
    return Fit(terms, "rank_size", "Gabaix-Ibragimov b sqrt(2/n)", n, n, n)


def gibrat(start, end, years) -> Fit:
    """Does growth depend on size, in its mean or in its variance?

    Gibrat's law says that neither does: growth of log size per year is regressed on log initial
    size, and then the squared residuals on the same. Heteroskedasticity-robust (HC1): a variance
    that falls with size is itself a finding of the second regression.

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
        Sizes not positive, fewer than three towns, or towns of one size.
    """
    start, end = (_log_sizes(size, "Gibrat's law") for size in (start, end))
    design = sm.add_constant(start)

    def regress(outcome):
        return sm.OLS(outcome, design).fit(cov_type="HC1", use_t=True)

    mean = regress((end - start) / years)
    variance = regress(mean.resid**2 / np.mean(mean.resid**2))
    n = len(start)
    rows = [
        [name, fit.params[1], fit.bse[1], *fit.conf_int()[1], fit.pvalues[1]]
        for name, fit in (("mean", mean), ("variance", variance))
    ]
    label = "heteroskedasticity-robust, fixest small-sample correction"
    return Fit(pd.DataFrame(rows, columns=TERMS), "gibrat", label, n, n, n)
