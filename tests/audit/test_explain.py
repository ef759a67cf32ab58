import json

from checkout import git
from monotowns.audit import explain
from monotowns.run.provenance import code_of, commit, parts_of
from monotowns.run.stage import digest


def library(folder, near="def f():\n    return 1\n"):
    """A library of two modules and a script that reaches one of them."""
    lib = folder / "lib"
    lib.mkdir(exist_ok=True)
    (lib / "__init__.py").write_text('"""Doc."""\n')
    (lib / "near.py").write_text(f'"""Doc."""\nLEAST = 1\n\n\n{near}')
    (lib / "far.py").write_text("def g():\n    return 1\n")
    script = folder / "script.py"
    script.write_text("from lib.near import f\n\n\ndef main():\n    f()\n")
    return lib, script


def test_parts_are_the_names_that_a_script_reaches(tmp_path):
    parts = parts_of(*library(tmp_path))
    assert {"script.main", "lib.near.LEAST", "lib.near.f"} <= set(parts)
    assert not any(name.startswith("lib.far") for name in parts)


def test_an_edit_of_one_function_is_named_and_a_docstring_is_none(tmp_path):
    before, code = parts_of(*library(tmp_path)), code_of(*library(tmp_path))
    told = library(tmp_path, 'def f():\n    """Say."""\n    return 1  # why\n')
    assert parts_of(*told) == before
    assert code_of(*told) == code
    edited = library(tmp_path, "def f():\n    return 2\n\n\ndef h():\n    return 3\n")
    assert code_of(*edited) != code
    assert explain.changed_code(before, parts_of(*edited)) == [
        "code: lib.near.f changed",
        "code: lib.near.h new",
    ]
    assert "not known" in explain.changed_code(None, before)[0]


def test_settings_are_told_old_and_new_by_their_place_in_the_config():
    config = {"market_potential": {"kappa_km": 100}, "draws": {"curve": 9}, "years": {"last": 9}}
    old = {"settings": {"kappa_km": 200, "gone": 1}, "code": "a", "spec": {"base": 2013}}
    new = {"settings": {"kappa_km": 100}, "code": "b", "spec": {"base": 2012}, "curve": 9}
    assert explain.changed_settings(old, new, config) == [
        "setting draws.curve: (none) -> 9",
        "setting settings.gone: 1 -> (none)",
        "setting market_potential.kappa_km: 200 -> 100",
        "setting spec.base: 2013 -> 2012",
    ]
    assert explain.changed_settings(old, dict(old), config) == []
    # What a record keeps as text is no change: a year is a key, a tuple a list.
    kept = json.loads(json.dumps({"deflator": {2012: 6.58}, "rings": (0, 50)}))
    assert explain.changed_settings(kept, {"deflator": {2012: 6.58}, "rings": (0, 50)}, {}) == []


def test_inputs_are_told_by_what_happened_to_them(tmp_path):
    same, other = tmp_path / "same.csv", tmp_path / "other.csv"
    for path in (same, other):
        path.write_text("1")
    old = {str(same): digest(same), str(other): digest(other), "gone.csv": "0", "made.csv": "0"}
    other.write_text("2")
    new = {str(same), str(other), "made.csv", "fresh.csv"}
    assert sorted(explain.changed_inputs(old, new, {"made.csv": "build_panel"})) == sorted(
        [
            "input fresh.csv: not read before",
            "input gone.csv: no longer read",
            "input made.csv: made anew by build_panel",
            f"input {other}: other bytes",
        ]
    )


def test_a_record_that_is_not_there_or_half_written_is_none(tmp_path):
    assert explain.record_of(tmp_path / "no.json") is None
    (tmp_path / "half.json").write_text('{"rule": ')
    assert explain.record_of(tmp_path / "half.json") is None


def test_a_commit_is_that_of_the_checkout_itself_or_unknown(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "inside").mkdir()
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-qm", "a")
    found = git(tmp_path, "rev-parse", "HEAD").strip()
    assert commit(tmp_path) == found
    assert commit(tmp_path / "inside") == ""  # somebody else's repository
    (tmp_path / "a.txt").write_text("b")
    assert commit(tmp_path) == f"{found} + changes"
    monkeypatch.setenv("PATH", "")
    assert commit(tmp_path) == ""  # no git on the path
