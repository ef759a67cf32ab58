"""A logic edit of the library reruns the jobs that reach its module, all of them and no others."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from checkout import ROOT, built_copy
from forks.country import write_country
from monotowns.run.provenance import code_of, reached

LIBRARY = ROOT / "workflow/monotowns"
MODULES = sorted(p.relative_to(LIBRARY).as_posix() for p in LIBRARY.rglob("*.py"))

# The script of every rule, as the rules hand it over.
JOBS = """
import json, sys, yaml
import monotowns.run.provenance
monotowns.run.provenance.code_of = lambda library, script, root: script
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
    given = ConfigSettings(config=yaml.safe_load(sys.argv[2]))
    workflow = api.workflow(ResourceSettings(cores=1), given, snakefile=Path("Snakefile"))._workflow
    found = {rule.name: rule.params.get("code") for rule in workflow.rules}
    Path(sys.argv[1]).write_text(json.dumps({rule: code for rule, code in found.items() if code}))
"""

# Every import of a file, also those within functions, made for real and followed by Python.
IMPORTS = """
import ast, json, sys

def imports(file):
    for node in ast.walk(ast.parse(open(file, encoding="utf-8").read())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if "monotowns" in (statement := ast.unparse(node)):
                yield statement

def loaded(script):
    for name in [m for m in sys.modules if m.split(".")[0] == "monotowns"]:
        del sys.modules[name]
    done, todo = set(), [script]
    while todo:
        for file in todo:
            for statement in imports(file):
                exec(statement, {})
        done.update(todo)
        ours = {n: m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "monotowns"}
        todo = sorted(set(ours.values()) - done)
    return sorted(ours)

print(json.dumps([loaded(script) for script in json.load(sys.stdin)]))
"""


def python(*words, **options):
    own = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, env=own, **options
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def file_of(module):
    """A module's file within the library."""
    base = LIBRARY.joinpath(*module.split(".")[1:])
    path = base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"
    return path.relative_to(LIBRARY).as_posix()


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Rule -> its script."""
    folder = tmp_path_factory.mktemp("jobs")
    target = folder / "jobs.json"
    python("-c", JOBS, str(target), "{}")
    found = json.loads(target.read_text())
    assert {"build_panel", "read_source", "write_audit"} <= set(found)
    # Another country's panel is built by a rule of its own.
    other = write_country(folder, folder / "country")
    python("-c", JOBS, str(target), yaml.safe_dump(other))
    return found | {"build_panel elsewhere": json.loads(target.read_text())["build_panel"]}


@pytest.fixture(scope="module")
def kinds(jobs):
    """The rules, one of every script: all questions are estimated by the same code."""
    return {job: script for script, job in {s: job for job, s in jobs.items()}.items()}


@pytest.fixture(scope="module")
def loaded(kinds):
    """Job -> files of the library that Python loads for it."""
    listed = json.loads(python("-c", IMPORTS, input=json.dumps(list(kinds.values()))))
    return {job: {file_of(m) for m in found} for job, found in zip(kinds, listed, strict=True)}


@pytest.fixture(scope="module")
def copied(tmp_path_factory, kinds):
    """A copy of the library, and the digest of every job before anything is edited."""
    library = tmp_path_factory.mktemp("copy") / "monotowns"
    shutil.copytree(LIBRARY, library, ignore=shutil.ignore_patterns("__pycache__"))
    return library, digests(library, kinds)


def digests(library, jobs):
    return {job: code_of(library, ROOT / script) for job, script in jobs.items()}


def logic_edits(text):
    """A function more; and the file's first number, where it has one, another."""
    yield f"{text}\n\ndef _added(x):\n    return x\n"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            lines = text.splitlines(keepends=True)
            line, end = lines[node.lineno - 1].encode(), node.end_col_offset
            line = line[: node.col_offset] + b"12345" + line[end:]
            lines[node.lineno - 1] = line.decode()
            yield "".join(lines)
            return


def wording_edits(text):
    """Another docstring of the module and of its functions, comments, blank lines."""
    reworded = re.sub(r'(:\n +""")', r"\1In other words: ", text)
    yield f"# Said first.\n\n{reworded}\n\n# Said last.\n"
    yield re.sub(r'\A"""', '"""Otherwise put. ', text)


@pytest.mark.parametrize("module", MODULES)
def test_an_edit_moves_the_digests_of_the_jobs_that_load_the_module_and_no_others(
    module, kinds, loaded, copied
):
    library, before = copied
    path = library / module
    text = path.read_text(encoding="utf-8")
    try:
        for edited in logic_edits(text):
            path.write_text(edited, encoding="utf-8")
            after = digests(library, kinds)
            moved = {job for job in kinds if after[job] != before[job]}
            assert moved == {job for job in kinds if module in loaded[job]}
        for edited in wording_edits(text):
            assert edited != text
            path.write_text(edited, encoding="utf-8")
            assert digests(library, kinds) == before
    finally:
        path.write_text(text, encoding="utf-8")


def test_every_rule_with_a_script_gives_its_code(jobs):
    text = "".join(p.read_text("utf-8") for p in sorted((ROOT / "workflow/rules").glob("*.smk")))
    scripts = set(re.findall(r'"\.\./(scripts/[\w/]+\.py)"', text))
    assert {f"workflow/{s}" for s in scripts} == set(jobs.values())


@pytest.mark.workflow
def test_what_the_jobs_of_a_run_loaded_is_among_what_their_digests_cover(jobs):
    looked_at = 0
    for path in sorted((ROOT / "logs").rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        job = record["rule"]
        if job not in jobs or "modules" not in record:
            continue
        covered = set(reached(LIBRARY, ROOT / jobs[job]))
        assert {file_of(m) for m in record["modules"]} <= covered, job
        looked_at += 1
    if not looked_at:
        pytest.skip("nothing built yet: say make first")
    assert looked_at > 20


def test_imports_that_are_easily_overlooked(tmp_path):
    library = tmp_path / "lib"
    (library / "part").mkdir(parents=True)
    for name in ("__init__", "a", "b", "c", "idle", "part/__init__", "part/d", "part/e"):
        (library / f"{name}.py").write_text("")
    (library / "a.py").write_text("def f():\n    from lib.part.d import g\n    return g\n")
    (library / "part/__init__.py").write_text("import lib.c\n")
    script = tmp_path / "script.py"
    script.write_text("def main():\n    import lib.a as x\n    from lib import b\n")
    assert reached(library, script) == [
        "__init__.py",
        "a.py",
        "b.py",
        "c.py",
        "part/__init__.py",
        "part/d.py",
    ]
    script.write_text("from . import a\n")
    with pytest.raises(ValueError, match="whole name"):
        reached(library, script)


PLANNED = """
import json
from monotowns.audit.explain import planned, record_of

def edited(job):
    return record_of(job.log[0])["params"].get("code") != job.params.get("code")

found = planned(None)[1].items()
print(json.dumps({job.rule.name: [reason, edited(job)] for job, reason in found}))
"""


def planned(folder):
    """Rules that `make` would run: Snakemake's reason, and whether their code is another."""
    own = os.environ | {"PYTHONPATH": str(folder / "workflow")}
    command = [sys.executable, "-c", PLANNED]
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = built_copy(tmp_path_factory.mktemp("run"))
    if folder is None or planned(folder):
        pytest.skip("no finished run of this code here: say make first")
    return folder


@pytest.mark.workflow
def test_snakemake_reruns_for_an_edit_what_it_should(run, jobs):
    """The jobs that reach the module run for their own code; others only after them."""
    ran = {json.loads(path.read_text())["rule"] for path in (run / "logs").rglob("*.json")}
    readers = {module: set() for module in MODULES}
    for job, script in jobs.items():
        for module in reached(LIBRARY, ROOT / script):
            readers[module] |= {job} & ran
    # From a module that one job reads to one that most read.
    by_use = sorted(MODULES, key=lambda module: (len(readers[module]), module))
    for module in by_use[:: len(by_use) // 7]:
        path = run / "workflow/monotowns" / module
        text = path.read_text(encoding="utf-8")
        try:
            path.write_text(text + "\n# A remark.\n", encoding="utf-8")
            assert planned(run) == {}
            path.write_text(text + "\nADDED = 1\n", encoding="utf-8")
            found = planned(run)
        finally:
            path.write_text(text, encoding="utf-8")
        assert {rule for rule, (_, edited) in found.items() if edited} == readers[module], module
        # Snakemake gives one reason: a reader that follows another one runs for its inputs.
        of_params = {rule for rule, (reason, _) in found.items() if "Params have changed" in reason}
        assert of_params <= readers[module], module
        others = {rule: reason for rule, (reason, _) in found.items() if rule not in of_params}
        assert all("updated by another job" in reason for reason in others.values()), others
