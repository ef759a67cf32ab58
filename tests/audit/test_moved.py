"""What moved between two builds, and the sentences that it touches."""

import json
import subprocess
import sys

import pytest
from checkout import ROOT, git
from monotowns.audit.moved import moved

CLAIMS = "claim,assertion,estimate,ci_low,ci_high,sentence\n"
TEXT = '#claim("fell")[Incomes fell by #n("gap.percent") per cent.] There are #n("rows") rows.\n'


def build(folder, percent="1", rows="5", digest="aa", extra="", estimate="-0.12", text=TEXT):
    for name in ("results/expected/tables", "paper/sections"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    kept = folder / "results/expected"
    numbers = {"gap.percent": percent, "rows": rows, "unprinted": percent}
    (kept / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    claim = f"fell,gap negative,{estimate},-0.2,-0.1,Incomes fell by {{gap.percent}} per cent.\n"
    (kept / "claims.csv").write_text(CLAIMS + claim, encoding="utf-8")
    table = f"region,n,share\na,1,0.5\nb,{rows},0.5\n{extra}"
    (kept / "tables/flow.csv").write_text(table, encoding="utf-8")
    digests = f"path,bytes,sha256\nresults/figures/gap.svg,10,{digest}\n"
    (kept / "digests.csv").write_text(digests, encoding="utf-8")
    (folder / "paper/sections/gap.typ").write_text(text, encoding="utf-8")
    return folder


def test_what_moved_is_listed_with_its_sentences(tmp_path):
    a = build(tmp_path / "a", "−11.7", "5", "aa")
    assert moved(a, build(tmp_path / "same", "−11.7", "5", "aa")) == "Nothing moved."
    b = build(tmp_path / "b", "−9.9", "6", "bb", extra="c,1,0.1\n", estimate="-0.1")
    assert moved(a, b).splitlines() == [
        "Claims (1)",
        '  fell: "Incomes fell by −9.9 per cent."',
        "    gap negative: -0.12 [-0.2, -0.1] -> -0.1 [-0.2, -0.1]",
        "Sentences in which a number moved (2)",
        '  "Incomes fell by −9.9 per cent."',
        "    gap.percent: −11.7 -> −9.9",
        '  "There are 6 rows."',
        "    rows: 5 -> 6",
        "Numbers that no sentence prints (1)",
        "  unprinted: −11.7 -> −9.9",
        "Files (2)",
        "  results/tables/flow.csv: 1 cells differ, 1 new",
        "  results/figures/gap.svg: 1 other bytes",
    ]


def test_sentences_that_were_reworded_are_listed(tmp_path):
    a = build(tmp_path / "a", text="It holds. New words.")
    b = build(tmp_path / "b", text="It holds. Old words.")
    assert moved(b, a).splitlines() == [
        "Sentences reworded (2)",
        "  gone: Old words.",
        "  new: New words.",
    ]


def test_a_claim_that_came_or_went_is_listed(tmp_path):
    a, b = build(tmp_path / "a"), build(tmp_path / "b")
    (b / "results/expected/claims.csv").write_text(
        CLAIMS + "rose,gap positive,0.1,0.05,0.2,Incomes rose.\n"
        "chance,turned above expected,34,,,As chance gives.\n",
        encoding="utf-8",
    )
    found = moved(a, b)
    for line in (
        "gap negative: -0.12 [-0.2, -0.1] -> none",
        "gap positive: none -> 0.1 [0.05, 0.2]",
        "turned above expected: none -> 34",
    ):
        assert line in found


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    for percent in ("−11.7", "−9.9"):
        build(folder, percent, "5", "aa")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", percent)
    return folder


def diff(folder, *words):
    script = ROOT / "workflow/scripts/audit/diff.py"
    return subprocess.run(
        [sys.executable, str(script), *words], cwd=folder, capture_output=True, text=True
    )


def test_two_commits_are_compared_without_touching_the_checkout(repository):
    (repository / "paper/sections/gap.typ").write_text("edited", encoding="utf-8")
    done = diff(repository, "HEAD~1", "HEAD", "--output", "moved.txt")
    assert done.returncode == 0, done.stderr
    assert "gap.percent: −11.7 -> −9.9" in done.stdout
    assert (repository / "moved.txt").read_text(encoding="utf-8") == done.stdout
    assert (repository / "paper/sections/gap.typ").read_text(encoding="utf-8") == "edited"


def test_an_unknown_commit_is_one_message(repository):
    done = diff(repository, "HEAD~1", "nosuch")
    assert done.returncode == 2
    assert "no such commit" in done.stderr
    assert "Traceback" not in done.stderr
