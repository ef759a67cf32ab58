"""Estimators, each behind one function that returns :class:`monotowns.estimates.Fit`."""

from importlib import import_module

import pandas as pd

from monotowns.estimates import to_records
from monotowns.models import design
from monotowns.settings import ESTIMATORS


def prepare(panel: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """Join the measures and write the TOSER cohort as the estimators want it.

    ``toser_cohort`` is the first year of the status, 0 for never; an undated status is neither
    treated nor a control, so its cohort is missing.
    """
    frame = panel.merge(measures, on=["entity", "year"], how="left", validate="1:1")
    cohort = frame["toser"].fillna(0).where(frame["toser"] != 0)
    return frame.assign(toser_cohort=cohort)


def fit(rows: pd.DataFrame, spec: dict, seed: int):
    """Fit a checked specification on its rows; see the modules for what each estimator takes."""
    module = import_module(f"monotowns.models.{ESTIMATORS[spec['estimator']]}")
    outcome, treatment, cluster = spec["outcome"], spec["treatment"], spec["cluster"]
    linear = {"controls": spec.get("controls", []), "fixed_effects": spec.get("fixed_effects", []),
              "cluster": cluster, "weights": spec.get("weights")}  # fmt: skip
    if spec["estimator"] == "event_study":
        return module.event_study(rows, outcome, treatment, spec["base"], seed=seed, **linear)
    if spec["estimator"] == "ols":
        names = [treatment] if isinstance(treatment, str) else list(treatment)
        return module.least_squares(rows, outcome, names + linear.pop("controls"), **linear)
    return getattr(module, spec["estimator"])(rows, outcome, treatment, cluster)


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
    frame = design.with_columns(frame, spec, f"specification {name}")
    sample = frame[design.holds(frame, spec["rows"])]
    years = spec.get("years", {})
    sample = sample[sample["year"].between(years.get("first", 0), years.get("last", 9999))]
    rows = design.check(sample, name, spec)
    result = fit(rows, spec, seed)
    steps = [("panel", frame), (f"sample {spec['sample']}", sample), ("no value missing", rows)]
    flow = [(name, step, len(part), part["entity"].nunique()) for step, part in steps]
    flow.append((name, "estimated", result.n_obs, result.n_entities))
    records = to_records(
        result, specification=name, question=spec["question"], group=spec["group"],
        outcome=spec["outcome"], sample=spec["sample"], weights=spec.get("weights", "none"),
        seed=seed,
    )  # fmt: skip
    return records, pd.DataFrame(flow, columns=["specification", "step", "rows", "entities"])
