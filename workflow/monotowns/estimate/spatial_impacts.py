"""Direct, indirect and total impacts in spatial panels (LeSage and Pace 2009, section 2.7).

spreg 1.9 has none for panels; in a cross-section Durbin model it takes all effects of lagged
regressors for indirect (``_sp_effects``), though part of them returns to the place itself.
"""

import numpy as np
import pandas as pd

from monotowns.estimate.record import TERMS
from monotowns.estimate.spatial_likelihood import REACH
from monotowns.run.errors import DesignError

#: Least share of draws of rho inside of ``REACH``; fewer would bend errors and intervals.
KEPT = 0.99


def names(regressors):
    """Terms of the impacts: all direct, then all indirect, then all total."""
    return [f"{kind} {name}" for kind in ("direct", "indirect", "total") for name in regressors]


def average(parameters, k, n, trace) -> np.ndarray:
    """Average direct, indirect and total impacts of ``(I - rho W)^-1 (I b + W theta)``.

    With ``G = W (I - rho W)^-1``, ``tr (I - rho W)^-1 = n + rho tr G``, and a row-standardised W
    makes the rows of the inverse sum to ``1 / (1 - rho)``.

    Parameters
    ----------
    parameters : numpy.ndarray, shape (..., k + 1) or (..., 2 k + 1)
        Coefficients, lagged coefficients if any, ``rho``.
    k, n : int
        Regressors and entities.
    trace : numpy.ndarray, shape (...)
        ``tr G`` at ``rho``.

    Returns
    -------
    numpy.ndarray, shape (..., 3 k)
        Direct, then indirect, then total.
    """
    b, theta, rho = parameters[..., :k], parameters[..., k:-1], parameters[..., -1:]
    theta = theta if theta.shape[-1] else np.zeros_like(b)
    mean = trace[..., None] / n
    direct = b * (1 + rho * mean) + theta * mean
    total = (b + theta) / (1 - rho)
    return np.concatenate([direct, total - direct, total], axis=-1)


def simulate(parameters, covariance, regressors, determinant, draws, seed) -> pd.DataFrame:
    """Impacts with errors from draws of the asymptotic normal distribution of the parameters.

    Draws of rho beyond ``REACH``, near or past one, where there is no impact, are left out.

    Parameters
    ----------
    parameters : numpy.ndarray, shape (p,)
        As in :func:`average`.
    covariance : numpy.ndarray, shape (p, p)
    determinant : LogDeterminant

    Returns
    -------
    pandas.DataFrame
        Columns :data:`monotowns.estimate.record.TERMS`: percentile intervals, p-values from the
        share of draws across zero.

    Raises
    ------
    DesignError
        More than one per cent of draws would be left out.
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, len(parameters)))
    # First and second moments of the draws are made exact: what remains of the simulation error
    # comes from the curvature of the impacts alone.
    noise -= noise.mean(axis=0)
    noise = np.linalg.solve(np.linalg.cholesky(np.cov(noise.T)), noise.T).T
    drawn = parameters + noise @ np.linalg.cholesky(covariance).T
    inside = np.abs(drawn[:, -1]) < np.tanh(REACH)
    if inside.mean() < KEPT:
        raise DesignError(
            "spatial impacts",
            "rho is too uncertain: draws reach where impacts do not exist",
            expected=f"|rho| < {np.tanh(REACH):.3f} in {KEPT:.0%} of draws",
            found=f"{inside.mean():.1%}",
            remedy="take a larger panel",
        )
    drawn = drawn[inside]
    k, n = len(regressors), determinant.W.shape[0]
    trace = determinant.trace(np.append(drawn[:, -1], parameters[-1]))
    simulated = average(drawn, k, n, trace[:-1])
    tail = np.minimum((simulated <= 0).sum(axis=0), (simulated >= 0).sum(axis=0))
    low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    columns = [
        names(regressors),
        average(parameters, k, n, trace[-1]),
        simulated.std(axis=0, ddof=1),
        low,
        high,
        np.minimum(2 * (tail + 1) / (len(drawn) + 1), 1.0),
    ]
    return pd.DataFrame(dict(zip(TERMS, columns, strict=True)))
