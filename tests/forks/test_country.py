"""Another country: two tables of its own, none of Russia's; what they cannot carry is left out."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from checkout import checkout

from forks.country import COMPANY_TOWNS, ENTITIES, GAP, YEARS, write_country
from forks.run import paper_text, ran, snakemake

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("country"))
    # The table of the world's countries is everybody's.
    for path in (folder / "data/snapshot").glob("*.csv"):
        if path.stem != "countries":
            path.unlink()
    settings = write_country(folder, "country")
    (folder / "config/local.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = snakemake(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder, done


def test_the_planted_gap_is_recovered(built):
    records = pd.read_csv(built[0] / "results/estimates.csv", dtype={"term": str})
    after = records[records["specification"] == "gap_after"].iloc[0]
    assert after["ci_low"] < GAP < after["ci_high"]
    assert after["standard_error"] < 0.02
    assert after["n_obs"] == ENTITIES * len(YEARS)
    yearly = records[records["specification"] == "gap_main"].set_index("term")["estimate"]
    assert yearly["2006"] == pytest.approx(0, abs=0.03)
    assert yearly["2011"] == pytest.approx(GAP, abs=0.03)


def test_only_the_stages_that_the_tables_carry_are_run(built):
    folder, done = built
    rules = set(ran(done))
    assert {"build_panel", "build_weights", "estimate_gap", "draw_figures"} <= rules
    assert rules.isdisjoint(
        {
            "build_measures",
            "build_stages",
            "build_exposure",
            "build_potential",
            "analyse_toser",
            "analyse_spatial",
        }
    )
    left = pd.read_csv(folder / "results/tables/left_out.csv").set_index(["kind", "name"])["reason"]
    assert "gva_structure" in left["stage", "build_stages"]
    assert left["stage", "analyse_spatial"] == "analyse_spatial (left out in the config)"
    assert "no such column" in left["specification", "agglomeration"]
    assert "log_mp_inverse" in left["specification", "agglomeration"]
    assert not (folder / "results/figures/map.svg").exists()  # its projection is Russia's
    assert left["specification", "gap_towns"].startswith("the sample is empty")
    assert "toser" in left["section", "toser"]
    assert ("section", "gap") not in left


def test_the_paper_is_this_country_s(built):
    folder, _ = built
    numbers = json.loads((folder / "results/numbers.json").read_text(encoding="utf-8"))
    assert numbers["panel.monotowns"] == str(COMPANY_TOWNS)
    text = paper_text(folder)
    assert "other data or settings than the text was written for" in text
    assert "Left out: these data lack" in text
    assert "[not held by these results]" in text or "[no result]" in text
    assert "gap towns" in text and "the sample is empty" in text


def test_another_sample_is_one_estimate_and_a_new_paper(built):
    folder, _ = built
    path, before = folder / "country/specifications.yaml", paper_text(folder)
    mine = yaml.safe_load(path.read_text(encoding="utf-8"))
    mine["samples"]["early"] = {"monotown": {"known": True}, "year": {"max": 2009}}
    mine["specifications"]["gap_early"] = mine["specifications"]["gap_after"] | {"sample": "early"}
    path.write_text(yaml.safe_dump(mine), encoding="utf-8")
    done = snakemake(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert sorted(ran(done)) == [
        "check_claims",
        "collect",
        "compile_paper",
        "draw_figures",
        "estimate_gap",
        "walk_checklist",
    ]
    assert "gap early" in paper_text(folder)
    assert "gap early" not in before


def test_a_table_that_comes_brings_its_stage(built):
    folder, _ = built
    places = pd.read_csv(folder / "country/municipalities.csv").drop_duplicates("entity")[:40]
    towns = places[["region", "lat", "lon"]].assign(
        town=places["name"], population=range(60_000, 60_000 + 40 * 30_000, 30_000)
    )
    towns.to_csv(folder / "country/towns_2020.csv", index=False)
    refused = snakemake(folder, "results/estimates/agglomeration.csv")
    assert refused.returncode != 0
    assert "country/towns_2020.csv: expected" in refused.stdout and "make sign" in refused.stdout
    program = [sys.executable, "workflow/scripts/acquire/sign.py"]
    own = os.environ | {"PYTHONPATH": str(folder / "workflow")}
    signed = subprocess.run(program, cwd=folder, env=own, capture_output=True, text=True)
    assert signed.stdout == "Signed: towns_2020\n", signed.stderr
    done = snakemake(folder, "results/estimates/agglomeration.csv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert sorted(ran(done)) == ["build_measures", "estimate_agglomeration"]
    measures = pd.read_parquet(folder / "data/panel/measures.parquet")
    assert measures["log_mp_foreign"].gt(0).all()
    assert set(measures["ring"]) >= {"0-50", "50-100"}
    (folder / "country/towns_2020.csv").unlink()


def test_the_study_s_own_policy_stops_at_a_table_that_is_lost(built):
    folder, _ = built
    paper = (folder / "results/paper.pdf").read_bytes()
    done = snakemake(folder, "--config", "claims=stop")
    assert done.returncode != 0
    assert "the study needs what is not there" in done.stdout
    assert "towns_2020" in done.stdout
    assert (folder / "results/paper.pdf").read_bytes() == paper
