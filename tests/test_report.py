"""The run report: what the paper is made of, each with its caption, in one file."""

import json
import re
import subprocess

import pytest
from checkout import ROOT, built_copy, snakemake


def used():
    """What the paper reads of the run: the results among the inputs of its job."""
    record = json.loads((ROOT / "logs/compile_paper.json").read_text(encoding="utf-8"))
    # What is kept under expected is committed; a run does not write it.
    found = [p for p in record["inputs"] if p.startswith("results/")]
    return sorted(p for p in {*found, *record["outputs"]} if "expected" not in p.split("/"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = built_copy(tmp_path_factory.mktemp("report"))
    if folder is None:
        pytest.skip("nothing built yet: say make first")
    offline = ["unshare", "-rn"]
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = []  # no right to cut the network off here
    code, said = snakemake(folder, "--report", "results/report.html", before=offline)
    assert code == 0, said[-3000:]
    return (folder / "results/report.html").read_text(encoding="utf-8")


@pytest.mark.workflow
def test_every_result_that_the_paper_uses_is_in_the_report_with_its_caption(report):
    start = report.index('var results = {"') + len("var results = ")
    found, _ = json.JSONDecoder().raw_decode(report, start)
    names = json.loads((ROOT / "results/numbers.json").read_text(encoding="utf-8"))
    assert len(names) > 100 and len(used()) > 20
    assert [path for path in used() if path not in found] == []
    for path, entry in found.items():
        assert len(re.sub("<[^>]+>", "", entry["caption"]).strip()) > 20, path
        assert set(entry["labels"]) == {"result", "kind"}, path
        assert "{{" not in entry["caption"], path
    # Every specification stands under its question with its records and its sample.
    gap = found["results/estimates/gap_main.csv"]
    assert gap["labels"]["kind"] == "event_study of log_taxable_pc on monotown"
    assert "results/estimates/gap_main.flow.csv" in found


@pytest.mark.workflow
def test_the_report_opens_without_a_network(report):
    # All is embedded: nothing is loaded from an address.
    loads = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']([^\"']+)", report)
    assert [address for address in loads if address.startswith(("http", "//"))] == []
