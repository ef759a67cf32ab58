"""Convergence: beta, sigma, and the Theil index within and between groups.

Convergence clubs are in :mod:`monotowns.estimate.clubs`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.regression import least_squares
from monotowns.run.errors import DesignError


def _refuse_missing(rows, columns, where):
    missing = rows[columns].isna().any(axis=1)
    if missing.any():
        raise DesignError(
            where,
            "values are missing",
            keys=rows.index[missing],
            found=[c for c in columns if rows[c].isna().any()],
        )


def _wide(rows, outcome, cluster, where):
    """Outcome by entity and year of a balanced panel."""
    _refuse_missing(rows, ["entity", "year", outcome, cluster], where)
    if rows[cluster].nunique() < 2:
        raise DesignError(where, "fewer than two clusters", keys=[cluster])
    doubled = rows.duplicated(["entity", "year"])
    if doubled.any():
        keys = rows.loc[doubled, ["entity", "year"]].itertuples(index=False, name=None)
        raise DesignError(where, "an entity-year stands twice", keys=keys)
    wide = rows.pivot(index="entity", columns="year", values=outcome)
    gaps = wide.index[wide.isna().any(axis=1)]
    if len(gaps):
        raise DesignError(
            where,
            "an entity does not have all years",
            keys=gaps,
            remedy="keep the balanced part, or fewer years",
        )
    if wide.shape[1] < 2:
        raise DesignError(where, "fewer than two years", found=list(wide.columns))
    return wide


def beta_convergence(
    rows, outcome, controls=(), fixed_effects=(), cluster="region", level=0.95
) -> Fit:
    """Do poor entities grow faster? Annual growth on the initial level.

    Barro and Sala-i-Martin (1992): the slope of growth per year over T years on the initial log
    is ``b = -(1 - exp(-speed T)) / T``. Absolute without, conditional with controls or effects.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year`` and the columns below for the first and the last year of every entity.
    outcome : str
        In logs.
    controls, fixed_effects : sequence of str
        Columns whose value in the first year is held constant, e.g. region effects.
    cluster : str
        Column of the clusters.

    Returns
    -------
    Fit
        Terms ``initial`` (b), the controls, ``speed`` (per year; delta method) and ``half_life``
        (years; its interval is that of the speed turned over, unbounded if the speed may be zero).
        Speed is missing if b is so steep that no speed gives it, half-life also under divergence.

    Raises
    ------
    DesignError
        Values missing, an entity-year that stands twice, an entity without both years, fewer than
        two clusters, or collinear controls.
    """
    ends = rows[rows["year"].isin([rows["year"].min(), rows["year"].max()])]
    where = "beta convergence"
    wide = _wide(ends, outcome, cluster, where)
    first, last = wide.columns
    years = last - first
    cross = ends[ends["year"] == first].set_index("entity").loc[wide.index].reset_index()
    cross = cross.assign(
        initial=wide[first].to_numpy(), growth=((wide[last] - wide[first]) / years).to_numpy()
    )
    _refuse_missing(cross, [*controls, *fixed_effects], where)
    kept = ["initial", *controls]
    fit = least_squares(cross, "growth", kept, fixed_effects, cluster)
    df = fit.n_clusters - 1
    by_term = fit.terms.set_index("term")
    terms = wald_terms(
        kept, by_term.loc[kept, "estimate"], by_term.loc[kept, "standard_error"], level=level, df=df
    )
    slope, error = by_term.loc["initial", ["estimate", "standard_error"]]
    left = max(1 + slope * years, 0.0) or np.nan
    rate = wald_terms(["speed"], [-np.log(left) / years], [error / left], level=level, df=df)
    speed, low, high = rate.loc[0, ["estimate", "ci_low", "ci_high"]]
    half = rate.assign(
        term="half_life",
        estimate=np.log(2) / speed if speed > 0 else np.nan,
        standard_error=rate["standard_error"] * np.log(2) / speed**2,
        ci_low=np.log(2) / high if high > 0 else np.inf,
        ci_high=np.log(2) / low if low > 0 else np.inf,
    )
    return replace(
        fit,
        terms=pd.concat([terms, rate, half], ignore_index=True),
        estimator="beta_convergence",
        details={"years": int(years)},
    )


def sigma_convergence(rows, outcome, cluster="region", level=0.95) -> Fit:
    """Does the dispersion of entities fall over time?

    The standard deviation over entities is taken year by year and its trend by least squares. Both
    are smooth functions of entity means: errors are those of their influence functions summed by
    cluster, so that any dependence over time and within clusters is allowed for.

    Parameters
    ----------
    rows : pandas.DataFrame
        Balanced ``entity``, ``year``, the outcome and ``cluster`` (constant within entities).
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
        Values missing, an unbalanced panel, a year without dispersion, fewer than two clusters.
    """
    where = "sigma convergence"
    wide = _wide(rows, outcome, cluster, where)
    groups = rows.drop_duplicates("entity").set_index("entity", drop=False)
    groups = groups.loc[wide.index, cluster]
    count, clusters = len(wide), groups.nunique()
    deviation = wide.to_numpy(float) - wide.to_numpy(float).mean(axis=0)
    spread = np.sqrt(np.mean(deviation**2, axis=0))
    if (spread == 0).any():
        raise DesignError(where, "no dispersion", keys=wide.columns[spread == 0])
    years = wide.columns.to_numpy(float)
    centred = years - years.mean()
    weight = np.column_stack([centred / (centred @ centred), np.eye(len(years))])
    influence = (deviation**2 - spread**2) / (2 * spread) / count @ weight
    sums = pd.DataFrame(influence).groupby(groups.to_numpy()).sum().to_numpy()
    covariance = clusters / (clusters - 1) * sums.T @ sums
    terms = wald_terms(
        ["trend", *map(str, wide.columns)],
        spread @ weight,
        np.sqrt(np.diag(covariance)),
        level=level,
        df=clusters - 1,
    )
    return Fit(
        terms,
        "sigma_convergence",
        f"CRV1({cluster}) of influence functions, G / (G - 1)",
        wide.size,
        count,
        clusters,
        covariance,
    )


def theil(value, weight, group) -> pd.DataFrame:
    """Theil's T index of a value per head, split exactly within and between groups.

    With income shares s and population shares p, ``T = sum s log(s / p)`` (Theil 1967); between
    groups the same of group totals, within groups the income-weighted mean of the groups' own T.

    Parameters
    ----------
    value : array_like, shape (n,)
        Per head, not negative, not all zero in a group.
    weight : array_like, shape (n,)
        Population, positive.
    group : array_like, shape (n,)
        Label of the group.

    Returns
    -------
    pandas.DataFrame
        Indexed by component: ``total``, ``between``, ``within`` and one ``group <label>`` each
        (its contribution to ``within``). Columns ``theil``, ``share`` of the total, ``income`` and
        ``population`` shares (of groups).

    Raises
    ------
    DesignError
        Values missing or negative, weights not positive, a group without income.
    """
    rows = pd.DataFrame(
        {
            "value": np.asarray(value, float),
            "weight": np.asarray(weight, float),
            "group": np.asarray(group),
        }
    )
    bad = rows.isna().any(axis=1) | (rows["value"] < 0) | (rows["weight"] <= 0)
    if bad.any():
        raise DesignError(
            "Theil index",
            "values below zero or missing, or weights not positive",
            keys=rows.index[bad],
        )
    rows["income"] = rows["value"] * rows["weight"]
    totals = rows.groupby("group")[["income", "weight"]].sum()
    if (totals["income"] == 0).any():
        raise DesignError(
            "Theil index", "a group without income", keys=totals.index[totals["income"] == 0]
        )
    of_all = totals / totals.sum()

    def index(income, population):
        # x log x is 0 at 0: who has nothing adds nothing.
        ratio = np.where(income > 0, income / population, 1.0)
        return income * np.log(ratio)

    between = index(of_all["income"], of_all["weight"]).sum()
    inside = rows[["income", "weight"]] / totals.loc[rows["group"]].to_numpy()
    own = pd.Series(index(inside["income"], inside["weight"])).groupby(rows["group"]).sum()
    within = own * of_all["income"]
    shares = rows[["income", "weight"]] / totals.sum()
    total = index(shares["income"], shares["weight"]).sum()
    names = ["total", "between", "within", *(f"group {label}" for label in own.index)]
    table = pd.DataFrame({"theil": [total, between, within.sum(), *within]}, index=names)
    table["share"] = table["theil"] / total
    table["income"] = [1.0, np.nan, np.nan, *of_all["income"]]
    table["population"] = [1.0, np.nan, np.nan, *of_all["weight"]]
    return table.rename_axis("component")
