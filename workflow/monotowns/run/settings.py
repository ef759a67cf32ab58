"""Config and specifications: loaded safely, checked before anything runs."""

from pathlib import Path

from monotowns.run import schema
from monotowns.run.errors import ConfigError

#: The module of ``monotowns.models`` of every estimator, chosen while running: an edit of one
#: estimator's module concerns only the specifications that use it.
ESTIMATORS = {
    "ols": "regression",
    "event_study": "regression",
    "iv": "instrumental",
    "imputation": "staggered",
    "callaway_santanna": "staggered",
    "sun_abraham": "staggered",
    "two_stage": "staggered",
    "local_projections": "staggered",
    "stacked": "staggered",
}


def merged(*layers: dict) -> dict:
    """Lay settings over one another: mappings key by key, all else whole; null removes a key."""
    whole = {}
    for layer in layers:
        for key, value in (layer or {}).items():
            if isinstance(value, dict):
                below = whole.get(key)
                value = merged(below if isinstance(below, dict) else {}, value)
            if value is None:
                whole.pop(key, None)
            else:
                whole[key] = value
    return whole


def load_yaml(path) -> dict:
    """Load a mapping from a YAML file; an empty file is an empty one.

    Raises
    ------
    ConfigError
        See :func:`monotowns.run.schema.read`; or the file is no mapping.
    """
    loaded = schema.read(path) or {}
    if not isinstance(loaded, dict):
        raise ConfigError(path, "not a mapping", found=type(loaded).__name__)
    return loaded


def complete_config(config: dict, default, local) -> dict:
    """Lay what a run was given over the fork's settings and these over the defaults; check all.

    Parameters
    ----------
    config : dict
        Given on the command line or by a workflow that imports this one: all keys or a few.
        Changed in place, as Snakemake hands on the object itself.
    default, local : path-like
        ``config/config.yaml``, and ``config/local.yaml``, which need not exist.

    Raises
    ------
    ConfigError
        See :func:`check_config`; it names the layers at work.
    """
    layers = {str(default): load_yaml(default)}
    if Path(local).exists():
        layers[str(local)] = load_yaml(local)
    given, below = dict(config), merged(*layers.values())
    if merged(below, given) != below:
        layers["the run's own settings"] = given
    config.clear()
    config.update(merged(*layers.values()))
    return check_config(config, ", ".join(layers))


def check_config(config: dict, where="config/config.yaml") -> dict:
    """Check the config against its schema and across its keys.

    Raises
    ------
    ConfigError
        For an unknown or missing key (with the nearest valid name), a wrong type, a value out of
        range, a year without inflation or a list that does not rise.
    """
    schema.check(config, "config", where)
    first, last = config["years"]["first"], config["years"]["last"]
    if not first < last:
        raise ConfigError(where, "the window is empty", keys=["years"], found=f"{first} to {last}")
    missing = [y for y in range(first, last + 1) if y not in config["deflator"]]
    if missing:
        raise ConfigError(where, "no inflation for a year", keys=missing)
    for key in ("cores", "rings_km"):
        if sorted(set(config[key])) != config[key]:
            raise ConfigError(where, "not a rising list", keys=[key], found=config[key])
    _check_years(config, where)
    for name, weights in {"main": config["spatial"]["main"], **config["spatial"]["others"]}.items():
        if weights["kind"] == "nearest" and weights["size"] != int(weights["size"]):
            raise ConfigError(
                where,
                "neighbours are counted in whole numbers",
                keys=[f"spatial {name}"],
                found=weights["size"],
            )
    return config


def _check_years(config, where):
    """Years that lie outside what the data hold or in the wrong order."""
    window, exposure = config["years"], config["exposure"]
    outside = [y for y in config["balance"]["years"] if not window["first"] <= y <= window["last"]]
    if outside:
        raise ConfigError(
            where,
            "year out of range",
            keys=["balance.years"],
            found=outside,
            expected=f"{window['first']} to {window['last']}",
        )
    order = [exposure[key] for key in ("share_year", "base", "last")]
    if not order[0] <= order[1] < order[2]:
        raise ConfigError(
            where,
            "years in the wrong order",
            keys=["exposure"],
            expected="share_year not after base, base before last",
            found=", ".join(map(str, order)),
        )


def load_files(paths) -> tuple[dict, str]:
    """Lay specification files over one another; also their names, for messages."""
    paths = [paths] if isinstance(paths, (str, Path)) else paths
    return merged(*map(load_yaml, paths)), ", ".join(map(str, paths))


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
        Specification name -> its fields with the defaults filled in, and under ``rows`` and
        ``dummies`` the conditions of its sample and of the dummies that it names: all that its
        estimation depends on, so that an edit elsewhere in the file concerns it not.

    Raises
    ------
    ConfigError
        For unknown names, each with the nearest valid one.
    """
    loaded, path = load_files(paths)
    if isinstance(loaded.get("specifications"), dict):
        defaults = _defaults(loaded, path)
        filled = {
            k: defaults | v if isinstance(v, dict) else v
            for k, v in loaded["specifications"].items()
        }
        loaded = loaded | {"specifications": filled}
    schema.check(loaded, "specifications", path)
    for kind in ("samples", "dummies"):
        for name, conditions in loaded.get(kind, {}).items():
            _check_ranges(conditions, f"{path}, {name}")
    samples, dummies = loaded["samples"], loaded.get("dummies", {})
    for name, spec in loaded["specifications"].items():
        spec["rows"] = _one_of(samples, spec["sample"], "sample", f"{path}, {name}")
        for year in [*spec.get("years", {}).values(), *([spec["base"]] if "base" in spec else [])]:
            if not years["first"] <= year <= years["last"]:
                raise ConfigError(
                    f"{path}, {name}",
                    "year out of range",
                    found=year,
                    expected=f"{years['first']} to {years['last']}",
                )
        _check_fields(spec, f"{path}, {name}")
        spec["dummies"] = _named_in(columns_of(spec), dummies)
        conditions = [spec["rows"], *spec["dummies"].values()]
        named = [*columns_of(spec), *(column for of in conditions for column in of)]
        spec |= _derived_in(named, loaded)
    return loaded["specifications"]


def _defaults(loaded, path):
    """The fields of every specification; a fault in them is told once, not for each."""
    defaults = loaded.get("defaults") or {}
    fields = schema.load("specifications")["properties"]["specifications"]["additionalProperties"]
    known = list(fields["properties"])
    unknown = [k for k in defaults if k not in known] if isinstance(defaults, dict) else []
    if unknown or not isinstance(defaults, dict):
        raise ConfigError(
            f"{path}, defaults",
            "not fields of a specification",
            keys=unknown,
            found=None if unknown else repr(defaults),
            remedy="; ".join(schema.nearest(k, known) for k in unknown) or "write name: value",
        )
    return defaults


def _check_ranges(conditions, where):
    for column, condition in conditions.items():
        if not isinstance(condition, dict):
            continue
        low, high = condition.get("min"), condition.get("max")
        words = [v for v in (low, high) if isinstance(v, str) and v not in ("first", "last")]
        if words:
            raise ConfigError(
                where,
                "a bound is no number",
                keys=[column],
                found=words[0],
                expected="a number, first or last",
            )
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            raise ConfigError(
                where,
                "no value lies in this range",
                keys=[column],
                found=f"min {low} above max {high}",
            )


def _check_fields(spec, where):
    """Hold the fields that only some estimators read to those estimators."""
    estimator = spec["estimator"]
    if estimator == "event_study" and "base" not in spec:
        raise ConfigError(where, "an event study needs its base year")
    readers = {
        "instruments": [e for e, module in ESTIMATORS.items() if module == "instrumental"],
        "base": ["event_study"],
        "variances": [e for e, module in ESTIMATORS.items() if module == "regression"],
        "options": [e for e, module in ESTIMATORS.items() if module == "staggered"],
    }
    for field, estimators in readers.items():
        if field in spec and estimator not in estimators:
            raise ConfigError(
                where,
                f"{field} is read by other estimators only",
                found=estimator,
                expected=", ".join(estimators),
            )
    if estimator == "iv" and "instruments" not in spec:
        raise ConfigError(where, "the estimator iv needs instruments")
    if estimator not in readers["variances"] and not isinstance(spec["treatment"], str):
        raise ConfigError(
            where, "this estimator takes one treatment", found=spec["treatment"], keys=[estimator]
        )
    window = spec.get("years", {})
    if window.get("first", 0) > window.get("last", 9999):
        raise ConfigError(where, "the window is empty", keys=["years"], found=window)


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
    """Load ``curves`` or ``families`` of specification files that have been checked.

    Samples and dummies that a curve names come with it, as in :func:`load_specifications`.

    Raises
    ------
    ConfigError
        For an unknown sample or specification, with the nearest valid name.
    """
    loaded, path = load_files(paths)
    found = loaded.get(section, {})
    for name, entry in found.items():
        where = f"{path}, {name}"
        if "samples" in entry:
            entry["samples"] = {
                s: _one_of(loaded["samples"], s, "sample", where) for s in entry["samples"]
            }
            controls = [
                c for columns in entry.get("optional_controls", {}).values() for c in columns
            ]
            named = [*entry["outcomes"], *entry["treatments"], *controls]
            entry["dummies"] = _named_in(named, loaded.get("dummies", {}))
            entry |= _derived_in(named, loaded)
        else:
            entry |= _derived_in(entry["outcomes"], loaded)
            _one_of(loaded["specifications"], entry["specification"], "specification", where)
    return found


def columns_of(spec: dict) -> list[str]:
    """Columns that a specification uses, products as they are written."""
    treatment = spec["treatment"]
    found = [spec["outcome"], *([treatment] if isinstance(treatment, str) else treatment)]
    for key in ("instruments", "controls", "fixed_effects"):
        found += spec.get(key, [])
    return [*found, spec["cluster"], *([spec["weights"]] if "weights" in spec else [])]
