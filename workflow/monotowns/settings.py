"""Config and specifications: loaded safely, checked before anything runs."""

from pathlib import Path

import yaml

from monotowns import schema
from monotowns.errors import ConfigError

#: The module of ``monotowns.models`` of every estimator, chosen while running: an edit of one
#: estimator's module concerns only the specifications that use it.
ESTIMATORS = {
    "ols": "twoway",
    "event_study": "twoway",
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
        The file is absent, no YAML, or no mapping.
    """
    try:
        loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(path, "no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(path, "not a YAML file", found=error) from None
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
    return config


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
        defaults = loaded.get("defaults") or {}
        filled = {
            k: defaults | v if isinstance(v, dict) else v
            for k, v in loaded["specifications"].items()
        }
        loaded = loaded | {"specifications": filled}
    schema.check(loaded, "specifications", path)
    samples, dummies = loaded["samples"], loaded.get("dummies", {})
    for name, spec in loaded["specifications"].items():
        spec["rows"] = _one_of(samples, spec["sample"], "sample", f"{path}, {name}")
        for year in [*spec.get("years", {}).values(), *([spec["base"]] if "base" in spec else [])]:
            if not years["first"] <= year <= years["last"]:
                raise ConfigError(f"{path}, {name}", "year out of range", found=year,
                                  expected=f"{years['first']} to {years['last']}")  # fmt: skip
        if spec["estimator"] == "event_study" and "base" not in spec:
            raise ConfigError(f"{path}, {name}", "an event study needs its base year")
        if (spec["estimator"] == "iv") != ("instruments" in spec):
            raise ConfigError(f"{path}, {name}", "instruments go with the estimator iv")
        spec["dummies"] = _named_in(columns_of(spec), dummies)
        conditions = [spec["rows"], *spec["dummies"].values()]
        named = [*columns_of(spec), *(column for of in conditions for column in of)]
        spec |= _derived_in(named, loaded)
    return loaded["specifications"]


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
