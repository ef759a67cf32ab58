"""Imputation of untreated outcomes: Borusyak, Jaravel and Spiess (2024); Gardner (2022)."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import splu

from monotowns.estimate import absorb, cohorts
from monotowns.estimate.regression import ABSORBED
from monotowns.run.errors import DesignError


def imputation(
    rows: pd.DataFrame,
    outcome,
    cohort,
    cluster="entity",
    window=(-5, 4),
    *,
    covariates=(),
    anticipation=0,
    seed=None,
):
    """Average gap of treated rows to what entity and year effects of untreated rows predict.

    The libraries give standard errors one by one; the covariance of all terms is needed for bands,
    the test of pre-trends and sensitivity, so the influence functions are written out here. Events
    before the treatment come from a regression on untreated rows alone (the authors' Test 1).

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, the outcome and ``cohort`` (first treated year, 0 = never).
    window : (int, int)
        Event times reported.
    covariates : sequence of str
        Columns that vary within entities and enter the model of the untreated.
    anticipation : int
        Years before the cohort's year that do not count as untreated.

    Returns
    -------
    Fit
        ``att`` (mean over rows treated since the cohort's year), ``event e`` without that of the
        last untreated year, ``band``; no standard error where a single treated row is averaged.
        Treated rows of a year in which no one is untreated cannot be imputed;
        ``details["not_imputed"]`` counts them.

    Notes
    -----
    Weights v of Theorem 3, residuals of treated rows about the mean of their cohort and year (the
    paper's default auxiliary grouping): conservative, clusters summed.
    """
    frame = cohorts.check(rows, outcome, cohort, cluster, covariates, anticipation)
    event = np.where(frame[cohort] > 0, frame["year"] - frame[cohort], np.nan)
    on = event >= -anticipation
    reached = frame["year"].isin(frame.loc[~on, "year"]).to_numpy()
    lost = int((~reached).sum())
    frame, event, on = frame[reached], event[reached], on[reached]
    design = _design(frame, covariates, ~on)
    base, y = design[~on], frame[outcome].to_numpy(float)
    solve = splu((base.T @ base).tocsc()).solve
    gap = y - design @ solve(base.T @ y[~on])

    late = [e for e in np.unique(event[on]) if window[0] <= e <= window[1]]
    chosen = np.column_stack([event >= 0, *(event == e for e in late)]).astype(float)
    weights = chosen / chosen.sum(axis=0)
    psi = np.zeros_like(weights)
    cell = frame.loc[on, [cohort, "year"]].to_numpy()
    mean = pd.Series(gap[on]).groupby([cell[:, 0], cell[:, 1]]).transform("mean").to_numpy()
    psi[on] = weights[on] * (gap[on] - mean)[:, None]
    psi[~on] = -(base @ solve(design[on].T @ weights[on])) * gap[~on, None]
    psi[:, chosen.sum(axis=0) < 2] = np.nan

    leads, slopes, lead_psi = _leads(
        frame[~on],
        y[~on],
        event[~on],
        base,
        solve,
        cohort,
        cluster,
        -1 - anticipation,
        len(covariates),
    )
    shown = [i for i, e in enumerate(leads) if window[0] <= e <= window[1]]
    whole = np.zeros((len(frame), len(shown)))
    whole[~on] = lead_psi[:, shown]
    psi = np.column_stack([psi[:, :1], whole, psi[:, 1:]])
    estimate = weights[on].T @ gap[on]
    names = ["att", *(f"event {int(e)}" for e in [*np.array(leads)[shown], *late])]
    return cohorts.report(
        frame,
        cohort,
        cluster,
        names,
        [estimate[0], *slopes[shown], *estimate[1:]],
        cohorts.clustered(psi, frame[cluster]),
        estimator="imputation",
        seed=seed,
        variance=f"conservative, clustered by {cluster}, G/(G-1); leads fixest CRV1",
        details={"anticipation": anticipation, "not_imputed": lost, "one_base": False},
    )


def _design(frame, covariates, untreated):
    """Entity dummies, year dummies but one, covariates, as a sparse matrix."""
    entity, names = pd.factorize(frame["entity"])
    year, _ = pd.factorize(frame["year"], sort=True)
    link = sparse.coo_matrix(
        (np.ones(untreated.sum()), (entity[untreated], year[untreated])),
        shape=(len(names), year.max() + 1),
    )
    graph = sparse.bmat([[None, link], [link.T, None]])
    parts, label = sparse.csgraph.connected_components(graph, directed=False)
    if parts > 1:
        small = np.bincount(label[: len(names)], minlength=parts).argmin()
        raise DesignError(
            cohorts.WHERE,
            "the untreated rows fall apart into groups without a common year",
            keys=names[label[: len(names)] == small],
            remedy="leave these entities out",
        )
    dummies = [
        sparse.csr_matrix(sparse.identity(k, format="csr")[code])
        for k, code in ((len(names), entity), (year.max() + 1, year))
    ]
    extra = frame[list(covariates)].to_numpy(float)
    left = absorb.demean(extra[untreated], [entity[untreated], year[untreated]])
    size = np.linalg.norm(extra[untreated], axis=0)
    if len(covariates) and np.linalg.matrix_rank(left / size, tol=ABSORBED) < len(covariates):
        raise DesignError(
            cohorts.WHERE, "covariates do not vary beside the effects", keys=covariates
        )
    return sparse.hstack([dummies[0], dummies[1][:, 1:], sparse.csr_matrix(extra)], format="csr")


def _leads(frame, y, event, base, solve, cohort, cluster, reference, covariates):
    """Regress untreated rows on event times before the treatment, effects absorbed.

    Returns event times, coefficients and influence functions (rows x leads), scaled to the part
    (N - 1) / (N - K) of fixest's correction, K without effects nested in the clusters.
    """
    leads = [e for e in np.unique(event[np.isfinite(event)]) if e != reference]
    if (frame[cohort] > 0).all():
        # Without a never treated entity a linear trend in event time is not identified.
        leads = leads[1:]
    x = (event[:, None] == np.array(leads)).astype(float)
    x -= base @ solve(base.T @ x)
    if leads and np.linalg.matrix_rank(x) < len(leads):
        raise DesignError(
            cohorts.WHERE,
            "the events before the treatment are collinear",
            keys=[int(e) for e in leads],
        )
    bread = np.linalg.inv(x.T @ x)
    y = y - base @ solve(base.T @ y)
    slopes = bread @ (x.T @ y)
    rest = y - x @ slopes
    group, _ = absorb.codes(frame[cluster])
    effects = [absorb.codes(frame[effect])[0] for effect in ("entity", "year")]
    counted = len(leads) + covariates + absorb.residual_degrees(effects, group)
    factor = (len(y) - 1) / (len(y) - counted)
    return leads, slopes, np.sqrt(factor) * (x @ bread) * rest[:, None]


def two_stage(
    rows: pd.DataFrame,
    outcome,
    cohort,
    cluster="entity",
    window=(-5, 4),
    *,
    covariates=(),
    anticipation=0,
    weights=None,
    seed=None,
):
    """Regress what is left when the effects of untreated rows are taken out (Gardner 2022).

    Parameters
    ----------
    weights : str, optional
        Column of sampling weights, for both stages.

    Returns
    -------
    Fit
        ``att``, ``event e`` (before the treatment: mean residuals of the first stage, pulled to 0
        by it), ``band``. Unweighted, the effects are those of :func:`imputation`; the variance
        carries the first stage over, times G / (G - 1). ``att`` is a regression of its own, the
        library gives no covariance of it with the events.
    """
    from diff_diff import SurveyDesign, TwoStageDiD

    columns = [*covariates, *([weights] if weights else [])]
    frame = cohorts.check(rows, outcome, cohort, cluster, columns, anticipation)
    with cohorts.noted() as notes:
        model = TwoStageDiD(cluster=cluster, anticipation=anticipation, pretrends=True)
        result = model.fit(
            frame,
            outcome=outcome,
            unit="entity",
            time="year",
            first_treat=cohort,
            covariates=list(covariates) or None,
            survey_design=SurveyDesign(weights=weights) if weights else None,
        )
        surface = result.aggregate("event_study")
    factor = cohorts.small_sample(frame[cluster].nunique())
    return from_events(
        frame,
        cohort,
        cluster,
        surface,
        factor * surface.vcov,
        window,
        att=(result.overall_att, np.sqrt(factor) * result.overall_se),
        estimator="two_stage",
        seed=seed,
        variance=f"two-stage GMM, CRV1({cluster}): G/(G-1)",
        details={"anticipation": anticipation, "notes": notes, "one_base": False},
    )


def from_events(frame, cohort, cluster, surface, vcov, window, *, att=None, mass=None, **record):
    """Report an event study of diff-diff.

    Parameters
    ----------
    surface : diff_diff.results_base.EventStudyResults
        Event times, estimates and the labels of the covariance.
    vcov : numpy.ndarray, shape (k, k)
        Covariance of the events ``surface.vcov_index``.
    att : (float, float), optional
        Estimate and standard error of the average effect, if not a mean of the events.
    mass : pandas.Series, optional
        Event time -> weight in the average effect, if it is.
    """
    index = np.asarray(surface.vcov_index, int)
    effect = dict(zip(np.asarray(surface.event_time, int), surface.att, strict=True))
    estimate = np.array([effect[e] for e in index])
    known = np.isfinite(estimate)
    index, estimate, vcov = index[known], estimate[known], vcov[np.ix_(known, known)]
    shown = (window[0] <= index) & (index <= window[1])
    weight = np.zeros(len(index))
    if att is None:
        weight = np.where(index >= 0, mass.reindex(index, fill_value=0), 0.0)
        weight /= weight.sum()
    rows = np.vstack([weight, np.eye(len(index))[shown]])
    estimate, vcov = rows @ estimate, rows @ vcov @ rows.T
    if att is not None:
        vcov[0], vcov[:, 0] = np.nan, np.nan
        estimate[0], vcov[0, 0] = att[0], att[1] ** 2
    names = ["att", *(f"event {e}" for e in index[shown])]
    return cohorts.report(frame, cohort, cluster, names, estimate, vcov, **record)
