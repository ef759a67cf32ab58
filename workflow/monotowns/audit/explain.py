"""Why a job would run: what differs between the record of its last run and the present."""

import json
from pathlib import Path

from monotowns.run.stage import digest


def flat(value, prefix="") -> dict[str, object]:
    """Nested settings by dotted key; lists are values."""
    if not isinstance(value, dict):
        return {prefix: value}
    found = {}
    for key, inner in value.items():
        found |= flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return found


def changed_settings(old: dict, new: dict, config: dict) -> list[str]:
    """Say every parameter that differs, old -> new, with its key in the config where it has one.

    Parameters
    ----------
    old, new : dict
        Parameters of the record and of the present job; ``code`` is not looked at.
    config : dict
        The present config.
    """
    before, after = (flat(json.loads(json.dumps(side, default=str))) for side in (old, new))
    known = flat(json.loads(json.dumps(config, default=str)))
    lines = []
    for key in sorted(set(before) | set(after)):
        if key == "code" or before.get(key) == after.get(key):
            continue
        name = key.rsplit(".", 1)[-1]
        places = [
            k for k, v in known.items() if k.rsplit(".", 1)[-1] == name and v == after.get(key)
        ]
        told = places[0] if len(places) == 1 else key
        lines.append(f"setting {told}: {_say(before, key)} -> {_say(after, key)}")
    return lines


def _say(settings, key):
    return json.dumps(settings[key], ensure_ascii=False) if key in settings else "(none)"


def changed_code(old: dict | None, new: dict) -> list[str]:
    """Say every function, class or constant whose syntax tree differs.

    Parameters
    ----------
    old : dict or None
        Parts of the last run (:func:`monotowns.run.provenance.parts_of`), if they were kept.
    new : dict
        Parts of the present code.
    """
    if old is None:
        return ["code: changed; which function is not known, its parts were not kept"]
    words = {(True, False): "gone", (False, True): "new", (True, True): "changed"}
    return [
        f"code: {name} {words[name in old, name in new]}"
        for name in sorted(set(old) | set(new))
        if old.get(name) != new.get(name)
    ]


def changed_inputs(old: dict, new, made_anew: dict) -> list[str]:
    """Say every input that is new, gone, of other bytes, or made anew first.

    Parameters
    ----------
    old : dict
        Input's path -> digest at the last run.
    new : collection of str
        Inputs of the present job.
    made_anew : dict
        Path -> the rule that would make it anew.
    """
    lines = []
    for path in sorted(set(old) | set(new)):
        if path not in new:
            lines.append(f"input {path}: no longer read")
        elif path in made_anew:
            lines.append(f"input {path}: made anew by {made_anew[path]}")
        elif path not in old:
            lines.append(f"input {path}: not read before")
        elif Path(path).is_file() and digest(path) != old[path]:
            lines.append(f"input {path}: other bytes")
    return lines


def record_of(log) -> dict | None:
    """The record that a job left, if it did (see :func:`monotowns.run.stage.run`)."""
    try:
        return json.loads(Path(log).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
