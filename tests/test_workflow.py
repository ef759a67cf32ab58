"""The workflow itself: what it built, and that it needs no network."""

import importlib.util
import json
import re
import subprocess
import sys

import pytest
from checkout import ROOT, checkout

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return checkout(tmp_path_factory.mktemp("чистая копия"))


def snakemake(folder, *words, before=()):
    command = [*before, sys.executable, "-m", "snakemake", "--cores", "1", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_run_without_network_gives_the_same_bytes(copy):
    built = ROOT / "results" / "paper.pdf"
    if not built.exists():
        pytest.skip("nothing built yet: say make first")
    offline = ["unshare", "-rn"]
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = []  # no right to cut the network off here; the bytes are compared all the same
    done = snakemake(copy, before=offline)
    assert done.returncode == 0, done.stderr[-3000:]
    built = [p for p in (copy / "results").rglob("*.*") if p.is_file()]
    kinds = {p.suffix for p in built}
    assert kinds >= {".csv", ".json", ".svg", ".png", ".pdf"}
    differ = [
        str(p.relative_to(copy))
        for p in built
        if p.read_bytes() != (ROOT / p.relative_to(copy)).read_bytes()
    ]
    assert differ == []
    # A fork's wrong setting is refused before anything is touched.
    config = copy / "config/config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("seed:", "sed:"), encoding="utf-8")
    refused = snakemake(copy)
    assert refused.returncode != 0
    assert "did you mean 'seed'" in refused.stderr
    assert (copy / "results/estimates.csv").read_bytes() == (
        ROOT / "results/estimates.csv"
    ).read_bytes()


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
