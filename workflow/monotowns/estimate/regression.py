"""Least squares with high-dimensional fixed effects, fixest's small-sample rule.

Written here and not left to pyfixest or linearmodels because every specification is a job of its
own and their import alone takes longer than the estimation; the tests hold the numbers to both.
"""

from dataclasses import replace

import numpy as np

from monotowns.estimate import absorb
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

#: Draws of the sup-t statistic; its 95th percentile is then known to about .01.
BAND_DRAWS = 20_000
#: A regressor with no more than this share of its norm left is explained by the fixed effects.
ABSORBED = 1e-8


def drop_singletons(rows, fixed_effects):
    """Drop rows that are alone in a level of a fixed effect, until none is left.

    They are fitted exactly and say nothing of the slopes, but would count as observations and
    clusters (Correia 2015).
    """
    kept = -1
    while kept != len(rows):
        kept = len(rows)
        for effect in fixed_effects:
            rows = rows[rows.groupby(effect)[effect].transform("size") > 1]
    return rows.reset_index(drop=True)


def least_squares(
    rows, outcome, names, fixed_effects=(), cluster="region", weights=None, estimator="ols"
) -> Fit:
    """Regress an outcome on columns with fixed effects absorbed.

    Parameters
    ----------
    rows : pandas.DataFrame, n rows
        ``entity`` and the named columns, none missing.
    outcome : str
    names : sequence of str
        The ``k`` regressors; without fixed effects a constant is added and not reported.
    fixed_effects : sequence of str
        Columns absorbed; rows alone in a level are dropped.
    cluster : str
        Column of clusters.
    weights : str, optional
        Column of positive weights.

    Returns
    -------
    Fit
        One term a regressor; Student's t with clusters - 1 degrees of freedom, CRV1 covariance
        with ``G/(G-1) * (n-1)/(n-k)``, effects nested in the clusters not counted in ``k`` (fixest,
        Berge 2018). ``details`` holds what other variance estimators need: ``rows`` (the rows
        used), ``y``, ``X`` (demeaned, root-weighted), ``residuals``, ``r2_within``.

    Raises
    ------
    DesignError
        A regressor is explained by the fixed effects or by the others; fewer than two clusters.
    """
    where = f"{estimator} of {outcome}"
    used = drop_singletons(rows, fixed_effects)
    group, labels = absorb.codes(used[cluster], cluster)
    if len(labels) < 2:
        raise DesignError(where, "fewer than two clusters", keys=[cluster])
    effects = [absorb.codes(used[e], e)[0] for e in fixed_effects]
    root = None if weights is None else np.sqrt(used[weights].to_numpy(float))
    columns = used[[outcome, *names]].to_numpy(float)
    if not effects:
        effects = [np.zeros(len(used), dtype=int)]
    clean = absorb.demean(columns, effects, root=root)
    left = np.linalg.norm(clean, axis=0)[1:]
    whole = np.linalg.norm(columns if root is None else columns * root[:, None], axis=0)[1:]
    gone = [name for name, a, b in zip(names, left, whole, strict=True) if a <= ABSORBED * b]
    if gone:
        raise DesignError(where, "a regressor is explained by the fixed effects", keys=gone)
    y, X = clean[:, 0], clean[:, 1:]
    if np.linalg.matrix_rank(X / left) < len(names):
        raise DesignError(where, "the regressors explain one another", keys=names)
    bread = np.linalg.inv(X.T @ X)
    estimate = bread @ (X.T @ y)
    residuals = y - X @ estimate
    scores = X * residuals[:, None]
    sums = np.column_stack([np.bincount(group, s, len(labels)) for s in scores.T])
    n, k = len(used), len(names) + absorb.residual_degrees(effects, group)
    scale = len(labels) / (len(labels) - 1) * (n - 1) / (n - k)
    covariance = scale * bread @ (sums.T @ sums) @ bread
    terms = wald_terms(names, estimate, np.sqrt(np.diag(covariance)), df=len(labels) - 1)
    details = {
        "rows": used,
        "y": y,
        "X": X,
        "residuals": residuals,
        "r2_within": 1 - (residuals @ residuals) / (y @ y),
    }
    return Fit(
        terms,
        estimator,
        f"CRV1({cluster}), fixest small-sample correction",
        n,
        used["entity"].nunique(),
        len(labels),
        covariance,
        details,
    )


def by_year(rows, treatment, base):
    """Split a treatment into one column a year, the base year left out.

    Returns
    -------
    rows : pandas.DataFrame
        With the columns ``<treatment> in <year>``.
    names : list of str
        These columns in the order of the years.
    """
    years = [year for year in sorted(rows["year"].unique()) if year != base]
    columns = {f"{treatment} in {y}": rows[treatment] * (rows["year"] == y) for y in years}
    return rows.assign(**columns), list(columns)


def event_study(
    rows, outcome, names, controls=(), fixed_effects=(), cluster="region", weights=None, seed=0
) -> Fit:
    """Treatment by year.

    Parameters
    ----------
    rows, names
        From :func:`by_year`; the rest as in :func:`least_squares`.
    seed : int
        Of the uniform band.

    Returns
    -------
    Fit
        One term a year named by the year (the base year is not among them), the controls, and one
        term ``band`` whose estimate is the critical value of the uniform 95 per cent band of the
        years.
    """
    fit = least_squares(
        rows, outcome, [*names, *controls], fixed_effects, cluster, weights, "event_study"
    )
    terms = fit.terms.assign(term=[*(name[-4:] for name in names), *controls])
    band = sup_t(fit.covariance[: len(names), : len(names)], seed=seed)
    terms.loc[len(terms)] = ["band", band, *[np.nan] * 4]
    return replace(fit, terms=terms)


def sup_t(covariance, level=0.95, draws=BAND_DRAWS, seed=0) -> float:
    """Critical value of a uniform confidence band (Montiel Olea and Plagborg-Moller 2019).

    Parameters
    ----------
    covariance : array_like, shape (k, k)
        Covariance of the estimates that the band covers together.

    Returns
    -------
    float
        Between the pointwise normal and the Bonferroni value.
    """
    covariance = np.asarray(covariance, float)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    normal = np.random.default_rng(seed).standard_normal((draws, len(scale))) @ root.T
    return float(np.quantile(np.abs(normal).max(axis=1), level))
