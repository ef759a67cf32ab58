"""The one result record: what every estimator returns and every table, figure and claim reads."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

# scipy.stats takes as long to import as a whole estimation; its t distribution is these two.
from scipy.special import ndtr, ndtri, stdtr, stdtrit

#: Columns of ``results/estimates.csv``, in order.
RECORD = [
    "specification",
    "question",
    "group",
    "outcome",
    "sample",
    "estimator",
    "term",
    "estimate",
    "standard_error",
    "ci_low",
    "ci_high",
    "p_value",
    "n_obs",
    "n_entities",
    "n_clusters",
    "variance",
    "weights",
    "seed",
]

#: Columns of :attr:`Fit.terms`, in order.
TERMS = ["term", "estimate", "standard_error", "ci_low", "ci_high", "p_value"]


@dataclass(frozen=True)
class Fit:
    """What one estimation found.

    Attributes
    ----------
    terms : pandas.DataFrame
        One row a term with the columns of :data:`TERMS`; the interval has the level the
        estimator was asked for (95 per cent unless said).
    estimator : str
        Name of the estimator, as in the specifications.
    variance : str
        Variance estimator with its small-sample convention, e.g. ``"CRV1(region), fixest ssc"``.
    n_obs, n_entities, n_clusters : int
        Rows, entities and clusters that entered the estimation.
    covariance : numpy.ndarray or None
        Covariance of the terms in the order of ``terms``, where the estimator gives one.
    details : dict
        Anything else (first-stage F, uniform critical value, cohort sizes, ...).
    """

    terms: pd.DataFrame
    estimator: str
    variance: str
    n_obs: int
    n_entities: int
    n_clusters: int
    covariance: np.ndarray | None = None
    details: dict = field(default_factory=dict)

    def __getitem__(self, term: str) -> pd.Series:
        """The row of one term."""
        rows = self.terms.loc[self.terms["term"] == term]
        if len(rows) != 1:
            raise KeyError(f"no single term {term!r}; there are {list(self.terms['term'])}")
        return rows.iloc[0]


def wald_terms(names, estimate, standard_error, *, level=0.95, df=np.inf) -> pd.DataFrame:
    """Interval and two-sided p-value of estimates with known standard errors.

    Parameters
    ----------
    names : sequence of str
        Names of the ``k`` terms.
    estimate, standard_error : array_like, shape (k,)
        In the units of the outcome per unit of the regressor.
    level : float
        Coverage of the interval.
    df : float
        Degrees of freedom of Student's t; ``inf`` is the normal.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`TERMS`.
    """
    estimate = np.asarray(estimate, dtype=float)
    standard_error = np.asarray(standard_error, dtype=float)
    tail = 0.5 + level / 2
    critical = stdtrit(df, tail) if np.isfinite(df) else ndtri(tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = -np.abs(estimate / standard_error)
        p_value = 2 * (stdtr(df, ratio) if np.isfinite(df) else ndtr(ratio))
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": estimate,
            "standard_error": standard_error,
            "ci_low": estimate - critical * standard_error,
            "ci_high": estimate + critical * standard_error,
            "p_value": p_value,
        }
    )


def terms_by_chance(names, estimate, p_value) -> pd.DataFrame:
    """Terms (:data:`TERMS`) of a permutation: a p-value each, no standard error and no interval."""
    return pd.DataFrame({"term": list(names), "estimate": estimate, "p_value": p_value}).reindex(
        columns=TERMS
    )


def to_records(fit: Fit, *, specification, question, group, outcome, sample, weights, seed):
    """Give a fit its place in the study: one row a term with the columns of :data:`RECORD`."""
    frame = fit.terms.assign(
        specification=specification,
        question=question,
        group=group,
        outcome=outcome,
        sample=sample,
        estimator=fit.estimator,
        n_obs=fit.n_obs,
        n_entities=fit.n_entities,
        n_clusters=fit.n_clusters,
        variance=fit.variance,
        weights=weights,
        seed=seed,
    )
    return frame[RECORD]
