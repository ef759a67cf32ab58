"""Checks of a staggered policy beyond single specifications."""

import numpy as np
import pandas as pd

from monotowns.estimate.cohorts import pretrend_test
from monotowns.estimate.imputation import imputation
from monotowns.estimate.power import detectable_slope
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.estimate.record import TERMS, Fit
from monotowns.run.errors import DesignError


def cohort_means(rows, outcome, cohort) -> pd.DataFrame:
    """Raw means by adoption cohort and year.

    Returns
    -------
    pandas.DataFrame
        ``cohort`` (0 = never), ``year``, ``mean``, ``entities``.
    """
    groups = rows.groupby([cohort, "year"])
    table = groups.agg(mean=(outcome, "mean"), entities=("entity", "nunique")).reset_index()
    return table.rename(columns={cohort: "cohort"}).astype({"cohort": int})


def overlap(rows, cohort, columns, year) -> pd.DataFrame:
    """Means before the policy of those who ever got it and those who never did.

    Returns
    -------
    pandas.DataFrame
        ``column``, ``ever``, ``never``, ``standardised_difference`` (over the root of the mean of
        the two variances), ``entities_ever``, ``entities_never``.

    Raises
    ------
    DesignError
        Nobody is in one of the groups in that year.
    """
    at = rows[rows["year"] == year]
    ever, never = at[at[cohort] > 0], at[at[cohort] == 0]
    if ever.empty or never.empty:
        raise DesignError("overlap", "one group is empty", keys=[year])
    found = []
    for column in columns:
        spread = np.sqrt((ever[column].var() + never[column].var()) / 2)
        gap = ever[column].mean() - never[column].mean()
        found.append(
            (column, ever[column].mean(), never[column].mean(), gap / spread, len(ever), len(never))
        )
    names = [
        "column",
        "ever",
        "never",
        "standardised_difference",
        "entities_ever",
        "entities_never",
    ]
    return pd.DataFrame(found, columns=names)


def leave_one_out(rows, outcome, cohort, by) -> pd.DataFrame:
    """The imputation estimate without each level of a column in turn.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``left_out``, ``estimate``, ``ci_low``, ``ci_high``; levels whose absence leaves no
        treated or no untreated entity are not among them.
    """
    found = []
    for level in sorted(rows[by].unique()):
        # Of the adoption years, never is what all are compared with.
        if by == cohort and level == 0:
            continue
        kept = rows[rows[by] != level]
        if not (kept[cohort] > 0).any() or not (kept[cohort] == 0).any():
            continue
        att = imputation(kept, outcome, cohort)["att"]
        found.append((by, level, att["estimate"], att["ci_low"], att["ci_high"]))
    return pd.DataFrame(found, columns=["by", "left_out", "estimate", "ci_low", "ci_high"])


def randomization(rows, outcome, cohort, strata, draws, seed) -> Fit:
    """Imputation estimate under adoption years permuted within strata.

    Returns
    -------
    Fit
        Term ``att`` with the randomization p-value and no standard error.
    """
    entities = rows.drop_duplicates("entity").sort_values("entity")
    statistic = imputation_statistic(rows[outcome], rows["entity"], rows["year"])
    dealt = (entities[cohort].to_numpy(), entities[strata].to_numpy())
    test = randomization_test(statistic, *dealt, draws, seed)
    row = ("att", test.statistic, *[np.nan] * 3, test.p_value)
    return Fit(
        pd.DataFrame([row], columns=TERMS),
        "imputation",
        f"randomization of adoption years within {strata}, {draws} draws",
        len(rows),
        len(entities),
        len(entities),
    )


def pretrends(fit: Fit, seed) -> dict:
    """Joint test of the events before the policy, and the slope it would have found.

    Returns
    -------
    dict
        ``statistic``, ``p_value``, ``slope_50`` and ``slope_80``: slope a year of a linear
        difference in trends that the joint test finds with that power (Roth 2022).
    """
    test = pretrend_test(fit)
    names = fit.terms["term"].tolist()
    events = [n for n in names if n.startswith("event -") and np.isfinite(fit[n]["p_value"])]
    events = [n for n in events if n != "event -1"]
    places = [names.index(n) for n in events]
    periods = [int(n.removeprefix("event ")) for n in events]
    covariance = np.asarray(fit.covariance)[np.ix_(places, places)]
    slopes = {
        f"slope_{int(100 * power)}": detectable_slope(
            power, covariance, periods, -1, test="joint", seed=seed
        )
        for power in (0.5, 0.8)
    }
    return {"statistic": test.statistic, "p_value": test.p_value} | slopes
