"""The stages that the config declares, written out as jobs."""

from itertools import product

from monotowns.errors import ConfigError
from monotowns.schema import nearest

#: Stages that come before all others, with scripts of their own.
TABLES = ("simulate", "panel", "measures", "balance")


def jobs(scale: dict, spatial: dict, list_year: int, specifications: dict, curves: dict) -> dict:
    """Write the declared stages out, one job each, but a curve's one for all that share effects.

    Parameters
    ----------
    scale, spatial : dict
        Sections of the config.
    list_year : int
        First year of the treatment, for spatial panels.
    specifications, curves : dict
        From :mod:`monotowns.settings`.

    Returns
    -------
    dict
        Job -> its stage's name and what the stage is told (see :mod:`monotowns.scale.stages`).

    Raises
    ------
    ConfigError
        A stage, or a specification, curve or set of weights that a stage names, is not known.
    """
    weights = {"main": spatial["main"], **spatial["others"]}
    found = {}
    for name, of in scale["stages"].items():
        (kind, chosen), *more = of.items()
        known = {"specification": specifications, "curve": curves}.get(kind, weights)
        if chosen not in known:
            raise ConfigError(f"config, scale.stages.{name}", f"no such {kind}", keys=[chosen],
                              remedy=nearest(chosen, known))  # fmt: skip
        told = known[chosen]
        if kind == "curve":
            found |= {f"{name}_{i}": (name, {"curve": part})
                      for i, part in enumerate(curve_parts(told))}  # fmt: skip
        elif kind == "specification":
            spec = {k: v for k, v in told.items() if k != "variances"}
            found[name] = name, {"regression": spec | {"variances": [v for _, v in more]}}
        elif kind == "spatial_panel":
            found[name] = name, {kind: {"weights": told, "list_year": list_year}}
        else:
            found[name] = name, {kind: told}
    for key in ("only", "limits"):
        unknown = [s for s in scale[key] if s not in scale["stages"] and s not in TABLES]
        if unknown:
            raise ConfigError(f"config, scale.{key}", "no such stage", keys=unknown,
                              remedy=nearest(unknown[0], [*TABLES, *scale["stages"]]))  # fmt: skip
    return found


def curve_parts(declared: dict) -> list[dict]:
    """Split a universe of specifications into those that share sample, effects and weights."""
    weights = declared.get("weights", [None])
    choices = product(declared["samples"].items(), declared["fixed_effects"], weights)
    return [
        declared | {"samples": {name: rule}, "fixed_effects": [effects], "weights": [weight]}
        for (name, rule), effects, weight in choices
    ]
