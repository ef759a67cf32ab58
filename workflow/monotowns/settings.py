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


def load_specifications(path, years: dict) -> dict:
    """Load and check samples, dummies and specifications.

    Parameters
    ----------
    path : path-like
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
    loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if isinstance(loaded, dict) and isinstance(loaded.get("specifications"), dict):
        defaults = loaded.get("defaults") or {}
        filled = {k: defaults | (v or {}) for k, v in loaded["specifications"].items()}
        loaded = loaded | {"specifications": filled}
    schema.check(loaded, "specifications", str(path))
    samples, dummies = loaded["samples"], loaded.get("dummies", {})
    for name, spec in loaded["specifications"].items():
        if spec["sample"] not in samples:
            raise ConfigError(f"{path}, {name}", f"unknown sample '{spec['sample']}'",
                              remedy=schema.nearest(spec["sample"], samples))  # fmt: skip
        for year in [*spec.get("years", {}).values(), *([spec["base"]] if "base" in spec else [])]:
            if not years["first"] <= year <= years["last"]:
                raise ConfigError(f"{path}, {name}", "year out of range", found=year,
                                  expected=f"{years['first']} to {years['last']}")  # fmt: skip
        if spec["estimator"] == "event_study" and "base" not in spec:
            raise ConfigError(f"{path}, {name}", "an event study needs its base year")
        if (spec["estimator"] == "iv") != ("instruments" in spec):
            raise ConfigError(f"{path}, {name}", "instruments go with the estimator iv")
        named = {part for column in columns_of(spec) for part in column.split(":")}
        spec["rows"] = samples[spec["sample"]]
        spec["dummies"] = {k: v for k, v in dummies.items() if k in named}
    return loaded["specifications"]


def load_section(path, section: str) -> dict:
    """Load ``curves`` or ``families`` of a specifications file that has been checked.

    Samples and dummies that a curve names come with it, as in :func:`load_specifications`.
    """
    loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    found = loaded.get(section, {})
    for name, entry in found.items():
        unknown = [s for s in entry.get("samples", []) if s not in loaded["samples"]]
        if unknown:
            raise ConfigError(f"{path}, {name}", f"unknown sample '{unknown[0]}'",
                              remedy=schema.nearest(unknown[0], loaded["samples"]))  # fmt: skip
        if "samples" in entry:
            entry["samples"] = {s: loaded["samples"][s] for s in entry["samples"]}
            entry["dummies"] = loaded.get("dummies", {})
        elif entry["specification"] not in loaded["specifications"]:
            raise ConfigError(f"{path}, {name}", "unknown specification",
                              remedy=schema.nearest(entry["specification"],
                                                    loaded["specifications"]))  # fmt: skip
    return found


def columns_of(spec: dict) -> list[str]:
    """Columns that a specification uses, products as they are written."""
    treatment = spec["treatment"]
    found = [spec["outcome"], *([treatment] if isinstance(treatment, str) else treatment)]
    for key in ("instruments", "controls", "fixed_effects"):
        found += spec.get(key, [])
    return [*found, spec["cluster"], *([spec["weights"]] if "weights" in spec else [])]
