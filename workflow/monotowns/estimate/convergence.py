"""Convergence: beta, sigma, and the Theil index within and between groups.

Convergence clubs are in :mod:`monotowns.estimate.clubs`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import statsmodels.api as sm

from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.regression import least_squares
from monotowns.run.errors import DesignError


def _wide(rows, outcome, where) -> pd.DataFrame:
    """Outcome by entity and year; refuses an entity that lacks a value in one of the years."""
    wide = rows.pivot(index="entity", columns="year", values=outcome)
    gaps = wide.index[wide.isna().any(axis=1)]
    if len(gaps) or wide.shape[1] < 2:
        raise DesignError(
            where,
            "an entity does not have all years, or there are fewer than two",
            keys=gaps,
            remedy="keep the balanced part",
        )
    return wide


def beta_convergence(rows, outcome, controls=(), fixed_effects=()) -> Fit:
    """Do poor entities grow faster? Annual growth on the initial level.

    Barro and Sala-i-Martin (1992): the slope of growth per year over T years on the initial log
    is ``b = -(1 - exp(-speed T)) / T``. Absolute without, conditional with controls or effects.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, ``region`` (the cluster) and the columns below, for the first and the
        last year of every entity.
    outcome : str
        In logs.
    controls, fixed_effects : sequence of str
        Columns whose value in the first year is held constant.

    Returns
    -------
    Fit
        Terms ``initial`` (b), the controls, ``speed`` (per year; delta method) and ``half_life``
        (years; its interval is that of the speed turned over, unbounded if the speed may be zero).
        Speed is missing if b is so steep that no speed gives it, half-life also under divergence.

    Raises
    ------
    DesignError
        An entity without both years, fewer than two clusters, or collinear controls.
    """
    ends = rows[rows["year"].isin([rows["year"].min(), rows["year"].max()])]
    wide = _wide(ends, outcome, "beta convergence")
    first, last = wide.columns
    years = last - first
    cross = ends[ends["year"] == first].set_index("entity").loc[wide.index]
    cross = cross.assign(initial=wide[first], growth=(wide[last] - wide[first]) / years)
    fit = least_squares(cross.reset_index(), "growth", ["initial", *controls], fixed_effects)
    slope, error = fit["initial"][["estimate", "standard_error"]]
    left = max(1 + slope * years, 0.0) or np.nan
    rate = wald_terms(["speed"], [-np.log(left) / years], [error / left], df=fit.n_clusters - 1)
    speed, low, high = rate.loc[0, ["estimate", "ci_low", "ci_high"]]
    half = rate.assign(
        term="half_life",
        estimate=np.log(2) / speed if speed > 0 else np.nan,
        standard_error=rate["standard_error"] * np.log(2) / speed**2,
        ci_low=np.log(2) / high if high > 0 else np.inf,
        ci_high=np.log(2) / low if low > 0 else np.inf,
    )
    terms = pd.concat([fit.terms, rate, half], ignore_index=True)
    return replace(fit, terms=terms, estimator="beta_convergence", details={})


def sigma_convergence(rows, outcome) -> Fit:
    """Does the dispersion of entities fall over time?

    The standard deviation over entities is taken year by year and its trend by least squares. It
    is to first order the mean over entities of ``s + (d^2 - s^2) / 2 s``, with the deviation d of
    an entity from the mean of the year: a regression of these on years gives the standard
    deviations, and clustered errors that allow for any dependence over time and within clusters.

    Parameters
    ----------
    rows : pandas.DataFrame
        Balanced ``entity``, ``year``, ``region`` (the cluster) and the outcome.
    outcome : str
        In logs.

    Returns
    -------
    Fit
        Terms ``trend`` (change of the standard deviation per year) and one a year, named by it;
        correction G / (G - 1), Student's t with clusters - 1 degrees of freedom.

    Raises
    ------
    DesignError
        An unbalanced panel, a year without dispersion, fewer than two clusters.
    """
    where = "sigma convergence"
    wide = _wide(rows, outcome, where)
    group = pd.factorize(rows.groupby("entity")["region"].first())[0]
    clusters = group.max() + 1
    spread = wide.std(ddof=0)
    if clusters < 2 or (spread == 0).any():
        raise DesignError(
            where, "no dispersion, or fewer than two clusters", keys=wide.columns[spread == 0]
        )
    parts = spread + ((wide - wide.mean()) ** 2 - spread**2) / (2 * spread)
    count, periods = wide.shape
    by_cluster = {"groups": np.repeat(group, periods), "use_correction": False}
    years = np.tile(np.eye(periods), (count, 1))
    fit = sm.OLS(parts.to_numpy().ravel(), years).fit(cov_type="cluster", cov_kwds=by_cluster)
    centred = wide.columns.to_numpy(float) - np.mean(wide.columns)
    weight = np.vstack([centred / (centred @ centred), np.eye(periods)])
    error = np.sqrt(np.diag(weight @ fit.cov_params() @ weight.T) * clusters / (clusters - 1))
    names = ["trend", *map(str, wide.columns)]
    return Fit(
        wald_terms(names, weight @ fit.params, error, df=clusters - 1),
        "sigma_convergence",
        "CRV1(region) of influence functions, G / (G - 1)",
        wide.size,
        count,
        clusters,
    )


def theil(value, weight, group) -> pd.Series:
    """Theil's T index of a value per head, split exactly within and between groups.

    With income shares s and population shares p, ``T = sum s log(s / p)`` (Theil 1967); between
    groups the same of group totals, within groups the income-weighted mean of the groups' own T.

    Parameters
    ----------
    value : array_like, shape (n,)
        Per head, positive.
    weight : array_like, shape (n,)
        Population, positive.
    group : array_like, shape (n,)
        Label of the group.

    Returns
    -------
    pandas.Series
        ``total``, ``between`` and ``within``.

    Raises
    ------
    DesignError
        A value or a weight is missing or not positive.
    """
    value, weight = np.asarray(value, float), np.asarray(weight, float)
    bad = ~((value > 0) & (weight > 0))
    if bad.any():
        raise DesignError(
            "Theil index", "a value or a weight is not positive", keys=np.flatnonzero(bad)
        )
    shares = pd.DataFrame({"income": value * weight, "people": weight})
    shares /= shares.sum()
    groups = shares.groupby(np.asarray(group)).sum()
    total, between = (
        (s["income"] * np.log(s["income"] / s["people"])).sum() for s in (shares, groups)
    )
    return pd.Series({"total": total, "between": between, "within": total - between})
