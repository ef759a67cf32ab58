"""The audit page in a real browser: every link resolves, the search finds, nothing is fetched."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest
from checkout import ROOT
from machine import need
from monotowns.audit.page import Pages, table_of
from monotowns.estimate.estimators import ESTIMATORS

TEMPLATES = ROOT / "workflow/report/audit"
AUDIT = ROOT / "results/audit"

#: Follows every link of every page within the folder and writes down those that lead nowhere.
HARNESS = """<!doctype html><meta charset="utf-8"><pre id="out"></pre><script>
const start = new URL("START"), pages = new Map(), bad = [];
function page(url) {
  if (!pages.has(url)) {
    const request = new XMLHttpRequest();
    try {
      request.open("GET", url, false);
      request.send();
      const text = url.endsWith(".html") ? request.responseText : "";
      pages.set(url, new DOMParser().parseFromString(text, "text/html"));
    } catch (error) { pages.set(url, null); }
  }
  return pages.get(url);
}
const queue = [start.href], seen = new Set(queue);
let links = 0;
while (queue.length) {
  const url = queue.pop(), document_ = page(url);
  if (!document_) continue;
  for (const one of document_.querySelectorAll("[href], [src]")) {
    const raw = one.getAttribute("href") ?? one.getAttribute("src");
    const target = new URL(raw, url), anchor = decodeURIComponent(target.hash.slice(1));
    target.hash = "";
    links += 1;
    const there = page(target.href);
    const inside = target.href.startsWith(new URL(".", start).href);
    const found = there && (!anchor || anchor.startsWith("page=") || there.getElementById(anchor));
    if (!inside || !found) bad.push(url + " -> " + raw);
    if (target.href.endsWith(".html") && !seen.has(target.href)) {
      seen.add(target.href);
      queue.push(target.href);
    }
  }
}
document.getElementById("out").textContent = JSON.stringify({links, pages: pages.size, bad});
</script>"""


def browse(tmp_path, url, *flags):
    """Open an address and return the document as the browser then has it."""
    program = need("chromium", "chromium")
    command = [
        program,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'browser'}",
        *flags,
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def audit():
    if not (AUDIT / "index.html").exists():
        pytest.skip("nothing built yet: say make first")
    return AUDIT


@pytest.mark.workflow
def test_every_link_of_every_page_resolves(audit, tmp_path):
    harness = tmp_path / "harness.html"
    start = (audit / "index.html").as_uri()
    harness.write_text(HARNESS.replace("START", start), encoding="utf-8")
    seen = browse(tmp_path, harness.as_uri(), "--allow-file-access-from-files")
    found = json.loads(html.unescape(re.search(r'<pre id="out">(.*?)</pre>', seen, re.S)[1]))
    assert found["bad"] == []
    assert found["links"] > 5000
    assert found["pages"] > 200


@pytest.mark.workflow
def test_the_search_finds_and_nothing_is_fetched(audit, tmp_path):
    log = tmp_path / "net.json"
    page = (audit / "index.html").as_uri()
    seen = browse(tmp_path, f"{page}?q=gap_strict+toser", f"--log-net-log={log}")
    none = re.findall(r'<div class="entry" id="([^"]+)"(?! hidden)[^>]*>', seen)
    assert "file-results/estimates/gap_strict.csv" not in none
    seen = browse(tmp_path, f"{page}?q=gap_strict")
    shown = re.findall(r'<div class="entry" id="([^"]+)">', seen)
    assert {
        "job-estimate_gap",
        "specification-gap_strict",
        "file-results/estimates/gap_strict.csv",
    } <= set(shown)
    assert "specification-toser_imputation" not in shown
    assert f">{len(shown)} found<" in seen
    asked = set(re.findall(r'"url":"https?://([^/"]+)', log.read_text(encoding="utf-8")))
    # The browser asks its maker for the time and for updates, whatever page is open.
    assert [host for host in asked if not host.endswith((".google.com", ".googleapis.com"))] == []


@pytest.mark.workflow
def test_a_number_leads_back_to_its_source(audit):
    """From the headline of the abstract, by links alone, to the registered digest."""
    text = (audit / "index.html").read_text(encoding="utf-8")
    entries = dict(
        re.findall(r'<div class="entry" id="([^"]+)">(.*?)\n</details></div>', text, re.S)
    )
    item = next(
        e
        for i, e in entries.items()
        if i.startswith("item-") and "<code>gap_main.2021.percent</code>" in e
    )
    links = re.findall(r'href="([^"]+)"', item)
    assert "#job-estimate_gap" in links
    assert "#specification-gap_main" in links
    # The function that estimated it, by its line.
    function = ESTIMATORS["event_study"].function
    module = Path(*function.__module__.split(".")).with_suffix(".py")
    path = f"views/workflow/{module}.html#L"
    line = next(link.removeprefix(path) for link in links if link.startswith(path))
    lines = (ROOT / "workflow" / module).read_text(encoding="utf-8").splitlines()
    assert lines[int(line) - 1].startswith(f"def {function.__name__}")
    job = entries["job-estimate_gap"]
    assert "#file-data/snapshot/municipal_incomes.csv" in re.findall(r'href="([^"]+)"', job)
    table = entries["file-data/snapshot/municipal_incomes.csv"]
    assert "#source-municipal_incomes" in re.findall(r'href="([^"]+)"', table)
    source = entries["source-municipal_incomes"]
    assert "74bbad9b8e6be2648848b1335940c5d9a91f92ee1346cf8b297eaefbccc980e9" in source
    assert re.search(r'href="#item-\d+">gap_main.2021.percent', source)


def test_what_a_table_says_is_printed_not_run(tmp_path):
    hostile = "town,note\n<script>alert(1)</script>,\"=cmd|' /C calc'!A0\"\n"
    (tmp_path / "towns.csv").write_text(hostile, encoding="utf-8")
    pages = Pages(tmp_path, TEMPLATES, tmp_path / "audit")
    place = pages.file("towns.csv", "file-towns.csv")
    text = (tmp_path / "audit" / place["view"]).read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert (tmp_path / "audit" / place["copied"]).read_text(encoding="utf-8") == hostile


def test_a_long_table_says_how_much_of_it_is_shown(tmp_path):
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 30, encoding="utf-8")
    table = table_of(tmp_path / "a.csv", 10)
    assert (table["size"], len(table["rows"])) == ("10 of 30 rows", 10)
    assert table_of(tmp_path / "a.csv")["size"] == "30 rows"


def test_a_list_of_entries_is_a_table(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("- {code: '01', year: 2012}\n- {code: '02', reason: swapped}\n", "utf-8")
    table = table_of(path)
    assert table["columns"] == ["code", "year", "reason"]
    assert table["rows"] == [["01", "2012", ""], ["02", "", "swapped"]]
