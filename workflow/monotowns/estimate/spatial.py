"""Spatial panels with effects of entities and years: lag, Durbin, lagged regressors, error.

Not spreg's (1.9): its ``Panel_FE_Lag`` and ``Panel_FE_Error`` know entity effects only. Means of
the years taken out beforehand leave a bias of rho of order ``1/n``, which in a long panel is not
small beside the standard error (Lee and Yu 2010), and see :mod:`.spatial_likelihood` for its cost.
On the transformed panel of Lee and Yu both give the same estimates, which the tests check.
"""

import numpy as np
import pandas as pd

from monotowns.estimate import spatial_impacts
from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.spatial_likelihood import maximise
from monotowns.run.errors import DesignError

MODELS = ("sar", "sdm", "slx", "sem")
#: Share of a regressor's norm that must remain once effects and other regressors are removed.
RANK = 1e-9


def fit_panel(rows, outcome, names, determinant, model, draws, seed) -> Fit:
    """Fit a spatial panel with effects of entities and years to a balanced panel.

    ``sar``: ``y = rho W y + X b + effects + e``; ``sdm`` adds ``W X theta``; ``slx`` is ``sdm``
    with ``rho = 0``; ``sem``: ``y = X b + effects + u``, ``u = lambda W u + e``.

    ``sar``, ``sdm`` and ``sem`` are fitted by maximum likelihood with independent, equally
    dispersed errors on the transformation of Lee and Yu (2010); standard errors come from the
    observed information. ``slx`` is least squares with fixest's correction for all effects and
    Student's t. None of them allows for errors that are correlated over time or of unequal spread.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year`` and the columns below, sorted by entity and year: every entity in
        every year once.
    outcome : str
    names : sequence of str
        The ``k`` regressors, which vary within entities.
    determinant : monotowns.estimate.spatial_likelihood.LogDeterminant
        Of the row-standardised weights W of the sorted entities.
    model : {"sar", "sdm", "slx", "sem"}
    draws, seed : int
        Of the simulated errors of impacts.

    Returns
    -------
    Fit
        Terms: the regressors ``x``, their lags ``W_x``, ``rho`` or ``lambda``, and (all but
        ``sem``, which has no spillovers) the average impacts ``direct x``, ``indirect x`` and
        ``total x`` on the outcome, see :mod:`.spatial_impacts`. ``covariance`` is that of the
        coefficients; ``details``: ``log_likelihood`` (not ``slx``).

    Raises
    ------
    DesignError
        The panel is not sorted and balanced, a value is missing, W is of other entities, the
        regressors are collinear once the effects are removed, or there is no stationary maximum.
    """
    where, W = f"spatial panel, {model}", determinant.W
    n, periods = _balanced(rows, [outcome, *names], W, where)

    def lag(values):
        return (W @ values.reshape(n, -1)).reshape(values.shape)

    def within(values):
        cube = values.reshape(n, periods, -1)
        cube = cube - cube.mean(axis=1, keepdims=True)
        return (cube - cube.mean(axis=0)).reshape(values.shape)

    y, X = rows[outcome].to_numpy(float), rows[list(names)].to_numpy(float)
    terms = list(names)
    if model in ("sdm", "slx"):
        X, terms = np.column_stack([X, lag(X)]), terms + [f"W_{name}" for name in names]
    design, size = within(X), np.linalg.norm(X, axis=0)
    if np.linalg.matrix_rank(design / np.where(size > 0, size, 1), tol=RANK) < len(terms):
        raise DesignError(
            where,
            "regressors do not vary, or are collinear, once the effects are removed",
            keys=terms,
        )
    facts = {"n_obs": len(rows), "n_entities": n, "n_clusters": 0}
    if model == "slx":
        freedom = (periods - 1) * (n - 1) - len(terms)
        return _least_squares(within(y), design, terms, freedom, facts)
    lag_X = within(lag(X)) if model == "sem" else None
    parameters, covariance, log_likelihood = maximise(
        within(y), within(lag(y)), design, lag_X, determinant, periods - 1, where
    )
    error = np.sqrt(np.diag(covariance))
    found = wald_terms([*terms, "lambda" if model == "sem" else "rho"], parameters, error)
    if model != "sem":
        impacts = spatial_impacts.simulate(parameters, covariance, names, determinant, draws, seed)
        found = pd.concat([found, impacts], ignore_index=True)
    variance = "observed information of the Lee-Yu likelihood"
    details = {"log_likelihood": log_likelihood}
    return Fit(found, model, variance, covariance=covariance, details=details, **facts)


def _balanced(rows, columns, W, where):
    """Entities and years of rows that hold each pair once, in order, with no value missing."""
    ids, years = (np.unique(rows[name]) for name in ("entity", "year"))
    every = pd.MultiIndex.from_product([ids, years], names=["entity", "year"])
    there = pd.MultiIndex.from_frame(rows[["entity", "year"]])
    if not there.equals(every):
        raise DesignError(
            where,
            "the panel is not balanced and sorted",
            keys=every.difference(there),
            expected=f"{len(ids)} entities by {len(years)} years, sorted, each pair once",
            remedy="keep entities with every year, also in W, and sort by entity and year",
        )
    bad = ~np.isfinite(rows[columns].to_numpy(float)).all(axis=1)
    if bad.any():
        raise DesignError(
            where,
            "a value is missing or infinite",
            keys=there[bad],
            remedy="leave out the whole entity: the panel must stay balanced",
        )
    if W.shape[0] != len(ids):
        raise DesignError(where, "W is not one row an entity", expected=len(ids), found=W.shape[0])
    return len(ids), len(years)


def _least_squares(y, design, names, freedom, facts) -> Fit:
    b = np.linalg.lstsq(design, y)[0]
    residuals = y - design @ b
    # W has a zero diagonal and rows that sum to one: the lag is the whole of the indirect impact.
    k = len(names) // 2
    eye, nil = np.eye(k), np.zeros((k, k))
    select = np.vstack([np.eye(2 * k), np.block([[eye, nil], [nil, eye], [eye, eye]])])
    bread = np.linalg.inv(design.T @ design)
    covariance = residuals @ residuals / freedom * bread
    terms = wald_terms(
        names + spatial_impacts.names(names[:k]),
        select @ b,
        np.sqrt(np.diag(select @ covariance @ select.T)),
        df=freedom,
    )
    variance = "iid, fixest small-sample correction"
    return Fit(terms, "slx", variance, covariance=covariance, **facts)
