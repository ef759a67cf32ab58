"""The study as a module of another workflow: a prefix, another config, nothing of it edited."""

import os

import pandas as pd
import pytest
import yaml
from checkout import checkout

from forks.country import GAP, write_country
from forks.run import BESIDE, ran, snakemake

pytestmark = pytest.mark.workflow

SNAKEFILE = """
configfile: "config.yaml"


module study:
    snakefile:
        config["checkout"] + "/Snakefile"
    prefix:
        "{prefix}"
    config:
        config["study"]


use rule * from study as study_*
"""


def importing(folder, study, settings, prefix):
    """A folder with a workflow that imports the study under a prefix."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(prefix=prefix), encoding="utf-8")
    (folder / "config.yaml").write_text(
        yaml.safe_dump({"checkout": str(study), "study": settings}), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return checkout(tmp_path_factory.mktemp("study"))


def files(folder):
    return {p.relative_to(folder) for p in folder.rglob("*") if "__pycache__" not in p.parts}


def test_another_workflow_builds_the_paper_under_its_prefix(study, tmp_path):
    settings = write_country(tmp_path, tmp_path / "country")
    other = importing(tmp_path / "other", study, settings, "elsewhere")
    before = files(study)
    done = snakemake(other, "elsewhere/results/audit", library=study)
    assert done.returncode == 0, done.stdout[-3000:]
    assert {"study_build_panel", "study_compile_paper"} <= set(ran(done))
    assert files(study) == before  # nothing is written into the study's own folder
    records = pd.read_csv(other / "elsewhere/results/estimates.csv", dtype={"term": str})
    after = records[records["specification"] == "gap_after"].iloc[0]
    assert after["ci_low"] < GAP < after["ci_high"]
    assert (other / "elsewhere/results/paper.pdf").read_bytes().startswith(b"%PDF")
    assert (other / "elsewhere/logs/build_panel.json").exists()
    checked = pd.read_csv(other / "elsewhere/results/checklist.csv").set_index("id")["verdict"]
    assert checked["estimand"] == "shown"  # the study's own file
    assert checked["flow"] == "shown"  # the run's
    # The audit speaks of the study's own names, wherever its files lie.
    page = (other / "elsewhere/results/audit/index.html").read_text(encoding="utf-8")
    assert 'chain of digests: <span class="good">whole' in page
    for found in (
        "job-estimate_gap",
        "file-results/estimates/gap_after.csv",
        "file-data/panel/panel.parquet",
        "specification-gap_after",
    ):
        assert f'id="{found}"' in page
    (table,) = (other / "elsewhere/results/audit/files/outside").rglob("municipalities.csv")
    assert table.read_bytes() == (tmp_path / "country/municipalities.csv").read_bytes()


def test_russia_s_study_is_planned_whole_under_a_prefix_with_two_settings(study, tmp_path):
    settings = {"seed": 5, "market_potential": {"kappa_km": 150}}
    other = importing(tmp_path / "other", study, settings, "russia")
    whole = snakemake(other, "--dry-run", "russia/results/paper.pdf", library=study)
    assert whole.returncode == 0, whole.stdout[-3000:]
    assert len(ran(whole)) > 20
    alone = snakemake(study, "--dry-run", "results/paper.pdf", "--directory", str(tmp_path))
    assert alone.returncode == 0, alone.stdout[-3000:]
    beside = {f"study_{rule}" for rule in BESIDE}
    planned = [rule for rule in ran(whole) if rule not in beside]
    assert sorted(planned) == sorted(f"study_{rule}" for rule in ran(alone))
    assert not os.path.exists(tmp_path / "results/paper.pdf")


def test_a_wrong_key_of_the_importing_workflow_is_refused_by_name(study, tmp_path):
    other = importing(tmp_path / "other", study, {"sed": 5}, "russia")
    refused = snakemake(other, "--dry-run", "russia/results/paper.pdf", library=study)
    assert refused.returncode != 0
    assert "the run's own settings" in refused.stdout
    assert "did you mean 'seed'" in refused.stdout
