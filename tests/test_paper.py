"""The manuscript as a job: it reads its inputs and nothing else, and reports drifted data."""

import json
import shutil

import pytest
import typst
from checkout import ROOT

pytestmark = pytest.mark.workflow


@pytest.fixture
def folder(tmp_path):
    """Nothing but what the rule declares as its inputs."""
    record = ROOT / "logs/compile_paper.json"
    if not record.exists():
        pytest.skip("nothing built yet: say make first")
    for name in json.loads(record.read_text(encoding="utf-8"))["inputs"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def shown(folder):
    main = folder / "paper/main.typ"
    found = typst.query(str(main), "<shown>", field="value", root=str(folder))
    return [one["name"] for one in json.loads(found)]


def test_the_manuscript_compiles_from_its_declared_inputs_alone(folder):
    main = folder / "paper/main.typ"
    body = typst.compile(str(main), root=str(folder), ignore_system_fonts=True)
    assert body.startswith(b"%PDF")
    declared = sorted(p.name for p in (folder / "results").rglob("*.*"))
    # Each figure and table that is declared is also shown: no input is idle.
    names = [name.split("/")[-1].removesuffix(".csv") for name in shown(folder)]
    # The appendix reads bench.csv itself.
    idle = {"numbers.json", "claims.csv", "contracts.csv", "left_out.csv", "bench.csv"}
    assert [d for d in declared if d.split(".")[0] not in names and d not in idle] == []


def test_a_run_on_drifted_tables_says_so_under_its_title(folder):
    assert "drift.cells" not in shown(folder)
    path = folder / "results/numbers.json"
    numbers = json.loads(path.read_text(encoding="utf-8"))
    assert numbers["drift.cells"] == "0"
    numbers |= {"drift.cells": "12", "drift.tables": "grp"}
    path.write_text(json.dumps(numbers), encoding="utf-8")
    assert shown(folder)[:2] == ["drift.cells", "drift.tables"]
