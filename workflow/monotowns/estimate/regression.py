"""Least squares and event studies with absorbed effects: statsmodels on projected columns.

statsmodels 0.15 fits and clusters; what it lacks is put on top: dropping singletons, fixest's
small-sample factor with effects nested in the clusters not counted, and the uniform band.
"""

from dataclasses import replace

import numpy as np
from scipy.special import fdtrc

from monotowns.estimate import absorb
from monotowns.estimate.collinearity import refuse_unidentified
from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.variances import under_each
from monotowns.run.errors import DesignError

#: Draws of the sup-t statistic; its 95th percentile is then known to about .01.
BAND_DRAWS = 20_000


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
        used), ``y``, ``X`` (projected, root-weighted), ``residuals``, ``effects`` (codes), ``raw``
        (outcome, regressors, clusters and effects as they were) and ``r2_within``.

    Raises
    ------
    DesignError
        A regressor is explained by the fixed effects or by the others; fewer than two clusters.
    """
    from statsmodels.regression.linear_model import OLS

    where = f"{estimator} of {outcome}"
    used = absorb.drop_singletons(rows, fixed_effects)
    group, labels = absorb.codes(used[cluster], cluster)
    if len(labels) < 2:
        raise DesignError(where, "fewer than two clusters", keys=[cluster])
    effects = [absorb.codes(used[e], e)[0] for e in fixed_effects] or [np.zeros(len(used), int)]
    root = absorb.root_weights(used, weights)
    columns = used[[outcome, *names]].to_numpy(float)
    clean = absorb.demean(columns, effects, root)
    y, X = clean[:, 0], clean[:, 1:]
    refuse_unidentified(where, columns[:, 1:] * root[:, None], X, names)
    # Without the hint statsmodels looks for a constant, in two decompositions of the columns.
    found = OLS(y, X, hasconst=False).fit(
        cov_type="cluster", cov_kwds={"groups": group, "use_correction": False}, use_t=True
    )
    n, clusters = len(used), len(labels)
    k = len(names) + absorb.residual_degrees(effects, group)
    factor = clusters / (clusters - 1) * (n - 1) / (n - k)
    covariance = factor * np.asarray(found.cov_params())
    terms = wald_terms(names, found.params, np.sqrt(np.diag(covariance)), df=clusters - 1)
    details = {
        "rows": used,
        "y": y,
        "X": X,
        "residuals": found.resid,
        "effects": effects,
        "raw": (columns[:, 0], columns[:, 1:], used[cluster], [used[e] for e in fixed_effects]),
        "cluster": cluster,
        "weights": weights,
        "r2_within": 1 - found.ssr / (y @ y),
    }
    label = f"CRV1({cluster}), fixest small-sample correction"
    entities = used["entity"].nunique()
    return Fit(terms, estimator, label, n, entities, clusters, covariance, details)


def ols(
    rows,
    outcome,
    treatment,
    cluster,
    controls=(),
    fixed_effects=(),
    weights=None,
    variances=(),
    *,
    draws=9999,
    seed=0,
) -> list[Fit]:
    """Least squares of one or several treatments, controls beside them.

    Returns
    -------
    list of Fit
        Under the clustered variance, then under each further one.
    """
    names = [treatment] if isinstance(treatment, str) else list(treatment)
    fit = least_squares(rows, outcome, [*names, *controls], fixed_effects, cluster, weights)
    return under_each(fit, variances, draws, seed)


def event_study(
    rows,
    outcome,
    treatment,
    base,
    cluster,
    controls=(),
    fixed_effects=(),
    weights=None,
    variances=(),
    *,
    draws=9999,
    seed=0,
) -> list[Fit]:
    """Treatment by year against a base year.

    Returns
    -------
    list of Fit
        As :func:`ols`. One term a year (the base year is not among them), the controls, and under
        the clustered variance two more: ``band``, whose estimate is the critical value of the
        uniform 95 per cent band of the years, and ``before``, the F statistic of all years before
        the base together, with its p-value (none where the base is the first year).
    """
    years = [year for year in sorted(rows["year"].unique()) if year != base]
    value, year = rows[treatment].to_numpy(), rows["year"].to_numpy()
    columns = {f"{treatment} in {y}": value * (year == y) for y in years}
    names = [*columns, *controls]
    fit = least_squares(
        rows.assign(**columns), outcome, names, fixed_effects, cluster, weights, "event_study"
    )
    fit = replace(fit, terms=fit.terms.assign(term=[*map(str, years), *controls]))
    own, *others = under_each(fit, variances, draws, seed)
    band = sup_t(fit.covariance[: len(years), : len(years)], seed=seed)
    terms = own.terms.copy()
    terms.loc[len(terms)] = ["band", band, *[np.nan] * 4]
    if before := sum(year < base for year in years):
        f, p_value = joint_test(
            own.terms["estimate"][:before], fit.covariance[:before, :before], fit.n_clusters - 1
        )
        terms.loc[len(terms)] = ["before", f, *[np.nan] * 3, p_value]
    return [replace(own, terms=terms), *others]


def joint_test(estimates, covariance, df) -> tuple[float, float]:
    """F statistic and p-value of estimates, shape (k,), that are all zero under the null.

    ``df`` are the degrees of freedom of the covariance: clusters less one.
    """
    estimates = np.asarray(estimates, float)
    f = estimates @ np.linalg.pinv(covariance, hermitian=True) @ estimates / len(estimates)
    return float(f), float(fdtrc(len(estimates), df, f))


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
