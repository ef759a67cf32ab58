"""Least squares with high-dimensional fixed effects (pyfixest), fixest's small-sample rule."""

import numpy as np

from monotowns.estimates import Fit, wald_terms


def _fit(rows, formula, cluster, estimator, weights=None):
    import pyfixest

    model = pyfixest.feols(formula, rows, vcov={"CRV1": cluster}, weights=weights)
    clusters = rows[cluster].nunique()
    terms = wald_terms(model.coef().index, model.coef(), model.se(), df=clusters - 1)
    return Fit(
        terms, estimator, f"CRV1({cluster}), fixest small-sample correction", int(model._N),
        rows["entity"].nunique(), clusters, np.asarray(model._vcov),
    )  # fmt: skip


def ols(rows, outcome, treatment, controls=(), fixed_effects=(), cluster="region") -> Fit:
    """Regress an outcome on one treatment and controls with fixed effects absorbed.

    Returns
    -------
    Fit
        Terms ``treatment`` and the controls; Student's t with clusters - 1 degrees of freedom.
    """
    right = " + ".join([treatment, *controls])
    effects = f" | {' + '.join(fixed_effects)}" if fixed_effects else ""
    return _fit(rows, f"{outcome} ~ {right}{effects}", cluster, "ols")


def event_study(rows, outcome, treatment, base, fixed_effects, cluster="region") -> Fit:
    """Treatment by year, the base year left out.

    Returns
    -------
    Fit
        One term a year named by the year; the base year is not among them.
    """
    formula = f"{outcome} ~ i(year, {treatment}, ref={base}) | {' + '.join(fixed_effects)}"
    fit = _fit(rows.assign(**{treatment: rows[treatment].astype(float)}), formula, cluster,
               "event_study")  # fmt: skip
    fit.terms["term"] = fit.terms["term"].str.extract(r"(\d{4})", expand=False)
    return fit
