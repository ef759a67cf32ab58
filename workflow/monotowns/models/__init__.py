"""Estimators, each behind one function that returns :class:`monotowns.estimates.Fit`."""

import pandas as pd

from monotowns.estimates import to_records
from monotowns.models import design, staggered, twoway


def estimate(panel: pd.DataFrame, name: str, spec: dict):
    """Check one specification on its sample and fit it.

    Raises
    ------
    DesignError
        See :func:`monotowns.models.design.check`.
    """
    panel = panel.assign(toser_cohort=panel["toser"].fillna(0).astype(int))
    rows = design.check(design.draw_sample(panel, spec["sample"]), name, spec)
    outcome, treatment, cluster = spec["outcome"], spec["treatment"], spec["cluster"]
    effects = spec.get("fixed_effects", ())
    if spec["estimator"] == "event_study":
        return twoway.event_study(rows, outcome, treatment, spec["base"], effects, cluster)
    if spec["estimator"] == "ols":
        return twoway.ols(rows, outcome, treatment, spec.get("controls", ()), effects, cluster)
    return getattr(staggered, spec["estimator"])(rows, outcome, treatment, cluster)


def estimate_all(panel: pd.DataFrame, specifications: dict, seed: int) -> pd.DataFrame:
    """Result records of all specifications, in their order."""
    records = [
        to_records(
            estimate(panel, name, spec), specification=name, question=spec["question"],
            group=spec["group"], outcome=spec["outcome"], sample=spec["sample"],
            weights="none", seed=seed,
        )
        for name, spec in specifications.items()
    ]  # fmt: skip
    return pd.concat(records, ignore_index=True)
