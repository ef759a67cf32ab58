"""Write config/reference.md from schemas and estimators; run by `make reference`."""

import json
from pathlib import Path
from typing import get_args

from monotowns.estimate.estimators import ESTIMATORS

TITLES = {
    "config": "`config/config.yaml`, `config/local.yaml`",
    "specifications": "`config/specifications.yaml`",
    "sources": "`data/sources.yaml`",
}
HEAD = """# Reference of all settings

Written by `make reference` from `workflow/schemas` and the table of estimators. A key in angle
brackets is a name of your own. A wrong key or value is refused before anything runs, with the
nearest valid name.
"""


def kind(schema: dict) -> str:
    """Say in a few words what a value may be."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(kind(part) for part in schema["anyOf"])
    word = schema.get("type", "any")
    word = " or ".join(word) if isinstance(word, list) else word
    if word == "array":
        return f"list of {kind(schema['items'])}" if "items" in schema else "list"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        word += f", {low} to {high}" if high is not None else f", {low} or more"
    if "exclusiveMinimum" in schema:
        word += f", above {schema['exclusiveMinimum']}"
    return {"object": "mapping", "string": "text"}.get(word, word)


def keys(schema: dict, whole: dict, path="") -> list[tuple[str, str, str, str]]:
    """List the keys of a schema, nested ones after their parent.

    Returns
    -------
    list of (str, str, str, str)
        Dotted key, what it may be, whether it is needed, description.
    """
    schema = resolved(schema, whole)
    inner = dict(schema.get("properties", {}))
    named = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    for part in named:
        if isinstance(part, dict):
            inner["<name>"] = part
    rows = []
    for key, part in inner.items():
        part = resolved(part, whole)
        place = f"{path}.{key}" if path else key
        need = "yes" if key in schema.get("required", []) else ""
        # A mapping of one's own names is told by its keys.
        if kind(part) != "mapping" or "description" in part:
            rows.append((place, kind(part), need, part.get("description", "")))
        rows += keys(part, whole, place)
    return rows


def resolved(schema: dict, whole: dict) -> dict:
    """Follow a reference within a schema; a description beside it stays."""
    if "$ref" in schema:
        return resolved(whole["$defs"][schema["$ref"].rsplit("/", 1)[1]], whole) | {
            k: v for k, v in schema.items() if k != "$ref"
        }
    if "anyOf" in schema:
        return schema | {"anyOf": [resolved(part, whole) for part in schema["anyOf"]]}
    if isinstance(schema.get("items"), dict):
        return schema | {"items": resolved(schema["items"], whole)}
    return schema


def estimators() -> list[str]:
    """The table of estimators: what each reads, its options, what its rows must satisfy."""
    lines = ["", "| estimator | reads | options | estimates |", "|---|---|---|---|"]
    for name, of in ESTIMATORS.items():
        options = [
            f"`{option}` ({', '.join(get_args(kind)) or kind.__name__})"
            for option, kind in of.options.items()
        ]
        reads = ", ".join(f"`{field}`" + ("" if field in of.needs else "?") for field in of.reads)
        first = of.function.__doc__.strip().splitlines()[0]
        lines.append(f"| `{name}` | {reads} | {', '.join(options)} | {first} |")
    return [
        *lines,
        "",
        "A field with a question mark may be left out; one that is not listed is refused.",
    ]


def page(schemas) -> str:
    """The reference of the schemas in a folder, the same bytes for the same schemas."""
    parts = [HEAD]
    for name, title in TITLES.items():
        whole = json.loads(Path(schemas, f"{name}.schema.json").read_text(encoding="utf-8"))
        lines = [f"\n## {title}\n", "| key | may be | needed | what |", "|---|---|---|---|"]
        for row in keys(whole, whole):
            cells = [cell.replace("|", "\\|") for cell in row]
            lines.append(f"| `{cells[0]}` | {cells[1]} | {cells[2]} | {cells[3]} |")
        lines += estimators() if name == "specifications" else []
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


if __name__ == "__main__":
    Path("config/reference.md").write_text(page("workflow/schemas"), encoding="utf-8")
