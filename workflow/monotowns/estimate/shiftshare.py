"""Shift-share regressors ``x_i = sum_s w_is g_s``: inference by shocks, not by units.

Units with similar shares have correlated residuals whatever the distance between them, so that
the usual standard errors are too small; what varies independently are the shocks g_s. No Python
package offers these errors, the weights or a permutation of shocks (statsmodels 0.15, linearmodels
7.1, pyfixest 0.60, diff-diff 3.13); R has ShiftShareSE. linearmodels carries the regression over
shocks.

Outcome and regressor come with fixed effects and controls absorbed or raw; a constant is always
partialled out here.
"""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from monotowns.estimate import absorb
from monotowns.estimate.instrumental import anderson_rubin_set
from monotowns.estimate.randomization import TIE, RandomizationTest
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

WHERE = "shift-share design"
#: Singular values of the shares below this part of the largest are rounding.
COLLINEAR = 1e-8
#: A row's exposure net of effects below this is zero: log points of growth, of order 1.
ROUNDING = 1e-12


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


def net_of_others(fit) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and first regressor of a fit, shape (n,) each, net of its effects and controls.

    ``fit`` is from :func:`.regression.least_squares`, unweighted.
    """
    y, X = fit.details["y"], fit.details["X"]
    both = net_of(np.column_stack([y, X[:, 0]]), X[:, 1:])
    return both[:, 0], both[:, 1]


def net_of(columns, others):
    """Residuals of columns, shape (n, k), on others, shape (n, m); all net of the same effects."""
    return columns - others @ np.linalg.lstsq(others, columns)[0]


def by_shock(y, x, shares, shocks) -> Fit:
    """The same effect from a regression over shocks (Borusyak, Hull and Jaravel 2022).

    Outcome and regressor are averaged over the units by their exposure to each shock; the shock is
    the instrument of the second, total exposure the weight.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Outcome and ``shares @ shocks``, net of effects and controls, the sum of shares among them.
        Nobody's region may be left out of the shocks: the estimate is then that of the units.
    shares : array_like, shape (n, S)
    shocks : array_like, shape (S,)

    Returns
    -------
    Fit
        One term ``exposure``; errors robust to heteroskedasticity with factor S/(S-2), Student's t
        with S-2 degrees of freedom; ``n_clusters`` is the number of shocks.
    """
    from linearmodels.iv import IV2SLS

    shares = np.asarray(shares, float)
    exposure, count = shares.sum(axis=0), shares.shape[1]
    if count < 3:
        raise DesignError(WHERE, "fewer than three shocks", found=count)
    outcome, regressor = ((shares.T @ np.asarray(v, float)) / exposure for v in (y, x))
    model = IV2SLS(outcome, np.ones(count), regressor, np.asarray(shocks, float), weights=exposure)
    found = model.fit(cov_type="robust", debiased=True)
    terms = wald_terms(
        ["exposure"], [found.params.iloc[1]], [found.std_errors.iloc[1]], df=count - 2
    )
    name = "BHJ (shocks), heteroskedasticity-robust, S/(S-2)"
    return Fit(terms, "shift_share", name, len(y), len(y), count)


def permute_shocks(fit, shares, growth, draws=999, seed=0) -> RandomizationTest:
    """Test of no effect by permuting the shocks between the groups.

    The shares stay, every group is given another's shock, and the regression is run anew with the
    same effects and controls. Exact under the sharp null if shocks are exchangeable between groups,
    however few they are and however the units' errors are correlated.

    Parameters
    ----------
    fit : Fit
        From :func:`.regression.least_squares`, unweighted; its first regressor is the exposure.
    shares, growth : array_like, shape (n, S)
        Of the rows of the fit (``details["rows"]``): shares of the groups, zero for a unit without
        any, and the growth of each group that the unit meets (outside its region). With the same
        seed and S, the same permutations: they may be shared between outcomes.

    Returns
    -------
    RandomizationTest
        The t statistic by the fit's clusters without small-sample factor, the two-sided p-value
        ``(b + 1) / (draws + 1)``, and the statistics of the draws.

    Raises
    ------
    DesignError
        A growth is missing.
    """
    shares, growth = np.asarray(shares, float), np.asarray(growth, float)
    absorb.require_finite(WHERE, shares=shares, growth=growth)
    (n, count), X = shares.shape, fit.details["X"]
    # Column (s, t): what units would meet in group s if it had the shock of group t.
    met = (shares[:, :, None] * growth[:, None, :]).reshape(n, -1)
    met = net_of(absorb.demean(met, fit.details["effects"]), X[:, 1:]).reshape(n, count, count)
    group = absorb.codes(fit.details["raw"][2])[0]
    order = np.argsort(group, kind="stable")
    # Rows without an exposed unit beside them add to no sum.
    order = order[np.abs(met[order]).max(axis=(1, 2)) > ROUNDING]
    start = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0])
    y, met = net_of_others(fit)[0][order], met[order]

    def statistic(permutation):
        x = met[:, np.arange(count), permutation].sum(axis=1)
        moment = x @ y
        score = np.add.reduceat(x * (y - moment / (x @ x) * x), start)
        return moment / np.linalg.norm(score)

    rng = np.random.default_rng(seed)
    observed = statistic(np.arange(count))
    drawn = np.array([statistic(rng.permutation(count)) for _ in range(draws)])
    extreme = int((np.abs(drawn) >= (1 - TIE) * abs(observed)).sum())
    return RandomizationTest(float(observed), (extreme + 1) / (draws + 1), drawn)
