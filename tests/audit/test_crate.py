"""The run as a Workflow Run RO-Crate: read by the profile's own reader, true to the files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from monotowns.audit.crate import PROFILES, times
from monotowns.audit.records import load
from monotowns.run.stage import digest

pytestmark = pytest.mark.workflow
AUDIT = ROOT / "results/audit"


@pytest.fixture(scope="module")
def entities():
    path = AUDIT / "ro-crate-metadata.json"
    if not path.exists():
        pytest.skip("nothing built yet: say make first")
    graph = json.loads(path.read_text(encoding="utf-8"))["@graph"]
    return {entity["@id"]: entity for entity in graph}


def kinds(entity):
    found = entity["@type"]
    return {found} if isinstance(found, str) else set(found)


def ids(value):
    return [v["@id"] for v in (value if isinstance(value, list) else [value]) if "@id" in v]


def test_runcrate_reports_the_run_and_every_job(entities):
    program = Path(sys.executable).with_name("runcrate")
    done = subprocess.run([program, "report", AUDIT], capture_output=True, text=True, check=True)
    actions = re.findall(r"^action: (\S+)$", done.stdout, re.M)
    records = {id(r): r for p, r in load(ROOT / "logs").items() if r["rule"] != "write_audit"}
    assert actions[0] == "#run"
    assert len(actions) == 1 + len(records)
    part = done.stdout.split("action: #job-estimate_gap\n")[1].split("\n\n")[0]
    assert "step: #step-estimate_gap" in part
    assert "files/data/panel/panel.parquet" in part.split("outputs:")[0]
    assert "files/results/estimates/gap_main.csv" in part.split("outputs:")[1]


def test_every_file_is_in_the_crate_with_its_bytes(entities):
    files = [e for e in entities.values() if "File" in kinds(e)]
    assert len(files) > 200
    for file in files:
        assert (AUDIT / file["@id"]).is_file(), file["@id"]
        if "sha256" in file:
            assert digest(AUDIT / file["@id"]) == file["sha256"]
    data = [f for f in files if f["@id"].startswith("files/data/")]
    assert all("sha256" in f for f in data)


def test_the_parts_hang_together_as_the_profiles_want(entities):
    root = entities["./"]
    assert set(ids(root["conformsTo"])) == set(PROFILES)
    workflow = entities[root["mainEntity"]["@id"]]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"} <= kinds(workflow)
    run = entities[ids(root["mentions"])[0]]
    assert ids(run["instrument"]) == [workflow["@id"]]
    assert run["startTime"] < run["endTime"]
    organize = entities["#organize"]
    assert ids(organize["result"]) == ["#run"]
    steps = set(ids(workflow["step"]))
    for control in ids(organize["object"]):
        step, action = (ids(entities[control][key])[0] for key in ("instrument", "object"))
        assert step in steps
        assert ids(entities[step]["workExample"]) == ids(entities[action]["instrument"])
    settings = [i for i in ids(run["object"]) if i.startswith("#value-")]
    seed = entities["#value-seed"]
    assert "#value-seed" in settings
    assert seed["value"] in (ROOT / "config/config.yaml").read_text(encoding="utf-8")
    named = {
        i
        for e in entities.values()
        for v in e.values()
        if isinstance(v, dict | list)
        for i in ids(v)
    }
    outside = {i for i in named - set(entities) if not i.startswith("https://")}
    assert outside == set()


def test_no_person_is_invented(entities):
    assert entities["./"]["creditText"] == "Anonymous"
    assert [e["@id"] for e in entities.values() if "Person" in kinds(e)] == []


def test_a_job_ends_when_its_seconds_are_over():
    found = times({"started": "2026-01-31T23:59:50+00:00", "seconds": 12.0})
    assert found["endTime"] == "2026-02-01T00:00:02+00:00"
