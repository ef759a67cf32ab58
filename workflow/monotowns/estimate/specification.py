"""Specifications as data: loaded, checked before anything runs, estimated a question at a time."""

import copy
from pathlib import Path

import pandas as pd

from monotowns.estimate import sample
from monotowns.estimate.estimators import ESTIMATORS, FIELDS, check_fields
from monotowns.estimate.record import RECORD, to_records
from monotowns.run import schema
from monotowns.run.errors import ConfigError, DesignError
from monotowns.run.settings import load_yaml, merged

#: Columns of the flow of a sample.
FLOW = ["specification", "step", "rows", "entities"]
#: The layer of data of a specification that names none.
LAYER = "municipalities"
#: How a step of the flow begins that says why there is no estimate.
REFUSED = "not estimated: "


def load(paths) -> tuple[dict, str]:
    """Lay specification files over one another; also their names, for messages."""
    paths = [paths] if isinstance(paths, (str, Path)) else paths
    return merged(*map(load_yaml, paths)), ", ".join(map(str, paths))


def declared_schema() -> dict:
    """The JSON schema of a specification file, with the estimators that there are."""
    whole = copy.deepcopy(schema.load("specifications"))
    fields = whole["properties"]["specifications"]["additionalProperties"]["properties"]
    fields["estimator"]["enum"] = list(ESTIMATORS)
    return whole


def load_specifications(paths, years: dict) -> dict:
    """Load and check samples, dummies and specifications.

    Parameters
    ----------
    paths : path-like or list of path-like
        Later files add to earlier ones and overrule them; null removes an entry.
    years : dict
        ``first`` and ``last`` year of the panel.

    Returns
    -------
    dict
        Specification name -> its fields with the defaults that its estimator reads filled in, and
        under ``rows``, ``dummies`` and ``derived`` the conditions of its sample and the columns
        that it names: all that its estimation depends on.

    Raises
    ------
    ConfigError
        For unknown names, each with the nearest valid one, and for fields that the estimator does
        not read.
    """
    loaded, path = load(paths)
    if isinstance(loaded.get("specifications"), dict):
        defaults = _defaults(loaded, path)
        single = _for_each_outcome(loaded["specifications"], path)
        loaded = loaded | {"specifications": {k: _filled(v, defaults) for k, v in single.items()}}
    schema.check(loaded, "specifications", path, whole=declared_schema())
    for kind in ("samples", "dummies"):
        for name, conditions in loaded.get(kind, {}).items():
            _check_ranges(conditions, f"{path}, {name}")
    for name, spec in loaded["specifications"].items():
        where = f"{path}, {name}"
        check_fields(spec, where)
        if "questions" in loaded:
            _one_of(loaded["questions"], spec["question"], "question", where)
        window = spec.get("years", {})
        spec.setdefault("layer", LAYER)
        for year in [*window.values(), *([spec["base"]] if "base" in spec else [])]:
            # The years of the other layers are those of their tables.
            if spec["layer"] == LAYER and not years["first"] <= year <= years["last"]:
                expected = f"{years['first']} to {years['last']}"
                raise ConfigError(where, "year out of range", found=year, expected=expected)
        if window.get("first", 0) > window.get("last", 9999):
            raise ConfigError(where, "the window is empty", keys=["years"], found=window)
        spec["rows"] = _one_of(loaded["samples"], spec["sample"], "sample", where)
        spec["dummies"] = _named_in(sample.columns_of(spec), loaded.get("dummies", {}))
        conditions = [spec["rows"], *spec["dummies"].values()]
        named = [*sample.columns_of(spec), *(column for of in conditions for column in of)]
        spec |= _derived_in(named, loaded)
    return loaded["specifications"]


def _for_each_outcome(specifications: dict, path: str) -> dict:
    """Write a specification with several outcomes as one for each, ``<name>_<outcome>``."""
    found = {}
    for name, spec in specifications.items():
        several = spec.get("outcomes") if isinstance(spec, dict) else None
        if not isinstance(several, list):
            found[name] = spec
            continue
        if "outcome" in spec:
            raise ConfigError(f"{path}, {name}", "has both an outcome and outcomes", found=several)
        rest = {field: value for field, value in spec.items() if field != "outcomes"}
        found |= {f"{name}_{outcome}": rest | {"outcome": outcome} for outcome in several}
    return found


def _filled(spec, defaults):
    """A specification over those defaults that its estimator reads."""
    if not isinstance(spec, dict):
        return spec
    estimator = ESTIMATORS.get(spec.get("estimator", defaults.get("estimator")))
    unread = [f for f in FIELDS if estimator is not None and f not in estimator.reads]
    return {k: v for k, v in defaults.items() if k not in unread} | spec


def _defaults(loaded, path):
    """The fields of every specification; a fault in them is reported once, not for each."""
    defaults = loaded.get("defaults") or {}
    fields = schema.load("specifications")["properties"]["specifications"]["additionalProperties"]
    if not isinstance(defaults, dict):
        raise ConfigError(f"{path}, defaults", "not fields of a specification", found=defaults)
    if unknown := [k for k in defaults if k not in fields["properties"]]:
        remedy = "; ".join(schema.nearest(k, fields["properties"]) for k in unknown)
        problem = "not fields of a specification"
        raise ConfigError(f"{path}, defaults", problem, keys=unknown, remedy=remedy)
    return defaults


def _check_ranges(conditions, where):
    for column, condition in conditions.items():
        if not isinstance(condition, dict):
            continue
        low, high = condition.get("min"), condition.get("max")
        words = [v for v in (low, high) if isinstance(v, str) and v not in ("first", "last")]
        if words:
            expected = "a number, first or last"
            raise ConfigError(
                where, "a bound is no number", keys=[column], found=words[0], expected=expected
            )
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            found = f"min {low} above max {high}"
            raise ConfigError(where, "no value lies in this range", keys=[column], found=found)


def _one_of(known: dict, name: str, what: str, where: str):
    if name not in known:
        raise ConfigError(where, f"unknown {what} '{name}'", remedy=schema.nearest(name, known))
    return known[name]


def _named_in(columns, dummies: dict) -> dict:
    """The dummies that stand in the columns, alone or in a product."""
    parts = {part for column in columns for part in column.split(":")}
    return {k: v for k, v in dummies.items() if k in parts}


def _derived_in(columns, loaded: dict) -> dict:
    """The derived columns that are named, under their key; nothing where there are none."""
    derived = _named_in(columns, loaded.get("derived", {}))
    return {"derived": derived} if derived else {}


def load_section(paths, section: str) -> dict:
    """Load ``curves``, ``families``, ``questions`` or ``effects`` of specification files.

    Samples and dummies that a curve names come with it, as in :func:`load_specifications`.

    Raises
    ------
    ConfigError
        For an unknown sample or specification, with the nearest valid name.
    """
    loaded, path = load(paths)
    found = loaded.get(section, {})
    for name, entry in found.items() if section in ("curves", "families") else ():
        where = f"{path}, {name}"
        if "samples" in entry:
            entry["samples"] = {
                s: _one_of(loaded["samples"], s, "sample", where) for s in entry["samples"]
            }
            controls = [c for cs in entry.get("optional_controls", {}).values() for c in cs]
            named = [*entry["outcomes"], *entry["treatments"], *controls]
            entry["dummies"] = _named_in(named, loaded.get("dummies", {}))
            entry |= _derived_in(named, loaded)
        else:
            named = [*entry["outcomes"], *entry["observables"]]
            entry["dummies"] = _named_in(named, loaded.get("dummies", {}))
            entry |= _derived_in(named, loaded)
            known = _for_each_outcome(loaded["specifications"], path)
            _one_of(known, entry["specification"], "specification", where)
    return found


def estimate(frame: pd.DataFrame, name: str, spec: dict, draws: int, seed: int):
    """Estimate one specification.

    Returns
    -------
    records : pandas.DataFrame
        One result record a term.
    flow : pandas.DataFrame
        :data:`FLOW`, from the panel to the estimation.

    Raises
    ------
    DesignError
        These rows do not identify what the specification asks for.
    """
    panel, drawn, rows = sample.draw(frame, spec, f"specification {name}")
    fits = ESTIMATORS[spec["estimator"]].fit(rows, f"specification {name}", spec, draws, seed)
    steps = [("panel", panel), (f"sample {spec['sample']}", drawn), ("no value missing", rows)]
    flow = [(name, step, len(part), part["entity"].nunique()) for step, part in steps]
    flow.append((name, "estimated", fits[0].n_obs, fits[0].n_entities))
    about = {"specification": name, "weights": spec.get("weights", "none"), "seed": seed}
    about |= {field: spec[field] for field in ("question", "group", "outcome", "sample")}
    records = pd.concat([to_records(one, **about) for one in fits], ignore_index=True)
    return records, pd.DataFrame(flow, columns=FLOW)


def estimate_or_say_why(frame: pd.DataFrame, name: str, spec: dict, draws: int, seed: int):
    """Estimate one specification, or say in its flow why these data do not identify it.

    So that one specification of a question does not lose its neighbours; whether the study stops
    at a refusal is decided where all records are collected.

    Returns
    -------
    records, flow : pandas.DataFrame
        As :func:`estimate`; without a record, and with the step ``not estimated: <why>`` last,
        where :func:`estimate` raises a DesignError.
    """
    try:
        return estimate(frame, name, spec, draws, seed)
    except DesignError as error:
        keys = ", ".join(map(str, error.keys[:3]))
        parts = [error.problem, keys and f"at {keys}", error.expected and f"needs {error.expected}"]
        why = "; ".join(map(str, filter(None, [*parts, error.found and f"found {error.found}"])))
        rows = [(name, "panel", len(frame), frame["entity"].nunique())]
        rows.append((name, f"{REFUSED}{why}", 0, 0))
        return pd.DataFrame(columns=RECORD), pd.DataFrame(rows, columns=FLOW)
