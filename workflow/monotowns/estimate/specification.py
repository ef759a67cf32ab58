"""From a specification to its records: the panel joined, the sample drawn, the estimator run."""

from importlib import import_module
from inspect import signature

import pandas as pd

from monotowns.estimate import sample as design
from monotowns.estimate.record import RECORD, to_records
from monotowns.run.errors import DesignError
from monotowns.run.settings import ESTIMATORS


def prepare(panel: pd.DataFrame, *tables: pd.DataFrame, joined=()) -> pd.DataFrame:
    """Join tables to the panel and write the TOSER cohort as the estimators want it.

    ``toser_cohort`` is the first year of the status, 0 for never; an undated status is neither
    treated nor a control, so its cohort is missing.

    Parameters
    ----------
    panel : pandas.DataFrame
    *tables : pandas.DataFrame
        By ``entity`` and ``year``, or by ``entity`` alone.
    joined : sequence of (str, pandas.DataFrame, list of str)
        Further tables: name, rows, key columns.

    Raises
    ------
    DesignError
        A further table lacks a key, repeats one, or has a column that the panel has already.
    """
    frame = panel
    for table in tables:
        keys = ["entity", "year"] if "year" in table else ["entity"]
        frame = frame.merge(table, on=keys, how="left", validate="m:1")
    for name, table, keys in joined:
        frame = design.join(frame, name, table, keys)
    cohort = frame["toser"].fillna(0).where(frame["toser"] != 0)
    return frame.assign(toser_cohort=cohort)


def fit(rows: pd.DataFrame, spec: dict, draws: int, seed: int) -> list:
    """Fit a checked specification on its rows.

    Returns
    -------
    list of Fit
        The specification's own first, then the same estimates under its further variances.
    """
    module = import_module(f"monotowns.estimate.{ESTIMATORS[spec['estimator']]}")
    outcome, treatment, cluster = spec["outcome"], spec["treatment"], spec["cluster"]
    controls = spec.get("controls", [])
    linear = {
        "fixed_effects": spec.get("fixed_effects", []),
        "cluster": cluster,
        "weights": spec.get("weights"),
    }
    if spec["estimator"] == "iv":
        found = module.iv(rows, outcome, treatment, spec["instruments"], controls, **linear)
        return module.weak_instrument_records(found)
    if spec["estimator"] not in ("ols", "event_study"):
        function, options = getattr(module, spec["estimator"]), spec.get("options", {})
        if "seed" in signature(function).parameters:
            options = options | {"seed": seed}
        return [function(rows, outcome, treatment, cluster, **options)]
    if spec["estimator"] == "event_study":
        rows, names = module.by_year(rows, treatment, spec["base"])
        found = module.event_study(rows, outcome, names, controls, seed=seed, **linear)
    else:
        names = [treatment] if isinstance(treatment, str) else list(treatment)
        found = module.least_squares(rows, outcome, [*names, *controls], **linear)
    if not spec.get("variances"):
        return [found]
    variances = import_module("monotowns.estimate.variances")
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
        See :func:`monotowns.estimate.sample.check`.
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


def estimate_or_say_why(frame: pd.DataFrame, name: str, spec: dict, draws: int, seed: int):
    """Estimate one specification, or say in its flow why these data do not carry it.

    Returns
    -------
    records, flow : pandas.DataFrame
        As :func:`estimate`; without a record, and with the step ``not estimated: <why>`` last,
        where :func:`estimate` raises a :class:`~monotowns.run.errors.DesignError`.
    """
    try:
        return estimate(frame, name, spec, draws, seed)
    except DesignError as error:
        why = " ".join([error.problem, *map(str, error.keys[:3])])
        rows = [
            (name, "panel", len(frame), frame["entity"].nunique()),
            (name, f"not estimated: {why}", 0, 0),
        ]
        flow = pd.DataFrame(rows, columns=["specification", "step", "rows", "entities"])
        return pd.DataFrame(columns=RECORD), flow
