"""Imputation of untreated outcomes (Borusyak, Jaravel and Spiess 2024), with its joint covariance.

diff-diff (3.13) gives the standard errors of imputation one by one; the uniform band, the test of
pre-trends and its power need the covariance of all terms, so the influence functions are here.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from monotowns.estimate import absorb
from monotowns.estimate.collinearity import ABSORBED
from monotowns.estimate.events import clustered, report
from monotowns.estimate.identification import WHERE, check
from monotowns.estimate.record import Fit
from monotowns.run.errors import DesignError


def imputation(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    controls=(),
    anticipation: int = 0,
    window: tuple[int, int] = (-5, 4),
    seed=None,
) -> Fit:
    """Average gap of treated rows to what entity and year effects of untreated rows predict.

    Events before the treatment come from a regression on untreated rows alone (the authors' Test
    1), the last of them left out.

    The arguments are those of :mod:`.staggered`; controls vary within entities and enter the model
    of the untreated, years of anticipation do not count as untreated.

    Returns
    -------
    Fit
        ``att`` (mean over rows treated since the cohort's year), ``event e``, ``band``. Treated
        rows of a year in which no one is untreated cannot be imputed; ``details["not_imputed"]``
        counts them. Conservative variance: weights v of Theorem 3, residuals of treated rows about
        the mean of their cohort and year (the paper's default grouping), summed over clusters.
    """
    checked = check(rows, outcome, treatment, cluster, controls, anticipation)
    cohorts = checked.imputable(anticipation)
    frame, event = cohorts.frame, cohorts.event.to_numpy()
    on = event >= -anticipation
    design, solve = untreated_effects(frame, ~on, controls)
    base, y = design[~on], frame[outcome].to_numpy(float)
    gap = y - design @ solve(base.T @ y[~on])

    late = [e for e in np.unique(event[on]) if window[0] <= e <= window[1]]
    weights = np.column_stack([event >= 0, *(event == e for e in late)]).astype(float)
    weights /= weights.sum(axis=0)
    cell = pd.Series(gap[on]).groupby([frame[c].to_numpy()[on] for c in (treatment, "year")])
    psi = np.zeros_like(weights)
    psi[on] = weights[on] * (gap[on] - cell.transform("mean").to_numpy())[:, None]
    psi[~on] = -(base @ solve(design[on].T @ weights[on])) * gap[~on, None]

    leads, slopes, lead_psi = _leads(
        cohorts._replace(frame=frame[~on]), y[~on], base, solve, len(controls)
    )
    shown = [i for i, e in enumerate(leads) if window[0] <= e <= window[1]]
    before = np.zeros((len(frame), len(shown)))
    before[~on] = lead_psi[:, shown]
    effect = weights[on].T @ gap[on]
    return report(
        cohorts,
        ["att", *(f"event {e:.0f}" for e in [*leads[shown], *late])],
        [effect[0], *slopes[shown], *effect[1:]],
        clustered(np.column_stack([psi[:, :1], before, psi[:, 1:]]), frame[cluster]),
        estimator="imputation",
        variance=f"conservative, clustered by {cluster}, G/(G-1); leads fixest CRV1",
        seed=seed,
        anticipation=anticipation,
        not_imputed=len(checked.frame) - len(cohorts.frame),
        one_base=False,
    )


def untreated_effects(frame, untreated, controls=()):
    """Entity and year effects and slopes of controls, as the untreated rows identify them.

    Returns
    -------
    design : scipy.sparse array, shape (n, k)
        Entity dummies, year dummies but one, controls.
    solve : callable
        Solves the normal equations of the untreated rows.
    """
    entity, entities = pd.factorize(frame["entity"])
    year, years = pd.factorize(frame["year"], sort=True)
    both = [
        sparse.csr_array((np.ones(len(frame)), (np.arange(len(frame)), code)))
        for code in (entity, year)
    ]
    dummies = sparse.hstack(both, format="csr")
    part = connected_components(dummies[untreated].T @ dummies[untreated], directed=False)[1]
    apart = np.flatnonzero(part != np.bincount(part).argmax())
    if len(apart):
        names = [*(f"entity {e}" for e in entities), *(f"year {t}" for t in years)]
        raise DesignError(
            WHERE,
            "no untreated row links these to the others, so that nothing shows the effect of",
            keys=[names[i] for i in apart],
            remedy="leave them out; of spillovers, take narrower rings",
        )
    extra = frame[list(controls)].to_numpy(float)
    left = absorb.demean(extra[untreated], [entity[untreated], year[untreated]])
    size = np.linalg.norm(extra[untreated], axis=0)
    if len(controls) and np.linalg.matrix_rank(left / size, tol=ABSORBED) < len(controls):
        raise DesignError(WHERE, "controls do not vary beside the effects", keys=controls)
    design = sparse.hstack([both[0], both[1][:, 1:], sparse.csr_array(extra)], format="csr")
    base = design[untreated]
    return design, splu((base.T @ base).tocsc()).solve


def _leads(cohorts, y, base, solve, controls):
    """Regress untreated rows on event times before the treatment, effects absorbed.

    Returns event times, coefficients and influence functions (rows x leads), scaled to the part
    (N - 1) / (N - K) of fixest's correction, K without effects nested in the clusters.
    """
    frame, event = cohorts.frame, cohorts.event.to_numpy()
    leads = np.unique(event[np.isfinite(event)])[:-1]
    if np.isfinite(event).all():
        # Without a never treated entity a linear trend in event time is not identified.
        leads = leads[1:]
    x = (event[:, None] == leads).astype(float)
    x -= base @ solve(base.T @ x)
    if len(leads) and np.linalg.matrix_rank(x) < len(leads):
        keys = [f"{e:.0f}" for e in leads]
        raise DesignError(WHERE, "the events before the treatment are collinear", keys=keys)
    bread = np.linalg.inv(x.T @ x)
    slopes = bread @ (x.T @ y)
    rest = y - base @ solve(base.T @ y) - x @ slopes
    effects = [absorb.codes(frame[effect])[0] for effect in ("entity", "year")]
    counted = absorb.residual_degrees(effects, absorb.codes(frame[cohorts.cluster])[0])
    factor = (len(y) - 1) / (len(y) - len(leads) - controls - counted)
    return leads, slopes, np.sqrt(factor) * (x @ bread) * rest[:, None]
