"""Config and specifications: loaded safely, checked before anything runs."""

from difflib import get_close_matches
from pathlib import Path

import yaml

from monotowns.errors import ConfigError

#: Known keys of the config; a nested dict holds the keys below.
CONFIG = {
    "author": str, "seed": int, "acquisition": str, "years": {"first": int, "last": int},
    "monotown": {"town_share_min": float},
    "market_potential": {"kappa_km": float, "min_distance_km": float},
    "cores": list, "rings_km": list,
    "deflator": None,
}  # fmt: skip
ACQUISITION = ("snapshot", "download")
#: Years of the income table with one concept of income and a per-resident column.
YEARS = (2012, 2022)
ESTIMATORS = ("ols", "event_study", "imputation", "callaway_santanna")
SAMPLES = ("all", "urban_okrugs", "last_year", "first_and_last_year", "monotowns")
FIELDS = {
    "required": ("question", "group", "estimator", "outcome", "sample", "treatment", "cluster"),
    "optional": ("base", "controls", "fixed_effects"),
}


def _refuse(where, key, valid, what="key"):
    near = get_close_matches(str(key), [str(v) for v in valid], 1, 0.4)
    hint = f"did you mean '{near[0]}'?" if near else f"valid: {', '.join(map(str, valid))}"
    raise ConfigError(where, f"unknown {what} '{key}'", remedy=hint)


def check_config(config: dict, where="config/config.yaml") -> dict:
    """Check the config; an unknown key is refused with the nearest valid name.

    Raises
    ------
    ConfigError
        For an unknown or missing key, a wrong type or a value out of range.
    """

    def walk(given, known, path):
        for key in given:
            if key not in known:
                _refuse(where, f"{path}{key}", [f"{path}{k}" for k in known])
        for key, kind in known.items():
            if key not in given:
                raise ConfigError(where, "a key is missing", keys=[f"{path}{key}"])
            if isinstance(kind, dict):
                walk(given[key], kind, f"{path}{key}.")
            elif (kind is float and not isinstance(given[key], (int, float))) or (
                kind in (int, str, list) and not isinstance(given[key], kind)
            ):
                raise ConfigError(
                    where, "wrong type", keys=[f"{path}{key}"], expected=kind.__name__,
                    found=repr(given[key]),
                )  # fmt: skip

    walk(config, CONFIG, "")
    first, last = config["years"]["first"], config["years"]["last"]
    if not YEARS[0] <= first < last <= YEARS[1]:
        raise ConfigError(
            where, "year out of range", keys=["years"], expected=f"{YEARS[0]} to {YEARS[1]}",
            found=f"{first} to {last}",
        )  # fmt: skip
    missing = [y for y in range(first, last + 1) if y not in config["deflator"]]
    if missing:
        raise ConfigError(where, "no inflation for a year", keys=missing)
    if config["acquisition"] not in ACQUISITION:
        _refuse(where, config["acquisition"], ACQUISITION, "acquisition")
    for key, least in (("cores", 2), ("rings_km", 1)):
        if len(config[key]) < least or sorted(set(config[key])) != config[key]:
            raise ConfigError(where, "not a rising list", keys=[key], found=config[key],
                              expected=f"at least {least} different numbers in order")  # fmt: skip
    if not 0 <= config["monotown"]["town_share_min"] <= 1:
        raise ConfigError(where, "town_share_min is a share", expected="0 to 1")
    return config


def load_specifications(path) -> dict:
    """Load and check the specifications: known fields, estimators and samples.

    Raises
    ------
    ConfigError
        For the first fault, with the nearest valid name.
    """
    specifications = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    valid = FIELDS["required"] + FIELDS["optional"]
    for name, spec in specifications.items():
        where = f"{path}, {name}"
        for field in spec:
            if field not in valid:
                _refuse(where, field, valid, "field")
        for field in FIELDS["required"]:
            if field not in spec:
                raise ConfigError(where, "a field is missing", keys=[field])
        for field, known in (("estimator", ESTIMATORS), ("sample", SAMPLES)):
            if spec[field] not in known:
                _refuse(where, spec[field], known, field)
    return specifications
