"""Settings and tables are data: nothing in them runs, nothing in them becomes markup."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import typst
import yaml
from checkout import ROOT
from monotowns.estimate import sample
from monotowns.estimate.specification import load_specifications
from monotowns.panel import contracts
from monotowns.run.errors import ConfigError, ContractError, DesignError

CODE = '__import__("os").system("touch ran")'
SPECIFICATIONS = yaml.safe_load((ROOT / "config/specifications.yaml").read_text(encoding="utf-8"))
PANEL = pd.DataFrame({"entity": ["a", "b"], "year": [2012, 2013], "name": [CODE, "b"]})


def spec(**fields):
    """A file of settings whose specification ``gap_after`` has other fields."""
    loaded = json.loads(json.dumps(SPECIFICATIONS))
    loaded["specifications"]["gap_after"] |= fields
    return loaded


PLACES = {
    "outcome": spec(outcome=CODE),
    "treatment": spec(treatment=f"monotown:{CODE}"),
    "controls": spec(controls=[CODE]),
    "fixed_effects": spec(fixed_effects=[f"C(region)+{CODE}"]),
    "cluster": spec(cluster=CODE),
    "weights": spec(weights=CODE),
    "sample": spec(sample=CODE),
    "dummies": SPECIFICATIONS | {"dummies": {"from_2014": CODE}},
    "dummy": SPECIFICATIONS | {"dummies": {CODE: {"year": [2012]}}},
    "samples": SPECIFICATIONS | {"samples": SPECIFICATIONS["samples"] | {"main": CODE}},
    "bound": SPECIFICATIONS | {"dummies": {"from_2014": {"year": {"min": CODE}}}},
    "name": SPECIFICATIONS | {"specifications": {CODE: SPECIFICATIONS["specifications"]}},
    "path": SPECIFICATIONS | {"specifications": {"../../x": SPECIFICATIONS["specifications"]}},
}


@pytest.mark.parametrize("place", PLACES)
def test_code_in_a_specification_is_refused(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    text = yaml.safe_dump(PLACES[place], allow_unicode=True)
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_specifications("s.yaml", {"first": 2012, "last": 2021})
    assert not (tmp_path / "ran").exists()


def test_a_condition_compares_and_does_not_evaluate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sample.holds(PANEL, {"name": [CODE]}).tolist() == [True, False]
    assert sample.holds(PANEL, {"name": {"not": [CODE]}}).tolist() == [False, True]
    with pytest.raises(DesignError, match="no such column"):
        sample.holds(PANEL, {CODE: [1]})
    one = {
        "outcome": CODE,
        "treatment": "year",
        "cluster": "entity",
        "sample": "s",
        "rows": {},
        "dummies": {},
        "estimator": "iv",
        "instruments": ["year"],
    }
    with pytest.raises(DesignError, match="no such column"):
        sample.with_columns(PANEL, one, "x")
    assert not (tmp_path / "ran").exists()


def _calls(tree):
    """Dotted names of what a file calls, each with its call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


#: Loaders of YAML that make plain values alone: the study's own, and libyaml's safe one.
SAFE = ("_Strict", "yaml.CSafeLoader")


def test_no_code_evaluates_text():
    evaluating = {
        "eval",
        "exec",
        "compile",
        "__import__",
        "os.system",
        "os.popen",
        "pd.eval",
        "yaml.unsafe_load",
        "pd.read_pickle",
        "pickle.load",
        "pickle.loads",
    }
    found = []
    for path in [*ROOT.glob("workflow/**/*.py")]:
        for name, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            told = f"{path.relative_to(ROOT)}:{call.lineno} {name}"
            shell = any(k.arg == "shell" for k in call.keywords)
            # DataFrame.query and eval run an expression: it may be written there, not composed.
            composed = name.endswith((".query", ".eval")) and isinstance(
                call.args[0], ast.JoinedStr
            )
            loads = name == "yaml.load" and ast.unparse(call.keywords[0].value) not in SAFE
            if name in evaluating or shell or composed or loads:
                found.append(told)
    assert found == []


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '=cmd|" /C calc"!A0', "+1", "@SUM(1)", "-2+3", "a\tb", "a\x00b"],
)
@pytest.mark.parametrize("table", ["population_2024", "toser"])
def test_a_name_that_is_a_formula_or_a_tag_is_refused(table, name):
    frame = pd.read_csv(ROOT / f"data/snapshot/{table}.csv", dtype={"code": str})
    column = "town" if table == "toser" else "name"
    frame.loc[3, column] = name
    with pytest.raises(ContractError, match="formula, a tag or has a control") as refusal:
        contracts.check(frame, table)
    assert repr(name) in str(refusal.value) and column in str(refusal.value)


MARKUP = ['#image("x")', "= Heading", "*bold*", "@gap", "<label>", "$x$", "#panic()", "\\"]


def typeset(folder, text, **inputs):
    """Compile a page of the manuscript's library and count its elements."""
    shutil.copytree(ROOT / "paper", folder / "paper", dirs_exist_ok=True)
    main = folder / "paper/probe.typ"
    main.write_text(text, encoding="utf-8")
    options = {"root": str(folder), "sys_inputs": inputs, "ignore_system_fonts": True}
    assert typst.compile(str(main), **options).startswith(b"%PDF")
    elements = ("heading", "image", "strong", "ref", "math.equation")
    return {e: len(json.loads(typst.query(str(main), e, **options))) for e in elements}


def test_markup_in_a_table_or_number_is_printed_as_text(tmp_path):
    (tmp_path / "results/tables").mkdir(parents=True)
    (tmp_path / "results/tables/left_out.csv").write_text("kind,name\n")
    frame = pd.DataFrame({"town": MARKUP, "n": ["1"] * len(MARKUP)})
    frame.to_csv(tmp_path / "results/t.csv", index=False)
    numbers = {f"{i}": text for i, text in enumerate(MARKUP)} | dict.fromkeys(
        ("year.first", "year.last"), "2012"
    )
    (tmp_path / "results/numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    text = (
        '#import "lib.typ": *\n#result_table("/results/t.csv", (("town", "T"), ("n", "N")), [c])\n'
    )
    count = typeset(tmp_path, text + "".join(f'#n("{i}") ' for i in range(len(MARKUP))))
    # The two heads of the columns are bold.
    assert count == {"heading": 0, "image": 0, "strong": 2, "ref": 0, "math.equation": 0}


def test_markup_in_the_author_or_a_profile_is_printed_as_text(tmp_path):
    text = "#set document(author: sys.inputs.author)\n#sys.inputs.author"
    for markup in MARKUP:
        assert set(typeset(tmp_path, text, author=markup).values()) == {0}
    row = {
        k: MARKUP[0]
        for k in (
            "list",
            "town",
            "category",
            "industry",
            "strength",
            "address",
            "name",
            "value",
            "year",
            "residents",
            "income",
            "transfers",
        )
    }
    page = {
        "name": MARKUP[0],
        "region": MARKUP[2],
        "entity": MARKUP[6],
        "lists": [row],
        "industries": [row],
        "potential": [row],
        "years": [row],
    }
    (tmp_path / "p.json").write_text(json.dumps(page), encoding="utf-8")
    profile = (ROOT / "paper/profile.typ").read_text(encoding="utf-8")
    assert typeset(tmp_path, profile, data="/p.json")["image"] == 0


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
def test_a_town_on_the_command_line_is_no_command(tmp_path):
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    rule = next(line for line in text.splitlines() if "profile.py" in line)
    echo = "import sys; print(sys.argv[1:])"
    script = tmp_path / "profile.py"
    script.write_text(echo)
    rule = rule.replace("$(BIN)/python", shlex.quote(sys.executable)).replace(
        "workflow/scripts/paper/profile.py", str(script)
    )
    (tmp_path / "Makefile").write_text(f"p:\n{rule}\n")
    town = '"; touch ran; echo `touch ran` $(touch ran)'
    command = ["make", "p", "TOWN=" + town.replace("$", "$$"), "REGION="]
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=own)
    assert done.stdout.strip() == repr([town, ""])
    assert not (tmp_path / "ran").exists()
