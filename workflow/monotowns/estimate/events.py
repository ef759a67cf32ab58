"""How the estimators for staggered adoption report: terms by event time, their joint covariance."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from monotowns.estimate.identification import Cohorts
from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.regression import sup_t
from monotowns.run.errors import DesignError


def largest_cells(cohorts: Cohorts) -> dict:
    """Most entities that one cohort contributes to each of the terms ``att`` and ``event e``."""
    frame, event, first = cohorts.frame, cohorts.event, cohorts.treatment
    cells = frame.groupby([event, first])["entity"].nunique().groupby(level=0).max()
    post = frame[event >= 0].groupby(first)["entity"].nunique()
    return {"att": post.max()} | {f"event {e:.0f}": n for e, n in cells.items()}


def clustered(psi, clusters) -> np.ndarray:
    """Covariance from influence functions (n rows or entities, k terms) summed over clusters.

    Times G / (G - 1): what of fixest's correction applies where no coefficients are counted.
    """
    sums = pd.DataFrame(psi).groupby(np.asarray(clusters)).sum().to_numpy()
    return len(sums) / (len(sums) - 1) * sums.T @ sums


def report(
    cohorts: Cohorts,
    names,
    estimate,
    covariance,
    *,
    estimator,
    variance,
    cells=None,
    seed=None,
    **details,
) -> Fit:
    """Write estimates with their covariance as a result record.

    Parameters
    ----------
    names, estimate : sequence, length k
    covariance : array_like, shape (k, k)
        NaN where the estimator gives none.
    cells : dict, optional
        Term -> entities of the largest cohort behind it, if not by :func:`largest_cells`. The
        spread among the treated is seen within a cohort: where none has two entities, the standard
        error would hold the spread of the controls alone and is not reported.
    seed : int, optional
        Of the draws for the uniform band; without it there is none.

    Returns
    -------
    Fit
        Student's t with clusters - 1 degrees of freedom. With a seed, and where the joint
        covariance of the terms ``event e`` is known, a last term ``band`` holds the critical value
        of their uniform 95 per cent band; the covariance is of the terms before it.
    """
    frame, clusters = cohorts.frame, cohorts.clusters
    cells = largest_cells(cohorts) if cells is None else cells
    covariance = np.array(covariance, float)
    alone = np.array([cells.get(name, 0) < 2 for name in names])
    covariance[alone], covariance[:, alone] = np.nan, np.nan
    spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
    terms = wald_terms(names, estimate, spread, df=clusters - 1)
    unknown = terms.loc[~np.isfinite(terms["estimate"]), "term"]
    if len(unknown):
        raise DesignError(f"estimator {estimator}", "there is no estimate", keys=unknown)
    # An event without spread (no noise, or one entity) has no place in a band.
    events = terms["term"].str.startswith("event").to_numpy() & (spread > 0)
    block = covariance[np.ix_(events, events)]
    if seed is not None and block.size and np.isfinite(block).all():
        terms.loc[len(terms)] = ["band", sup_t(block, seed=seed), *[np.nan] * 4]
    adopted = frame[frame[cohorts.treatment] > 0].groupby(cohorts.treatment)["entity"].nunique()
    return Fit(
        terms,
        estimator,
        f"{variance}; t({clusters - 1})",
        len(frame),
        frame["entity"].nunique(),
        clusters,
        covariance,
        {"cohorts": adopted.to_dict(), **details},
    )


class PretrendTest(NamedTuple):
    """Joint Wald test of the events before the treatment, as an F statistic."""

    statistic: float
    restrictions: int
    df: int
    p_value: float


def pretrend_test(fit: Fit) -> PretrendTest:
    """Test that all reported events before the treatment (less anticipation) are zero.

    Returns
    -------
    PretrendTest
        Hotelling's statistic with the clusters as observations: the Wald statistic times
        (G - q) / (q (G - 1)) against F(q, G - q). With one restriction it is the square of t.

    Raises
    ------
    DesignError
        There is no such event, the estimator gives no covariance of them, or there are more
        events than independent clusters.
    """
    where = f"pre-trend test of {fit.estimator}"
    events = fit.terms["term"].str.extract(r"^event (-\d+)$", expand=False).astype(float)
    early = np.flatnonzero(events < -fit.details.get("anticipation", 0))
    if not len(early):
        raise DesignError(where, "no event before the treatment is reported")
    covariance = fit.covariance[np.ix_(early, early)]
    if not np.isfinite(covariance).all():
        raise DesignError(where, "the estimator gives no covariance of the events")
    if np.linalg.matrix_rank(covariance, hermitian=True) < len(early):
        raise DesignError(
            where,
            "the covariance of the events is singular",
            keys=fit.terms["term"].iloc[early],
            found=f"{fit.n_clusters} clusters",
        )
    estimate = fit.terms["estimate"].to_numpy()[early]
    wald, count = float(estimate @ np.linalg.solve(covariance, estimate)), len(early)
    df = fit.n_clusters - count
    statistic = wald * df / (count * (fit.n_clusters - 1))
    return PretrendTest(statistic, count, df, float(fdtrc(count, df, statistic)))
