"""Config and specifications: loaded safely, checked before anything runs."""

from pathlib import Path

from monotowns.run import schema
from monotowns.run.errors import ConfigError


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
