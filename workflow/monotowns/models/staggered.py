"""Staggered adoption: Callaway and Sant'Anna (2021), Borusyak, Jaravel and Spiess (2024)."""

import warnings

import pandas as pd

from monotowns.estimates import Fit, wald_terms


def _events(result, window):
    table = result.to_dataframe("event_study")
    time = next(c for c in ("relative_period", "event_time", "horizon") if c in table)
    # The reference event has no uncertainty; it is a normalisation, not an estimate.
    table = table[table[time].between(*window) & (table["se"] > 0)]
    return table[time].astype(int), table["effect"], table["se"]


def _fit(model, rows, outcome, cohort, cluster, estimator, variance, window):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = model.fit(
            rows, outcome=outcome, unit="entity", time="year", first_treat=cohort,
            aggregate="event_study",
        )  # fmt: skip
    events, effect, se = _events(result, window)
    names = ["att", *(f"event {e}" for e in events)]
    terms = wald_terms(names, [result.overall_att, *effect], [result.overall_se, *se])
    adopted = rows.loc[rows[cohort] > 0].groupby(cohort)["entity"].nunique()
    return Fit(
        terms, estimator, variance, len(rows), rows["entity"].nunique(), rows[cluster].nunique(),
        details={"cohorts": adopted.to_dict()},
    )  # fmt: skip


def callaway_santanna(rows: pd.DataFrame, outcome, cohort, cluster="entity", window=(-5, 4)):
    """Group-time effects against never- and not-yet-treated entities, doubly robust.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, the outcome and ``cohort`` (first treated year, 0 = never).
    window : (int, int)
        Event times reported.

    Returns
    -------
    Fit
        Terms ``att`` (average over treated entity-years) and ``event e``.
    """
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(control_group="not_yet_treated", estimation_method="dr",
                             allow_unbalanced_panel=True, cluster=cluster)  # fmt: skip
    return _fit(model, rows, outcome, cohort, cluster, "callaway_santanna",
                f"influence function, clustered by {cluster}", window)  # fmt: skip


def imputation(rows: pd.DataFrame, outcome, cohort, cluster="entity", window=(-5, 4)):
    """Imputation from entity and year effects of untreated observations; see above for terms."""
    from diff_diff import ImputationDiD

    model = ImputationDiD(cluster=cluster, pretrends=True)
    return _fit(model, rows, outcome, cohort, cluster, "imputation",
                f"conservative, clustered by {cluster}", window)  # fmt: skip
