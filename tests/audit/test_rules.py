"""Rules as Snakemake knows them, and the library's functions that scripts call."""

import json
import subprocess
import sys

import pytest
from checkout import ROOT
from monotowns.audit.rules import Function, definition, functions_of

RULES = """
WINDOW = [
    config["last"],
]


def of(wildcards):
    return config["years"]


rule one:
    output:
        "a",
    params:
        config["seed"],
        of,
    message:
        "One"
    script:
        "../scripts/a.py"


use rule one as two with:
    output:
        "b",
    params:
        WINDOW,


for question in ("gap", "toser"):

    rule:
        name:
            f"estimate_{question}"
        output:
            question,
        params:
            config["draws"],
        message:
            f"Estimate {question}"
        script:
            "../scripts/a.py"


rule without_script:
    output:
        "c",
    shell:
        "touch c"
"""
SNAKEFILE = """
import json
from monotowns.audit.rules import rules_of
config = dict.fromkeys(("last", "years", "seed", "draws"), 1)
include: "workflow/rules/a.smk"
with open("rules.json", "w") as file:
    json.dump(rules_of(workflow, workflow.current_basedir), file)
"""
IMPORTING = """
module study:
    snakefile: "study/Snakefile"
use rule * from study as study_*
"""


@pytest.mark.parametrize("prefix", ["", "study_"])
def test_rules_have_their_place_script_and_settings(tmp_path, prefix):
    """Also rules of a loop, which share a line, and those of an importing workflow."""
    study = tmp_path / "study"
    for name in ("rules", "scripts"):
        (study / "workflow" / name).mkdir(parents=True)
    (study / "workflow/rules/a.smk").write_text(RULES, encoding="utf-8")
    (study / "workflow/scripts/a.py").touch()
    (study / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    (tmp_path / "Snakefile").write_text(IMPORTING, encoding="utf-8")
    working = tmp_path if prefix else study
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--", f"{prefix}one"]
    done = subprocess.run(command, cwd=working, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((working / "rules.json").read_text(encoding="utf-8"))
    expected = {
        "one": ("rule one:", "One", ["seed", "years"]),
        "two": ("use rule one as two with:", "One", ["last"]),
        "estimate_gap": ("    rule:", "Estimate gap", ["draws"]),
        "estimate_toser": ("    rule:", "Estimate toser", ["draws"]),
    }
    assert set(found) == {f"{prefix}{name}" for name in expected}
    for name, (line, message, settings) in expected.items():
        rule = found[f"{prefix}{name}"]
        assert RULES.splitlines()[rule["line"] - 1] == line
        assert (rule["message"], rule["settings"]) == (message, settings)
        assert rule["file"] == "workflow/rules/a.smk"
        assert rule["script"] == "workflow/scripts/a.py"


def test_functions_are_found_where_they_are_defined(tmp_path):
    library = tmp_path / "workflow/monotowns"
    for name in ("run", "part"):
        (library / name).mkdir(parents=True)
    (library / "part/__init__.py").write_text("from monotowns.part.inner import f as g\n")
    (library / "part/inner.py").write_text("LEAST = 1\n\n\ndef f():\n    pass\n\n\nclass C: ...\n")
    (library / "run/stage.py").write_text("def run(): ...\n")
    (tmp_path / "a.py").write_text(
        "import pandas as pd\nfrom monotowns.part import g, inner\n"
        "from monotowns.part.inner import LEAST\nfrom monotowns.run.stage import run\n"
        "inner.C()\ninner.LEAST\n"
    )
    file = "workflow/monotowns/part/inner.py"
    f = Function("monotowns.part.inner.f", file, 4)
    assert functions_of(tmp_path, "a.py") == [f, Function("monotowns.part.inner.C", file, 8)]
    assert definition(tmp_path, "monotowns.part.g") == f
    assert definition(tmp_path, "monotowns.part.none") is None
    assert definition(tmp_path, "numpy.linalg.norm") is None


def test_every_script_of_the_study_calls_the_library():
    scripts = [p.relative_to(ROOT) for p in ROOT.glob("workflow/scripts/*/*.py")]
    without = {str(script) for script in scripts if not functions_of(ROOT, script)}
    assert {path.rsplit("/", 1)[1] for path in without} <= {
        "take_compiled.py",
        "compile_paper.py",
        "rulegraph.py",
        "skeleton.py",
        "reference.py",
        "draw.py",
    }
