"""Spatial panels with fixed effects: lag, Durbin, lagged regressors, error; their impacts."""

import numpy as np
import pandas as pd
from scipy.linalg import qr

from monotowns.estimate import spatial_impacts
from monotowns.estimate import spatial_weights as weights
from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.spatial_likelihood import maximise
from monotowns.run.errors import DesignError

MODELS = ("sar", "sdm", "slx", "sem")
EFFECTS = ("twoways", "entity")

#: Share of a column's length that must remain once the others are held; below it is rounding.
RANK = 1e-9


def panel(
    y,
    X,
    entity,
    time,
    W,
    model="sar",
    effects="twoways",
    *,
    names=None,
    draws=9999,
    seed=0,
    level=0.95,
) -> Fit:
    """Fit a spatial panel with fixed effects to a balanced panel.

    ``sar``: ``y = rho W y + X b + effects + e``; ``sdm`` adds ``W X theta``; ``slx`` is ``sdm``
    with ``rho = 0``; ``sem``: ``y = X b + effects + u``, ``u = lambda W u + e``.

    ``sar``, ``sdm`` and ``sem`` are fitted by maximum likelihood with independent, equally
    dispersed errors on the transformation of Lee and Yu (2010). With entity effects it gives the
    coefficients of the direct likelihood (Elhorst 2003) and its variance times ``T/(T-1)``; with
    two-way effects it also takes away a bias of rho of order ``1/n``, which in a long panel is
    not small beside the standard error. Standard errors come from the observed information.
    ``slx`` is least squares with fixest's correction for all effects and Student's t. None of
    them allows for errors that are correlated over time or of unequal spread.

    Parameters
    ----------
    y : array_like, shape (n * T,)
    X : array_like, shape (n * T, k)
        Regressors that vary within entities.
    entity, time : array_like, shape (n * T,)
        Sorted by entity, then time; every entity in every period once.
    W : sparse or dense matrix, shape (n, n)
        Row-standardised weights, rows in the order of the sorted entities.
    model : {"sar", "sdm", "slx", "sem"}
    effects : {"twoways", "entity"}
    names : sequence of str, optional
        Names of the regressors; ``x1``, ``x2``, ... by default.
    draws : int
        Draws from the asymptotic normal distribution for the impacts.
    seed : int
        Seed of the draws.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Fit
        Terms: the regressors ``x``, their lags ``W_x``, ``rho`` or ``lambda``, and (all but
        ``sem``, which has no spillovers) the average impacts ``direct x``, ``indirect x`` and
        ``total x`` of LeSage and Pace (2009, section 2.7) on the outcome. Those of ``sar`` and
        ``sdm`` have simulated standard errors, percentile intervals and p-values from the
        share of draws across zero. ``details``: ``log_likelihood`` (not ``slx``), ``sigma2``,
        ``residuals`` (shape (n * T,), effects removed), ``draws_outside`` (share of draws with
        ``|rho| >= 1``, left out).

    Raises
    ------
    DesignError
        The panel is not sorted and balanced, a value is missing, W is not as said (see
        :func:`.spatial_weights.check`), the regressors are collinear once the effects
        are removed, or no degree of freedom or no stationary maximum is left.
    """
    where = f"spatial panel, {model}"
    for value, known in ((model, MODELS), (effects, EFFECTS)):
        if value not in known:
            raise DesignError(where, "no such choice", keys=[value], expected=", ".join(known))
    ids, n, periods = balanced(entity, time, where)
    y, X = np.asarray(y, float), np.asarray(X, float)
    names = [f"x{i + 1}" for i in range(X.shape[-1])] if names is None else list(names)
    if y.shape != (n * periods,) or X.shape != (n * periods, len(names)):
        raise DesignError(
            where,
            "y, X and names do not fit the panel",
            expected=((n * periods,), (n * periods, len(names))),
            found=(y.shape, X.shape),
        )
    _refuse(
        ~(np.isfinite(y) & np.isfinite(X).all(axis=1)),
        entity,
        time,
        where,
        "a value is missing or infinite",
        "leave out the whole entity: the panel must stay balanced",
    )
    W = weights.check(W, ids, where)

    def lag(values):
        return (W @ values.reshape(n, -1)).reshape(values.shape)

    def within(values):
        cube = values.reshape(n, periods, -1)
        cube = cube - cube.mean(axis=1, keepdims=True)
        if effects == "twoways":
            cube -= cube.mean(axis=0)
        return cube.reshape(values.shape)

    if model in ("sdm", "slx"):
        X, names = np.column_stack([X, lag(X)]), names + [f"W_{name}" for name in names]
    places = n - 1 if effects == "twoways" else n
    freedom = (periods - 1) * places - len(names)
    if freedom < 1:
        raise DesignError(where, "no degree of freedom is left", found=freedom)
    design = within(X)
    _full_rank(design, np.linalg.norm(X, axis=0), names, where)
    facts = {"n_obs": n * periods, "n_entities": n, "n_clusters": 0}
    if model == "slx":
        return _least_squares(within(y), design, names, freedom, level, facts)
    lagged = within(lag(X)) if model == "sem" else None
    top = maximise(within(y), within(lag(y)), design, lagged, W, periods - 1, places, where)
    parameters = np.r_[top.coefficients, top.rho]
    terms = wald_terms(
        [*names, "lambda" if model == "sem" else "rho"],
        parameters,
        np.sqrt(np.diag(top.covariance)),
        level=level,
    )
    details = {
        "log_likelihood": top.log_likelihood,
        "sigma2": top.sigma2,
        "residuals": top.residuals,
    }
    covariance = top.covariance
    if model != "sem":
        k = len(names) if model == "sar" else len(names) // 2
        extra, covariance, details["draws_outside"] = spatial_impacts.simulate(
            parameters, covariance, names[:k], W, top.determinant, draws, seed, level
        )
        terms = pd.concat([terms, extra], ignore_index=True)
    return Fit(
        terms,
        model,
        "observed information of the Lee-Yu likelihood",
        covariance=covariance,
        details=details,
        **facts,
    )


def balanced(entity, time, where):
    """Check that rows are sorted by entity and time and that the panel is balanced.

    Returns
    -------
    ids : numpy.ndarray
        The entities in order.
    n, periods : int

    Raises
    ------
    DesignError
        An entity or time is missing or stands twice, rows are not sorted, an entity lacks a
        period, or there are fewer than two entities or periods.
    """
    entity, time = pd.Series(np.asarray(entity)), pd.Series(np.asarray(time))
    if len(entity) != len(time):
        raise DesignError(where, "entity and time differ in length", found=(len(entity), len(time)))
    _refuse(
        entity.isna() | time.isna(),
        entity,
        time,
        where,
        "entity or time is missing",
        "name every row",
    )
    who, ids = pd.factorize(entity, sort=True)
    when, times = pd.factorize(time, sort=True)
    place = who * len(times) + when
    _refuse(
        pd.Series(place).duplicated(),
        entity,
        time,
        where,
        "an entity-time stands twice",
        "keep one row of each",
    )
    _refuse(
        np.diff(place, prepend=-1) < 0,
        entity,
        time,
        where,
        "rows are not sorted by entity and time",
        "sort them; W in the same order",
    )
    seen = np.bincount(who, minlength=len(ids))
    if (seen < len(times)).any():
        raise DesignError(
            where,
            "the panel is not balanced",
            keys=ids[seen < len(times)],
            expected=f"{len(times)} periods an entity",
            remedy="take the balanced sample: only entities seen in every period, also in W",
        )
    if min(len(ids), len(times)) < 2:
        raise DesignError(
            where,
            "fewer than two entities or periods",
            found=f"{len(ids)} entities, {len(times)} periods",
        )
    return np.asarray(ids), len(ids), len(times)


def _refuse(bad, entity, time, where, problem, remedy):
    at = np.flatnonzero(bad)
    if len(at):
        entity, time = np.asarray(entity), np.asarray(time)
        keys = (f"row {i} ({entity[i]}, {time[i]})" for i in at)
        raise DesignError(where, problem, keys=keys, remedy=remedy)


def _full_rank(design, raw, names, where):
    triangle, order = qr(
        np.linalg.qr(design / np.where(raw > 0, raw, 1), mode="r"), pivoting=True, mode="r"
    )
    lost = order[np.abs(np.diag(triangle)) < RANK]
    if len(lost):
        raise DesignError(
            where,
            "regressors do not vary, or are collinear, once the effects are removed",
            keys=np.asarray(names)[lost],
            remedy="leave them out",
        )


def _least_squares(y, design, names, freedom, level, facts) -> Fit:
    b = np.linalg.lstsq(design, y)[0]
    residuals = y - design @ b
    sigma2 = residuals @ residuals / freedom
    # W has a zero diagonal and rows that sum to one: the lag is the whole of the indirect impact.
    k = len(names) // 2
    eye, nil = np.eye(k), np.zeros((k, k))
    all_terms = np.vstack([np.eye(2 * k), np.block([[eye, nil], [nil, eye], [eye, eye]])])
    covariance = all_terms @ (sigma2 * np.linalg.inv(design.T @ design)) @ all_terms.T
    terms = wald_terms(
        names + spatial_impacts.names(names[:k]),
        all_terms @ b,
        np.sqrt(np.diag(covariance)),
        level=level,
        df=freedom,
    )
    details = {"sigma2": sigma2, "residuals": residuals}
    return Fit(
        terms,
        "slx",
        "iid, fixest small-sample correction",
        covariance=covariance,
        details=details,
        **facts,
    )
