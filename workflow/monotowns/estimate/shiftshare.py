"""Shift-share regressors ``x_i = sum_s w_is g_s``: inference by shocks, not by units.

Units with similar shares have correlated residuals whatever the distance between them, so that
the usual standard errors are too small; what varies independently are the shocks g_s. No Python
package offers these errors or the weights (statsmodels 0.15, linearmodels
7.1, pyfixest 0.60, diff-diff 3.13); R has ShiftShareSE.

Outcome and regressor come with fixed effects and controls absorbed or raw; a constant is always
partialled out here.
"""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from monotowns.estimate.instrumental import anderson_rubin_set
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

WHERE = "shift-share design"
#: Singular values of the shares below this part of the largest are rounding.
COLLINEAR = 1e-8


def fit(y, x, shares, null_imposed=False) -> Fit:
    """Effect of a shift-share regressor with the errors of Adao, Kolesar and Morales (2019).

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Outcome and shift-share regressor.
    shares : array_like, shape (n, S)
        Exposure of units to shocks, never absorbed.
    null_imposed : bool
        AKM0 instead of AKM: wider with few shocks, and asymmetric. Its ``details["set"]`` may be
        unbounded or disjoint; the term then gives the hull and no standard error.

    Returns
    -------
    Fit
        One term ``exposure``, without a small-sample correction, as there; ``n_clusters`` is the
        number of shocks.
    """
    y, x, shares = (np.asarray(v, float) for v in (y, x, shares))
    y, x, count = y - y.mean(), x - x.mean(), shares.shape[1]
    # The shocks net of controls: the regression of x on the shares.
    latent, _, rank, _ = np.linalg.lstsq(shares, x, rcond=COLLINEAR)
    if count < 2:
        raise DesignError(WHERE, "fewer than two independent shocks", found=count)
    if rank < count:
        raise DesignError(
            WHERE,
            "the shares are collinear",
            expected=f"rank {count}",
            found=f"rank {rank}",
            remedy="join or leave out columns",
        )
    model = sm.OLS(y, x).fit()
    estimate, relevance = model.params[0], x @ x

    def score(v):
        return latent * (shares.T @ v)

    error = np.linalg.norm(score(model.resid)) / relevance
    terms, details = wald_terms(["exposure"], [estimate], [error]), {}
    if null_imposed:
        # The test of b has the moment sum x (y - b x) and the variance of its shock sums, both
        # without the estimate: the same inversion as Anderson and Rubin's.
        parts = np.stack([score(y), score(x)])
        moment = x @ y
        accepted = anderson_rubin_set(
            [moment], [relevance], (parts @ parts.T)[:, :, None, None], np.inf
        )
        low, high = accepted[0][0], accepted[-1][1]
        width = (high - low) / (2 * stats.norm.ppf(0.975))
        p_value = stats.chi2.sf(moment**2 / np.sum(parts[0] ** 2), 1)
        terms["standard_error"] = width if np.isfinite(width) else np.nan
        terms[["ci_low", "ci_high", "p_value"]] = [low, high, p_value]
        details["set"] = accepted
    name = f"{'AKM0' if null_imposed else 'AKM'} (shocks), no small-sample correction"
    return Fit(terms, "shift_share", name, len(y), len(y), count, details=details)


def rotemberg(y, shares: pd.DataFrame, shocks: pd.Series) -> pd.DataFrame:
    """What each shock contributes to the estimate.

    Goldsmith-Pinkham, Sorkin and Swift (2020), after Rotemberg (1983): the estimate is the weighted
    sum of the estimates that use one share at a time as instrument. As the shares add up to one the
    weights would depend on the level of the shocks, which is arbitrary: deviations from their mean
    are taken. A row a shock: ``shock``, ``weight`` (they sum to one and may be negative),
    ``estimate`` (just-identified), ``exposure`` (share of all exposure), ``growth``.
    """
    y, x = np.asarray(y, float), (shares @ shocks).to_numpy()
    first = shares.T @ (x - x.mean())
    weight = (shocks - shocks.mean()) * first
    table = {
        "weight": weight / weight.sum(),
        "estimate": shares.T @ (y - y.mean()) / first,
        "exposure": shares.mean(),
        "growth": shocks,
    }
    return pd.DataFrame(table).rename_axis("shock").reset_index()


def effective_shocks(shares) -> float:
    """Effective number of shocks: inverse Herfindahl index of their exposures.

    Borusyak, Hull and Jaravel (2022): inference rests on this number, not on that of the units.
    """
    exposure = np.asarray(shares, float).mean(axis=0)
    return float(exposure.sum() ** 2 / np.sum(exposure**2))
