"""Settings held to their JSON schemas: every fault at once, each with the nearest valid name."""

import json
import math
import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml

from monotowns.run.errors import ConfigError

#: Values of a settings file, its aliases written out: far above any, far below a full memory.
LARGEST = 100_000
SCHEMAS = Path(__file__).parents[2] / "schemas"


def nearest(word, valid) -> str:
    """Say which valid name a word may have meant, or list the valid names."""
    near = get_close_matches(str(word), [str(v) for v in valid], 1, 0.4)
    return f"did you mean '{near[0]}'?" if near else f"valid: {', '.join(map(str, valid))}"


@cache
def load(name: str) -> dict:
    """Load the schema ``workflow/schemas/<name>.schema.json``."""
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A safe loader for which a key that stands twice is a fault, not a silent choice."""

    def construct_mapping(self, node, deep=False):
        """Refuse a doubled key of a mapping."""
        seen = {}
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if isinstance(name, str | int | float) and name in seen:
                raise yaml.constructor.ConstructorError(
                    "first here", seen[name], f"the key '{name}' stands twice", key.start_mark
                )
            if isinstance(name, str | int | float):
                seen[name] = key.start_mark
        return super().construct_mapping(node, deep)


def read(path, error=ConfigError):
    """Read a YAML file: data only, no key twice.

    Raises
    ------
    InputError
        Of class ``error``: no such file, not UTF-8, not YAML, a tag that would build anything
        but data, or a key that stands twice, with line and column; or aliases of aliases without
        end.
    """
    try:
        with open(path, encoding="utf-8") as file:
            loaded = yaml.load(file, Loader=_Strict)  # a SafeLoader: data only
    except FileNotFoundError:
        beside = [p.name for p in Path(path).absolute().parent.glob("*.yaml")]
        raise error(path, "no such file", remedy=nearest(Path(path).name, beside)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise error(
            path,
            "not a YAML file",
            found=fault,
            remedy="mend the place; text with a colon or a quote in it wants quotes "
            "around it, indents are spaces",
        ) from None
    queue, count = [loaded], 0
    while queue:
        value, count = queue.pop(), count + 1
        if isinstance(value, dict | list):
            queue += value.values() if isinstance(value, dict) else value
        if count + len(queue) > LARGEST:
            raise error(path, f"more than {LARGEST} values once its aliases are written out")
    return loaded


def check(settings, name: str, where: str, error=ConfigError, whole: dict | None = None):
    """Hold settings to a schema and return them.

    Parameters
    ----------
    settings : dict
        As loaded from YAML.
    name : str
        Stem of the schema file.
    where : str
        File named in the message.
    error : type
        Class of the exception raised.
    whole : dict, optional
        The schema itself, where it is completed from the library.

    Raises
    ------
    InputError
        One exception with every fault: the key's path, what is wrong, the nearest valid name.
    """
    import jsonschema

    validator = jsonschema.Draft202012Validator(whole or load(name))
    # YAML keys may be numbers (years); JSON names are strings.
    faults = sorted(
        f"{'.'.join(map(str, fault.absolute_path)) or 'top level'}: {_say(fault)}"
        for fault in _leaves(validator.iter_errors(_as_json(settings)))
    ) + [f"{place}: not a finite number" for place in _not_finite(settings)]
    if faults:
        text = "\n    ".join(faults)
        raise error(
            where,
            f"{len(faults)} fault{'s' * (len(faults) > 1)}",
            found=f"\n    {text}",
            remedy=f"see workflow/schemas/{name}.schema.json",
        )
    return settings


def _as_json(value):
    if isinstance(value, dict):
        return {str(k): _as_json(v) for k, v in value.items()}
    return [_as_json(v) for v in value] if isinstance(value, (list, tuple)) else value


def _not_finite(value, place=""):
    """Places of .nan and .inf: no bound of a schema holds them off."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _not_finite(inner, f"{place}.{key}".lstrip("."))


def _leaves(faults):
    """Say the faults of the branch that was meant, not 'not valid under any schema'."""
    for fault in faults:
        branches = {}
        for inner in fault.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = [
            b
            for b in branches.values()
            if not any(f.validator in ("type", "const") and len(f.relative_path) < 1 for f in b)
        ]
        if fault.validator in ("anyOf", "oneOf") and len(meant) == 1:
            yield from _leaves(meant[0])
        else:
            yield fault


def _say(fault) -> str:
    if fault.validator == "additionalProperties":
        known = list(fault.schema.get("properties", {}))
        patterns = list(fault.schema.get("patternProperties", {}))
        unknown = [
            k
            for k in fault.instance
            if k not in known and not any(re.search(p, k) for p in patterns)
        ]
        if not known:
            return f"not a name of this list: {', '.join(unknown)}; a name matches {patterns[0]}"
        return "; ".join(f"unknown key '{k}', {nearest(k, known)}" for k in unknown)
    if fault.validator == "enum":
        return f"unknown value {fault.instance!r}, {nearest(fault.instance, fault.validator_value)}"
    if fault.validator == "required":
        missing = [k for k in fault.validator_value if k not in fault.instance]
        return f"missing: {', '.join(missing)}"
    if fault.validator == "type":
        return f"wrong type: expected {fault.validator_value}, found {fault.instance!r}"
    return fault.message
