"""The reference of settings is the schemas', and says something of every key."""

import importlib.util
import json

import pytest
from checkout import ROOT

SCHEMAS = ROOT / "workflow/schemas"


@pytest.fixture(scope="module")
def reference():
    path = ROOT / "workflow/scripts/documentation/reference.py"
    spec = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_page_is_that_of_the_schemas(reference):
    committed = (ROOT / "config/reference.md").read_text(encoding="utf-8")
    assert committed == reference.page(SCHEMAS), "say: make reference"


@pytest.mark.parametrize("name", ["config", "specifications"])
def test_every_key_is_described(reference, name):
    whole = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    bare = [
        key for key, kind, _, told in reference.keys(whole, whole) if not told and kind != "mapping"
    ]
    assert bare == []


def test_keys_are_told_with_range_and_need(reference):
    whole = {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "object", "additionalProperties": {"$ref": "#/$defs/x"}},
            "b": {"enum": ["one", "two"], "description": "B."},
        },
        "$defs": {"x": {"type": "integer", "minimum": 1, "maximum": 9, "description": "X."}},
    }
    assert reference.keys(whole, whole) == [
        ("a.<name>", "integer, 1 to 9", "", "X."),
        ("b", "`one`, `two`", "", "B."),
    ]
