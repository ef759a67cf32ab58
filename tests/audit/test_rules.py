"""Rules and functions as the workflow's files write them."""

import importlib
import inspect
import subprocess
import sys

import pytest
from checkout import ROOT
from monotowns.audit.rules import definition, functions_of, rules_of


def test_every_rule_that_snakemake_knows_is_read_with_its_place():
    command = [sys.executable, "-m", "snakemake", "--list-rules"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = {line.split()[0] for line in told.splitlines() if line.strip()}
    found = rules_of(ROOT)
    assert known == set(found)
    for rule in found.values():
        line = (ROOT / rule.file).read_text(encoding="utf-8").splitlines()[rule.line - 1]
        assert f"rule {rule.name}" in line or f"as {rule.name} with" in line
        assert rule.name == "all" or (ROOT / rule.script).exists()


def test_settings_of_a_rule_are_those_that_its_text_and_its_helpers_read(tmp_path):
    (tmp_path / "workflow/rules").mkdir(parents=True)
    (tmp_path / "workflow/scripts").mkdir()
    (tmp_path / "workflow/scripts/a.py").touch()
    (tmp_path / "workflow/rules/a.smk").write_text(
        'WINDOW = [\n    config["last"],\n]\n\n\n'
        'def of(wildcards):\n    return config["years"]\n\n\n'
        'rule one:\n    params:\n        config["seed"],\n        of,\n'
        '    message:\n        "One"\n    script:\n        "../scripts/a.py"\n\n\n'
        "use rule one as two with:\n    params:\n        WINDOW,\n",
        encoding="utf-8",
    )
    (tmp_path / "Snakefile").write_text("rule all:\n    input: 'a'\n", encoding="utf-8")
    found = rules_of(tmp_path)
    assert found["one"].settings == ("seed", "years")
    assert found["two"].settings == ("last",)
    assert (found["one"].line, found["two"].line) == (10, 20)
    assert found["two"].script == found["one"].script == "workflow/scripts/a.py"
    assert found["two"].message == "One"


@pytest.mark.parametrize("rule", sorted(set(rules_of(ROOT)) - {"all"}))
def test_functions_stand_where_they_are_said_to(rule):
    found = functions_of(ROOT, rules_of(ROOT)[rule].script)
    for function in found:
        module, name = function.name.rsplit(".", 1)
        live = getattr(importlib.import_module(module), name)
        live = inspect.unwrap(live)
        assert inspect.getsourcefile(live) == str(ROOT / function.file)
        source, line = inspect.getsourcelines(live)
        assert line <= function.line <= line + len(source)
    assert found or rule in {"download", "take_compiled", "compile_paper"}


def test_a_function_is_followed_through_what_the_package_passes_on():
    found = definition(ROOT, "monotowns.estimate.staggered.imputation")
    assert found.file == "workflow/monotowns/estimate/imputation.py"
    with pytest.raises(LookupError):
        definition(ROOT, "monotowns.estimate.staggered.no_such")
