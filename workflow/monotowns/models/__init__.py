"""Estimators, each behind one function that returns :class:`monotowns.estimates.Fit`."""

import pandas as pd

from monotowns.estimates import to_records
from monotowns.models import design, staggered, twoway


def prepare(panel: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """Join the measures and write the TOSER cohort as the estimators want it (0 = never)."""
    frame = panel.merge(measures, on=["entity", "year"], how="left", validate="1:1")
    return frame.assign(toser_cohort=frame["toser"].fillna(0).astype(int))


def fit(rows: pd.DataFrame, spec: dict, seed: int):
    """Fit a checked specification on its rows; see the modules for what each estimator takes."""
    outcome, treatment, cluster = spec["outcome"], spec["treatment"], spec["cluster"]
    effects = spec.get("fixed_effects", ())
    if spec["estimator"] == "event_study":
        return twoway.event_study(rows, outcome, treatment, spec["base"], effects, cluster, seed)
    if spec["estimator"] == "ols":
        return twoway.ols(rows, outcome, treatment, spec.get("controls", ()), effects, cluster)
    return getattr(staggered, spec["estimator"])(rows, outcome, treatment, cluster)


def estimate(frame: pd.DataFrame, name: str, spec: dict, seed: int):
    """Estimate one specification.

    Returns
    -------
    records : pandas.DataFrame
        One result record a term.
    flow : pandas.DataFrame
        ``specification``, ``step``, ``rows``, ``entities`` from the panel to the estimation.

    Raises
    ------
    DesignError
        See :func:`monotowns.models.design.check`.
    """
    sample = design.draw_sample(frame, spec["sample"])
    rows = design.check(sample, name, spec)
    result = fit(rows, spec, seed)
    steps = [("panel", frame), (f"sample {spec['sample']}", sample), ("no value missing", rows)]
    flow = [(name, step, len(part), part["entity"].nunique()) for step, part in steps]
    flow.append((name, "estimated", result.n_obs, result.n_entities))
    records = to_records(
        result, specification=name, question=spec["question"], group=spec["group"],
        outcome=spec["outcome"], sample=spec["sample"], weights="none", seed=seed,
    )  # fmt: skip
    return records, pd.DataFrame(flow, columns=["specification", "step", "rows", "entities"])
