"""Estimators, each behind one function that returns :class:`monotowns.estimates.Fit`."""

from importlib import import_module

import pandas as pd

from monotowns.estimates import to_records
from monotowns.models import design
from monotowns.settings import ESTIMATORS


def prepare(panel: pd.DataFrame, *tables: pd.DataFrame) -> pd.DataFrame:
    """Join tables by entity (and year) and write the TOSER cohort as the estimators want it.

    ``toser_cohort`` is the first year of the status, 0 for never; an undated status is neither
    treated nor a control, so its cohort is missing.
    """
    frame = panel
    for table in tables:
        by_year = "year" in table
        frame = frame.merge(table, on=["entity", "year"] if by_year else "entity", how="left",
                            validate="1:1" if by_year else "m:1")  # fmt: skip
    cohort = frame["toser"].fillna(0).where(frame["toser"] != 0)
    return frame.assign(toser_cohort=cohort)


def fit(rows: pd.DataFrame, spec: dict, draws: int, seed: int) -> list:
    """Fit a checked specification on its rows.

    Returns
    -------
    list of Fit
        The specification's own first, then the same estimates under its further variances.
    """
    module = import_module(f"monotowns.models.{ESTIMATORS[spec['estimator']]}")
    outcome, treatment, cluster = spec["outcome"], spec["treatment"], spec["cluster"]
    controls = spec.get("controls", [])
    linear = {"fixed_effects": spec.get("fixed_effects", []), "cluster": cluster,
              "weights": spec.get("weights")}  # fmt: skip
    if spec["estimator"] == "iv":
        found = module.iv(rows, outcome, treatment, spec["instruments"], controls, **linear)
        return module.weak_instrument_records(found)
    if spec["estimator"] not in ("ols", "event_study"):
        options = spec.get("options", {})
        return [getattr(module, spec["estimator"])(rows, outcome, treatment, cluster, **options)]
    if spec["estimator"] == "event_study":
        rows, names = module.by_year(rows, treatment, spec["base"])
        found = module.event_study(rows, outcome, names, controls, seed=seed, **linear)
    else:
        names = [treatment] if isinstance(treatment, str) else list(treatment)
        found = module.least_squares(rows, outcome, [*names, *controls], **linear)
    if not spec.get("variances"):
        return [found]
    variances = import_module("monotowns.models.variances")
    return [found, *variances.alternatives(found, outcome, [*names, *controls], spec, draws, seed)]


def estimate(frame: pd.DataFrame, name: str, spec: dict, draws: int, seed: int):
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
    fits = fit(rows, spec, draws, seed)
    steps = [("panel", frame), (f"sample {spec['sample']}", sample), ("no value missing", rows)]
    flow = [(name, step, len(part), part["entity"].nunique()) for step, part in steps]
    flow.append((name, "estimated", fits[0].n_obs, fits[0].n_entities))
    about = {"specification": name, "weights": spec.get("weights", "none"), "seed": seed}
    about |= {field: spec[field] for field in ("question", "group", "outcome", "sample")}
    records = pd.concat([to_records(one, **about) for one in fits], ignore_index=True)
    return records, pd.DataFrame(flow, columns=["specification", "step", "rows", "entities"])
