"""Shift-share regressors ``x_i = sum_s w_is g_s``: inference by shocks, not by units.

Units with similar shares have correlated residuals whatever the distance between them, so that
the usual standard errors are too small; what varies independently are the shocks g_s.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, stats

from monotowns.estimate.instrumental import anderson_rubin_set, iv
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

WHERE = "shift-share design"
#: Relative size under which a quantity that should vanish is rounding.
ROUNDING = 1e-8


class _Design(NamedTuple):
    """Outcome, treatment and shift-share regressor with the controls partialled out."""

    y: np.ndarray
    treatment: np.ndarray
    x: np.ndarray
    shares: np.ndarray
    weights: np.ndarray


def _design(y, x, controls, shares, treatment, weights) -> _Design:
    shares, y = np.asarray(shares, float), np.asarray(y, float)
    n = len(y)
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    treatment = x if treatment is None else treatment
    parts = {"y": y, "x": x, "treatment": treatment, "shares": shares, "weights": weights}
    if controls is not None:
        parts["controls"] = controls
    for name, values in parts.items():
        values = np.asarray(values, float)
        if len(values) != n:
            raise DesignError(
                WHERE, "arrays differ in length", keys=[name], expected=n, found=len(values)
            )
        bad = ~np.isfinite(values.reshape(n, -1)).all(axis=1)
        if bad.any():
            raise DesignError(WHERE, f"{name} is not finite", keys=np.flatnonzero(bad))
    if (weights <= 0).any():
        raise DesignError(WHERE, "weights must be positive", keys=np.flatnonzero(weights <= 0))
    if (shares < 0).any():
        rows = np.flatnonzero((shares < 0).any(axis=1))
        raise DesignError(WHERE, "a share is negative", keys=rows)
    unused = np.flatnonzero(shares.sum(axis=0) == 0)
    if unused.size:
        raise DesignError(
            WHERE, "no unit is exposed to a shock", keys=unused, remedy="leave its column out"
        )
    both = np.column_stack([y, treatment, x]).astype(float)
    left = both
    if controls is not None:
        controls, root = np.asarray(controls, float).reshape(n, -1), np.sqrt(weights)[:, None]
        left = both - controls @ np.linalg.lstsq(root * controls, root * both, rcond=None)[0]
    lost = (left[:, 1:] ** 2).sum(axis=0) <= ROUNDING**2 * (both[:, 1:] ** 2).sum(axis=0)
    if lost.any():
        raise DesignError(
            WHERE, "the controls leave no variation", keys=np.array(["treatment", "x"])[lost]
        )
    return _Design(*left.T, shares, weights)


def _clusters(shock_cluster, count):
    ids = np.arange(count) if shock_cluster is None else np.asarray(shock_cluster)
    if len(ids) != count:
        raise DesignError(WHERE, "one cluster a shock", expected=count, found=len(ids))
    if pd.isna(ids).any():
        raise DesignError(WHERE, "a shock has no cluster", keys=np.flatnonzero(pd.isna(ids)))
    ids = np.unique(ids, return_inverse=True)[1]
    if ids.max() == 0:
        raise DesignError(WHERE, "fewer than two independent shocks", found=1)
    return ids


def fit(
    y,
    x,
    controls,
    shares,
    *,
    treatment=None,
    weights=None,
    shock_cluster=None,
    null_imposed=False,
    level=0.95,
    entities=None,
    term="exposure",
) -> Fit:
    """Effect of a shift-share regressor, or of a treatment that it instruments.

    Adao, Kolesar and Morales (2019): AKM and, with the null imposed, AKM0; without a small-sample
    correction, as there.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome.
    x : array_like, shape (n,)
        The shift-share regressor; like ``y`` either raw or with fixed effects absorbed.
    controls : array_like, shape (n, k), or None
        Controls with their constant; None after absorption.
    shares : array_like, shape (n, S)
        Exposure of units (unit-periods) to shocks (shock-periods), never absorbed.
    treatment : array_like, shape (n,), optional
        Endogenous regressor that ``x`` instruments; default ``x`` itself.
    weights : array_like, shape (n,), optional
        Positive analytic weights of the units.
    shock_cluster : array_like, shape (S,), optional
        Shocks that may be correlated with each other; default each on its own.
    null_imposed : bool
        AKM0: wider with few shocks, and asymmetric. Its ``details["set"]`` may be unbounded or
        disjoint; the term then gives the hull and no standard error.
    entities : int, optional
        Number of entities for the record; default n.

    Returns
    -------
    Fit
        One term; ``n_clusters`` is the number of independent shocks.

    Raises
    ------
    DesignError
        Values not finite, a negative share, a shock without exposure, collinear shares, one
        cluster of shocks, or controls that span the regressor.
    """
    d = _design(y, x, controls, shares, treatment, weights)
    count = d.shares.shape[1]
    ids = _clusters(shock_cluster, count)
    root = np.sqrt(d.weights)
    latent = _latent(root[:, None] * d.shares, root * d.x)
    relevance = np.sum(d.weights * d.x * d.treatment)
    estimate = np.sum(d.weights * d.x * d.y) / relevance

    def score(v):
        return np.bincount(ids, latent * (d.shares.T @ (d.weights * v)))

    error = np.sqrt(np.sum(score(d.y - estimate * d.treatment) ** 2)) / abs(relevance)
    terms = wald_terms([term], [estimate], [error], level=level)
    details = {"effective_shocks": effective_shocks(d.shares, d.weights, ids)}
    if null_imposed:
        # The test of b has the moment sum x (y - b t) and the variance of its shock sums, both
        # without the estimate: the same inversion as Anderson and Rubin's.
        parts = np.stack([score(d.y), score(d.treatment)])
        moments = np.array([[estimate * relevance], [relevance]])
        details["set"] = anderson_rubin_set(
            *moments, (parts @ parts.T)[:, :, None, None], np.inf, level
        )
        low, high = details["set"][0][0], details["set"][-1][1]
        critical = stats.norm.ppf(0.5 + level / 2)
        width = (high - low) / (2 * critical)
        p_value = stats.chi2.sf(moments[0, 0] ** 2 / np.sum(parts[0] ** 2), 1)
        terms.loc[0, "standard_error"] = width if np.isfinite(width) else np.nan
        terms.loc[0, ["ci_low", "ci_high", "p_value"]] = [low, high, p_value]
    name = "AKM0" if null_imposed else "AKM"
    return Fit(
        terms,
        "shift_share",
        f"{name} (shocks), no small-sample correction",
        len(d.y),
        entities or len(d.y),
        ids.max() + 1,
        details=details,
    )


def _latent(shares, x):
    """Shocks net of controls: the regression of x on the shares, which must be independent."""
    q, r, order = linalg.qr(shares, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    rank = int(np.sum(size > ROUNDING * size[0]))
    if rank < shares.shape[1]:
        raise DesignError(
            WHERE,
            "the shares are collinear",
            keys=sorted(order[rank:].tolist()),
            expected=f"rank {shares.shape[1]}",
            found=f"rank {rank}",
            remedy="join or leave out these columns",
        )
    latent = np.empty(rank)
    latent[order] = linalg.solve_triangular(r, q.T @ x)
    return latent


def shock_level(
    y,
    x,
    controls,
    shares,
    shocks,
    *,
    treatment=None,
    weights=None,
    shock_controls=None,
    shock_cluster=None,
    level=0.95,
    term="exposure",
) -> Fit:
    """The same coefficient from a regression with one observation a shock.

    Borusyak, Hull and Jaravel (2022), proposition 1: outcome and treatment, controls partialled
    out, are averaged over units by exposure and regressed on each other, weighted by total
    exposure, with the shock as instrument.

    Parameters
    ----------
    y, x, controls, shares, treatment, weights, shock_cluster
        As in :func:`fit`.
    shocks : array_like, shape (S,)
        Shocks g_s.
    shock_controls : array_like, shape (S, q), optional
        Controls of the shocks; the unit-level controls must hold their exposure averages
        ``shares @ shock_controls``.

    Returns
    -------
    Fit
        See :func:`.instrumental.iv` for the first stage and the Anderson-Rubin set;
        ``details["shocks"]`` has a row a shock.

    Raises
    ------
    DesignError
        As in :func:`fit`; also if the controls do not hold the exposure averages (with incomplete
        shares the sum of shares, see :func:`share_sum`), as the two levels then differ.
    """
    d = _design(y, x, controls, shares, treatment, weights)
    count = d.shares.shape[1]
    shocks = _shocks(shocks, count)
    q = np.ones((count, 1))
    if shock_controls is not None:
        q = np.column_stack([q, np.asarray(shock_controls, float)])
    averages, root = d.shares @ q, np.sqrt(d.weights)
    for v in (d.y, d.treatment):
        gap = (d.weights * v) @ averages
        size = np.linalg.norm(root * v) * np.linalg.norm(root[:, None] * averages, axis=0)
        if (np.abs(gap) > ROUNDING * size).any():
            raise DesignError(
                WHERE,
                "the controls do not hold what the shock level controls for",
                keys=["sum of shares", *range(q.shape[1] - 1)],
                remedy="add share_sum(shares, period) and shares @ shock_controls to the controls",
            )
    exposure = d.shares.T @ d.weights
    frame = pd.DataFrame(
        {
            "entity": np.arange(count),
            "cluster": _clusters(shock_cluster, count),
            "weight": exposure,
            "shock": shocks,
            "outcome": d.shares.T @ (d.weights * d.y) / exposure,
            "treatment": d.shares.T @ (d.weights * d.treatment) / exposure,
        }
    )
    names = [f"control{j}" for j in range(1, q.shape[1])]
    frame[names] = q[:, 1:]
    found = iv(
        frame,
        "outcome",
        "treatment",
        ["shock"],
        names,
        cluster="cluster",
        weights="weight",
        level=level,
    )
    terms = found.terms.replace({"term": {"treatment": term}})
    return replace(
        found,
        terms=terms,
        estimator="shock_level",
        variance="CRV1(shocks), fixest small-sample correction",
        details=found.details | {"shocks": frame},
    )


def _shocks(shocks, count):
    shocks = np.asarray(shocks, float)
    if shocks.shape != (count,):
        raise DesignError(
            WHERE, "one shock a column of the shares", expected=(count,), found=shocks.shape
        )
    if not np.isfinite(shocks).all():
        raise DesignError(WHERE, "shocks are not finite", keys=np.flatnonzero(~np.isfinite(shocks)))
    return shocks


def rotemberg(y, x, controls, shares, shocks, *, treatment=None, weights=None) -> pd.DataFrame:
    """What each shock contributes to the estimate.

    Goldsmith-Pinkham, Sorkin and Swift (2020), after Rotemberg (1983): the estimate is the weighted
    sum of the estimates that use one share at a time as instrument. If the shares add up to one the
    weights depend on the level of the shocks, which is arbitrary: take deviations from a mean.

    Parameters
    ----------
    y, x, controls, shares, shocks, treatment, weights
        As in :func:`shock_level`.

    Returns
    -------
    pandas.DataFrame
        A row a shock: ``shock``, ``weight`` (they sum to one and may be negative), ``estimate``
        (just-identified, missing where the share is unrelated to the treatment), ``exposure``
        (share of all exposure).
    """
    d = _design(y, x, controls, shares, treatment, weights)
    shocks = _shocks(shocks, d.shares.shape[1])
    first = d.shares.T @ (d.weights * d.treatment)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = d.shares.T @ (d.weights * d.y) / first
    exposure = d.shares.T @ d.weights
    return pd.DataFrame(
        {
            "shock": shocks,
            "weight": shocks * first / np.sum(shocks * first),
            "estimate": estimate,
            "exposure": exposure / exposure.sum(),
        }
    )


def effective_shocks(shares, weights=None, shock_cluster=None) -> float:
    """Effective number of shocks: inverse Herfindahl index of the exposures of the shocks.

    Borusyak, Hull and Jaravel (2022): inference rests on this number, not on that of the units.

    Parameters
    ----------
    shares : array_like, shape (n, S)
    weights : array_like, shape (n,), optional
    shock_cluster : array_like, shape (S,), optional
        Exposures are added within clusters first.
    """
    shares = np.asarray(shares, float)
    exposure = np.average(shares, axis=0, weights=weights)
    if shock_cluster is not None:
        exposure = np.bincount(np.unique(shock_cluster, return_inverse=True)[1], exposure)
    return float(exposure.sum() ** 2 / np.sum(exposure**2))


def share_sum(shares, period=None) -> np.ndarray:
    """Control for incomplete shares: their sum, in panels one column a period.

    Borusyak, Hull and Jaravel (2022). With complete shares these are the constant and the period
    effects.

    Parameters
    ----------
    shares : array_like, shape (n, S)
    period : array_like, shape (n,), optional

    Returns
    -------
    numpy.ndarray, shape (n, 1) or (n, periods)
    """
    total = np.asarray(shares, float).sum(axis=1)
    if period is None:
        return total[:, None]
    period = np.asarray(period)
    return total[:, None] * (period[:, None] == np.unique(period))
