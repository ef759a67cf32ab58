"""The download mode through the workflow itself."""

import hashlib
import os
import shutil
import subprocess

import pandas as pd
import pytest
from checkout import ROOT, checkout, edit, snakemake
from monotowns.acquire.registry import load_registry, sign

REGISTRY = load_registry(ROOT / "data/sources.yaml")
TABLES = [t for s in REGISTRY.values() if s.access == "open" for t in s.tables]
CONTRACTS = "data/panel/source_contracts.csv"
REPORTS = [f"data/drift/{table}.csv" for table in TABLES]
MIRROR = os.environ.get("MONOTOWNS_MIRROR", "")
pytestmark = pytest.mark.workflow


@pytest.fixture
def copy(tmp_path):
    folder = checkout(tmp_path / "копия с пробелом")
    edit(folder / "config/config.yaml", "acquisition: snapshot", "acquisition: download")
    return folder


def test_the_plan_is_made_without_a_network(copy):
    offline = ["unshare", "-rn"]
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        pytest.skip("no right to cut the network off here")
    code, said = snakemake(copy, "-n", before=offline)
    assert code == 0, said[-3000:]
    for rule, jobs in (("compare_snapshot", len(TABLES)), ("read_source", len(TABLES))):
        assert f"{rule} {jobs}" in " ".join(said.split())
    assert not (copy / "data/raw").exists()
    edit(copy / "config/config.yaml", "acquisition: download", "acquisition: snapshot")
    code, said = snakemake(copy, "-n", before=offline)
    assert code == 0, said[-3000:]
    assert "build_panel 1" in " ".join(said.split())
    assert not [r for r in ("Download", "read_source", "compare_snapshot") if r in said]


def test_download_read_compare_and_what_goes_wrong(copy):
    if not MIRROR:
        pytest.skip("no raw files: MONOTOWNS_MIRROR is not set")
    code, said = snakemake(copy, "--", *REPORTS)
    assert code == 0, said[-3000:]
    assert "WARNING" not in said
    assert [report for report in REPORTS if len(pd.read_csv(copy / report))] == []
    for table in TABLES:
        fresh = (copy / f"data/clean/{table}.csv").read_bytes()
        assert fresh == (copy / f"data/snapshot/{table}.csv").read_bytes(), table

    # A table that is not its snapshot: told, and the run goes on.
    edit(copy / "data/snapshot/grp.csv", "Алтайский край,1998,21365.9", "Алтайский край,1998,2.0")
    code, said = snakemake(copy, "--", "data/drift/grp.csv")
    assert code == 0, said[-3000:]
    assert "WARNING: grp is not its snapshot" in said and "1 cells differ" in said
    report = pd.read_csv(copy / "data/drift/grp.csv", dtype=str)
    assert report.to_numpy().tolist() == [
        ["grp", "region=Алтайский край year=1998", "grp", "2.0", "21365.9"]
    ]
    # The contracts carry it to the paper, which prints it under its title.
    code, said = snakemake(copy, "--", CONTRACTS)
    assert code == 0, said[-3000:]
    verdicts = pd.read_csv(copy / CONTRACTS).set_index(["table", "rule"])
    told = verdicts[verdicts["verdict"] != "passed"]
    assert told["verdict"].to_dict() == {("grp", "read anew equals the snapshot"): "drifted"}

    # Another registered vintage that nobody serves: refused, and refused at every next run.
    digest = REGISTRY["grp"].sha256
    edit(copy / "data/sources.yaml", digest, digest[::-1])
    edit(copy / "data/sources.yaml", REGISTRY["grp"].addresses[0], "http://127.0.0.1:9/grp.xlsx")
    for _ in range(2):
        code, said = snakemake(copy, "--", "data/drift/grp.csv")
        assert code != 0
        assert "the bytes have changed" in said and digest[::-1] in said
    assert (copy / f"data/quarantine/grp-{digest[:16]}.xlsx").exists()


def test_a_new_upstream_file_is_told_cell_by_cell_and_a_row_less_stops_the_run(copy, tmp_path):
    # A vintage of the market-access index in which one figure was revised, then one row dropped.
    snapshot = pd.read_csv(copy / "data/snapshot/market_access.csv")
    upstream = tmp_path / "upstream" / REGISTRY["market_access"].file
    upstream.parent.mkdir()

    def register(frame):
        frame.to_parquet(upstream)
        registry = copy / "data/sources.yaml"
        old = load_registry(registry)["market_access"]
        edit(registry, old.sha256, hashlib.sha256(upstream.read_bytes()).hexdigest())
        edit(registry, f"bytes: {old.bytes}\n", f"bytes: {upstream.stat().st_size}\n")

    revised = snapshot.copy()
    first = snapshot["territory_id"].min()
    revised.loc[revised["territory_id"] == first, "market_access"] = 1.5
    register(revised)
    report = "data/drift/market_access.csv"
    code, said = snakemake(copy, "--", report, MONOTOWNS_MIRROR=str(upstream.parent))
    assert code == 0, said[-3000:]
    assert "WARNING: market_access is not its snapshot" in said
    rows = pd.read_csv(copy / report, dtype=str)[["key", "column", "now"]].to_numpy().tolist()
    assert rows == [[f"territory_id={first}", "market_access", "1.5"]]

    register(revised[1:])
    code, said = snakemake(copy, "--", report, MONOTOWNS_MIRROR=str(upstream.parent))
    assert code == 0 and "1 rows are gone" in said
    # The reviewed count stops what would be built on it; the tables are those of the snapshot here.
    edit(copy / "config/config.yaml", "acquisition: download", "acquisition: snapshot")
    shutil.copy(copy / "data/clean/market_access.csv", copy / "data/snapshot/market_access.csv")
    code, said = snakemake(copy, "--", "data/panel/panel.parquet")
    assert code != 0
    assert "a table is not the registered one" in said and "market_access.csv: expected" in said
    assert sign(copy / "data/sources.yaml", copy / "data/snapshot") == ["market_access"]
    code, said = snakemake(copy, "--", "data/panel/panel.parquet")
    assert code != 0
    assert "market_access: rows by year as reviewed: 1 cases" in said
    assert f"{len(snapshot)} reviewed, {len(snapshot) - 1} found" in said
    assert not (copy / "data/panel/panel.parquet").exists()
