"""What the estimators for staggered adoption share: refusals, terms, the test of pre-trends."""

import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from monotowns.estimate import regression as twoway
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

WHERE = "staggered adoption"


def check(rows, outcome, cohort, cluster, covariates=(), anticipation=0) -> pd.DataFrame:
    """Refuse a panel from which no cohort's effect can be estimated.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, the outcome, ``cohort`` (first treated year, 0 = never), the cluster
        and the covariates.
    anticipation : int
        Years before the cohort's year in which the treatment may already act.

    Returns
    -------
    pandas.DataFrame
        The columns needed, sorted by entity and year, the cohort as integer; entities seen in one
        year only are left out, they carry no change.

    Raises
    ------
    DesignError
        A value is missing; an entity-year stands twice; cohort or cluster varies within an entity;
        nobody is treated; a cohort lies outside the panel; nobody is a control; a treated entity
        was never seen untreated; fewer than two clusters.
    """
    numeric = [outcome, cohort, *covariates]
    columns = list(dict.fromkeys(["entity", "year", *numeric, cluster]))
    frame = rows[columns].copy()
    infinite = ~np.isfinite(frame[numeric].to_numpy(float)).all(axis=1)
    _refuse(
        frame,
        frame.isna().any(axis=1) | infinite,
        "a value is missing",
        remedy="drop the rows; a never treated entity has cohort 0",
    )
    _refuse(frame, frame.duplicated(["entity", "year"]), "an entity-year stands twice")
    for column in (cohort, cluster):
        varies = frame.groupby("entity")[column].transform("nunique") > 1
        _refuse(frame, varies, f"{column} varies within an entity")
    frame = frame.astype({cohort: int}).sort_values(["entity", "year"])
    frame = twoway.drop_singletons(frame, ["entity"])

    treated = frame[frame[cohort] > 0]
    if treated.empty:
        raise DesignError(WHERE, "no entity is treated", keys=[cohort])
    first, last = frame["year"].min(), frame["year"].max()
    outside = ~treated[cohort].between(first + 1 + anticipation, last)
    _refuse(
        treated,
        outside,
        "the cohort lies outside the panel",
        expected=f"0 or {first + 1 + anticipation} to {last}",
        remedy="0 = not treated within the panel; leave out who was before it",
    )
    if len(treated) == len(frame) and treated[cohort].nunique() == 1:
        raise DesignError(WHERE, "no entity is a control", expected="one never or later treated")
    before = treated["year"] < treated[cohort] - anticipation
    unseen = ~before.groupby(treated["entity"]).transform("any")
    _refuse(treated, unseen, "a treated entity is never seen untreated", remedy="leave it out")
    if frame[cluster].nunique() < 2:
        raise DesignError(WHERE, "fewer than two clusters", keys=[cluster])
    return frame


def _refuse(frame, at, problem, **context):
    if at.any():
        keys = frame.loc[at, ["entity", "year"]].itertuples(index=False, name=None)
        raise DesignError(WHERE, problem, keys=keys, **context)


def need_balance(frame):
    """Raise DesignError unless every entity is seen in every year."""
    seen = frame.groupby("entity")["year"].transform("size")
    _refuse(
        frame,
        seen < frame["year"].nunique(),
        "the panel is not balanced",
        remedy="leave out the entities or the years with gaps",
    )


def need_entity_clusters(frame, cluster, estimator):
    """Raise DesignError if clusters hold several entities, which this estimator cannot take."""
    if frame[cluster].nunique() < frame["entity"].nunique():
        raise DesignError(
            f"estimator {estimator}",
            "its variance is by entity only",
            keys=[cluster],
            remedy="cluster by entity",
        )


@contextmanager
def noted():
    """Collect what a library warns of, so that it reaches the details of the fit."""
    notes = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    said = (w for w in caught if issubclass(w.category, UserWarning | RuntimeWarning))
    notes.extend(dict.fromkeys(str(w.message) for w in said))


def small_sample(clusters) -> float:
    """G / (G - 1): what of fixest's correction applies where no coefficients are counted."""
    return clusters / (clusters - 1)


def clustered(psi, clusters) -> np.ndarray:
    """Covariance from influence functions (n rows or entities, k terms), summed over clusters.

    A missing value makes its term's variance missing; the factor of :func:`small_sample` is on.
    """
    code, labels = pd.factorize(np.asarray(clusters))
    sums = np.zeros((len(labels), psi.shape[1]))
    np.add.at(sums, code, psi)
    return small_sample(len(labels)) * sums.T @ sums


def report(
    frame,
    cohort,
    cluster,
    names,
    estimate,
    covariance,
    *,
    estimator,
    variance,
    seed=None,
    details=None,
) -> Fit:
    """Write estimates with their covariance as a result record.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows that entered.
    names, estimate : sequence, length k
    covariance : array_like, shape (k, k)
        NaN where the estimator gives none.

    Returns
    -------
    Fit
        Student's t with clusters - 1 degrees of freedom. Where the covariance of the terms
        ``event e`` is known and a seed is given, a last term ``band`` holds the critical value of
        their uniform 95 per cent band; the covariance is of the terms before it.
    """
    clusters = frame[cluster].nunique()
    covariance = np.asarray(covariance, float)
    spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
    terms = wald_terms(names, estimate, spread, df=clusters - 1)
    events = terms["term"].str.startswith("event").to_numpy()
    block = covariance[np.ix_(events, events)]
    # An event without any spread (no noise, or a cell of one entity) has no place in a band.
    block = block[np.ix_(np.diag(block) > 0, np.diag(block) > 0)]
    if seed is not None and block.size and np.isfinite(block).all():
        critical = twoway.sup_t(block, seed=seed)
        terms.loc[len(terms)] = ["band", critical, *[np.nan] * 4]
    adopted = frame[frame[cohort] > 0].groupby(cohort)["entity"].nunique()
    return Fit(
        terms,
        estimator,
        f"{variance}; t({clusters - 1})",
        len(frame),
        frame["entity"].nunique(),
        clusters,
        covariance,
        {"cohorts": adopted.to_dict(), **(details or {})},
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
    names = fit.terms["term"].str.extract(r"^event (-\d+)$", expand=False).astype(float)
    early = np.flatnonzero(names < -fit.details.get("anticipation", 0))
    if not len(early):
        raise DesignError(where, "no event before the treatment is reported")
    covariance = np.full((1, 1), np.nan)
    if fit.covariance is not None:
        covariance = fit.covariance[np.ix_(early, early)]
    if not np.isfinite(covariance).all():
        raise DesignError(where, "the estimator gives no covariance of the events")
    if np.linalg.matrix_rank(covariance, hermitian=True) < len(early):
        raise DesignError(
            where,
            "the covariance of the events is singular",
            keys=fit.terms["term"].iloc[early],
            found=fit.n_clusters,
        )
    estimate = fit.terms["estimate"].to_numpy()[early]
    wald, count = float(estimate @ np.linalg.solve(covariance, estimate)), len(early)
    df = fit.n_clusters - count
    statistic = wald * df / (count * (fit.n_clusters - 1))
    return PretrendTest(statistic, count, df, float(fdtrc(count, df, statistic)))
