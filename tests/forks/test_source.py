"""A new source: one entry in the registry, one reader, one contract; no rule and no other code."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import checkout, edit

from forks.run import ran, snakemake

pytestmark = pytest.mark.workflow

READ = """
    frame = pd.read_csv(path, sep=";").rename(columns={"reg": "region", "pct": "unemployment"})
    return frame[["region", "year", "unemployment"]]
"""
CONTRACT = "unemployment=within(0, 100)"
READER = "workflow/monotowns/acquire/readers/unemployment.py"


def python(folder, *words, **environment):
    own = {"PYTHONPATH": str(folder / "workflow"), "PYTHONUTF8": "1", **environment}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **own},
    )
    return done.returncode, done.stdout + done.stderr


def make(folder, kind, name):
    return python(folder, "workflow/scripts/documentation/skeleton.py", kind, name)


def snapshot(folder, mirror):
    script = "workflow/scripts/acquire/write_snapshot.py"
    return python(folder, script, "unemployment", MONOTOWNS_MIRROR=str(mirror))


def fill_in_reader(folder):
    """Write the skeleton's read(), which ends its module."""
    head, signature = (folder / READER).read_text(encoding="utf-8").split("def read(")
    text = f"{head}def read({signature.splitlines()[0]}{READ}"
    (folder / READER).write_text(text, encoding="utf-8")


def register(folder, raw):
    """Write what a raw file is into its entry."""
    path = folder / "data/sources.yaml"
    text, data = path.read_text(encoding="utf-8"), raw.read_bytes()
    head, entry = text.rsplit("\nunemployment:", 1)
    lines = [line for line in entry.splitlines() if not line.startswith(("  sha256", "  bytes"))]
    lines += [f'  sha256: "{hashlib.sha256(data).hexdigest()}"', f"  bytes: {len(data)}"]
    path.write_text(head + "\nunemployment:" + "\n".join(lines) + "\n", encoding="utf-8")


def write_raw(folder, raw, worst=12.0):
    """A raw file of invented rates for every region and year of the published population."""
    known = pd.read_csv(folder / "data/snapshot/population_regions.csv")
    rate = np.random.default_rng(3).uniform(2, worst, len(known)).round(1)
    table = pd.DataFrame({"reg": known["region"], "year": known["year"], "pct": rate})
    table.to_csv(raw, sep=";", index=False)


def specify(folder, table):
    """Join a table by region and year; name a skeleton of a specification that uses it."""
    assert make(folder, "specification", f"by_{table}")[0] == 0
    local = {
        "data": {"joined": {table: ["region", "year"]}},
        "specifications": ["config/specifications.yaml", f"config/by_{table}.yaml"],
    }
    (folder / "config/local.yaml").write_text(yaml.safe_dump(local), encoding="utf-8")


def fill_in_specification(folder, table):
    path = folder / f"config/by_{table}.yaml"
    edit(path, f"outcome: outcome_of_by_{table}", "outcome: log_taxable_pc")
    edit(path, f"treatment_of_by_{table}", table)
    edit(path, "[entity, region_year]", "[entity, year]")


@pytest.fixture(scope="module")
def fork(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("fork"))
    assert make(folder, "source", "unemployment")[0] == 0
    return folder


def test_a_skeleton_says_what_is_to_be_filled_in(fork, tmp_path):
    code, told = make(fork, "source", "unemployment")
    assert code == 2 and "is there" in told
    assert make(fork, "source", "Not a name")[0] == 2
    raw = tmp_path / "unemployment.csv"
    write_raw(fork, raw)
    code, told = snapshot(fork, tmp_path)
    assert code == 2 and "0000000000" in told  # not the registered file
    register(fork, raw)
    code, told = snapshot(fork, tmp_path)
    assert code == 2 and "the reader of unemployment is not written yet" in told
    fill_in_reader(fork)
    code, told = snapshot(fork, tmp_path)
    assert code == 2 and "columns_of_unemployment: no such column" in told
    assert not (fork / "data/snapshot/unemployment.csv").exists()


def test_a_source_goes_from_its_bytes_to_an_estimate(fork, tmp_path):
    fill_in_reader(fork)
    contracts = fork / "workflow/monotowns/panel/contracts/schemas.py"
    edit(contracts, "columns_of_unemployment=number()", CONTRACT)
    raw = tmp_path / "unemployment.csv"
    write_raw(fork, raw, worst=400.0)
    register(fork, raw)
    code, told = snapshot(fork, tmp_path)
    assert code == 2 and "the contract is broken" in told and "unemployment" in told
    (fork / "data/raw/unemployment.csv").unlink()
    write_raw(fork, raw)
    register(fork, raw)
    assert snapshot(fork, tmp_path)[0] == 0
    assert len(pd.read_csv(fork / "data/snapshot/unemployment.csv")) > 1000

    specify(fork, "unemployment")
    target = "results/estimates/by_unemployment.csv"
    done = snakemake(fork, target)
    assert done.returncode == 0  # the question's other specifications are not lost
    assert "by_unemployment not estimated: no such column" in done.stdout  # not filled in
    assert pd.read_csv(fork / target).empty
    fill_in_specification(fork, "unemployment")
    done = snakemake(fork, target)
    assert done.returncode == 0, done.stdout[-3000:]
    assert ran(done) == ["estimate_gap"]
    found = pd.read_csv(fork / target).iloc[0]
    assert found["term"] == "unemployment"
    assert found["n_obs"] > 15_000
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_a_plain_table_joins_without_code(fork):
    table = pd.read_csv(fork / "data/snapshot/population_regions.csv")
    table = table.rename(columns={"population": "residents"})
    table.to_csv(fork / "data/snapshot/residents.csv", index=False)
    specify(fork, "residents")
    fill_in_specification(fork, "residents")
    done = snakemake(fork, "results/estimates/by_residents.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert pd.read_csv(fork / "results/estimates/by_residents.csv").loc[0, "term"] == "residents"


def test_the_run_from_raw_files_reads_the_new_one_too(fork, tmp_path):
    raw = tmp_path / "unemployment.csv"
    write_raw(fork, raw)
    (fork / "config/local.yaml").write_text("acquisition: download\n", encoding="utf-8")
    done = snakemake(fork, "data/drift/unemployment.csv", MONOTOWNS_MIRROR=str(tmp_path))
    assert done.returncode == 0, done.stdout[-3000:]
    assert pd.read_csv(fork / "data/drift/unemployment.csv").empty
    now, committed = (
        (fork / f"data/{f}/unemployment.csv").read_bytes() for f in ("clean", "snapshot")
    )
    assert now == committed
