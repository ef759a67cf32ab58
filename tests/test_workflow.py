"""The workflow itself: what it built, and that it needs no network."""

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest
from checkout import ROOT, checkout
from monotowns.audit.compare import differences
from monotowns.audit.expected import keep

pytestmark = pytest.mark.workflow


#: Another machine, as far as one machine can be another: hash seed, time zone, language, threads.
ELSEWHERE = {
    "PYTHONHASHSEED": "random",
    "TZ": "Asia/Kamchatka",
    "LC_ALL": "C",
    "LANG": "ru_RU.UTF-8",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
}
# Python 3.11 does not start from a folder like this one under a language without its letters.
if not sys.prefix.isascii():
    ELSEWHERE["LC_ALL"] = "C.UTF-8"


@pytest.fixture
def copy(tmp_path):
    return checkout(tmp_path / "чистая копия")


def test_a_rerun_elsewhere_without_network_gives_the_same_bytes(copy, tmp_path):
    """What `make verify` says on another machine: every byte of data, results, figures, paper."""
    offline = ["unshare", "-rn"]
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = []  # no right to cut the network off here; the bytes are compared all the same
    folder = tmp_path / "другая папка"
    folder.mkdir()
    # Where the raw files are at hand, from them: the results do not tell where a run has read.
    source = "download" if os.environ.get("MONOTOWNS_MIRROR") else "snapshot"
    done = subprocess.run(
        [
            *offline,
            sys.executable,
            "workflow/scripts/audit/verify.py",
            "--cores",
            "1",
            "--source",
            source,
        ],
        cwd=copy,
        env=os.environ | ELSEWHERE | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert re.search(r"FULL: all \d{2,} files agree", done.stdout)
    assert list(folder.glob("verify*")) == []  # no rebuilt tree is left behind


def test_a_wrong_setting_is_refused_before_anything_is_touched(copy):
    config = copy / "config/config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("seed:", "sed:"), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    refused = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "did you mean 'seed'" in refused.stderr
    assert not (copy / "data/panel").exists()


def test_what_is_kept_is_what_this_tree_gives(tmp_path):
    if not (ROOT / "results/paper.pdf").exists():
        pytest.skip("nothing built yet: say make first")
    keep(ROOT, tmp_path)
    found = differences(ROOT / "results/expected", tmp_path)
    assert found.to_dict("records") == [], "say: make expected"


def test_the_readme_draws_the_rules_as_they_are():
    path = ROOT / "workflow/scripts/documentation/rulegraph.py"
    spec = importlib.util.spec_from_file_location("rulegraph", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == module.with_picture(text, module.rulegraph(ROOT)), "say: make dag"


def test_every_citation_has_its_entry_and_every_entry_is_cited():
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "paper").rglob("*.typ"))
    entries = set(re.findall(r"@\w+\{(\w+),", (ROOT / "paper/references.bib").read_text("utf-8")))
    targets = set(re.findall(r"\) <(\w+)>", text))
    assert set(re.findall(r"(?:@|cite\(<)(\w+)", text)) - targets == entries


def test_numbers_are_those_of_the_estimates():
    import pandas as pd

    built = ROOT / "results" / "numbers.json"
    if not built.exists():
        pytest.skip("nothing built yet: say make first")
    numbers = json.loads(built.read_text(encoding="utf-8"))
    records = pd.read_csv(ROOT / "results/estimates.csv", dtype={"term": str})
    row = records[(records["specification"] == "gap_main") & (records["term"] == "2021")].iloc[0]
    printed = numbers["gap_main.2021.estimate"].replace("−", "-")
    assert float(printed) == pytest.approx(row["estimate"], abs=5e-4)
