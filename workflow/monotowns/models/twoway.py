"""Least squares with high-dimensional fixed effects (pyfixest), fixest's small-sample rule."""

import numpy as np

from monotowns.estimates import Fit, wald_terms

#: Draws of the sup-t statistic; its 95th percentile is then known to about .01.
BAND_DRAWS = 20_000


def _fit(rows, formula, fixed_effects, cluster, estimator):
    import pyfixest

    used = drop_singletons(rows, fixed_effects)
    effects = f" | {' + '.join(fixed_effects)}" if fixed_effects else ""
    model = pyfixest.feols(formula + effects, used, vcov={"CRV1": cluster})
    clusters = used[cluster].nunique()
    terms = wald_terms(model.coef().index, model.coef(), model.se(), df=clusters - 1)
    return Fit(
        terms, estimator, f"CRV1({cluster}), fixest small-sample correction", int(model._N),
        used["entity"].nunique(), clusters, np.asarray(model._vcov),
    )  # fmt: skip


def ols(rows, outcome, treatment, controls=(), fixed_effects=(), cluster="region") -> Fit:
    """Regress an outcome on one treatment and controls with fixed effects absorbed.

    Returns
    -------
    Fit
        Terms ``treatment`` and the controls; Student's t with clusters - 1 degrees of freedom.
    """
    right = " + ".join([treatment, *controls])
    return _fit(rows, f"{outcome} ~ {right}", fixed_effects, cluster, "ols")


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


def event_study(rows, outcome, treatment, base, fixed_effects, cluster="region", seed=0) -> Fit:
    """Treatment by year, the base year left out.

    Returns
    -------
    Fit
        One term a year named by the year (the base year is not among them), and one term
        ``band`` whose estimate is the critical value of the uniform 95 per cent band.
    """
    formula = f"{outcome} ~ i(year, {treatment}, ref={base})"
    rows = rows.assign(**{treatment: rows[treatment].astype(float)})
    fit = _fit(rows, formula, fixed_effects, cluster, "event_study")
    fit.terms["term"] = fit.terms["term"].str.extract(r"(\d{4})", expand=False)
    fit.terms.loc[len(fit.terms)] = ["band", sup_t(fit.covariance, seed=seed), *[np.nan] * 4]
    return fit


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
