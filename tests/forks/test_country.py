"""Another country: two tables of its own, none of Russia's; what they cannot carry is left out."""

import json

import pandas as pd
import pytest
import yaml
from checkout import checkout

from forks.country import COMPANY_TOWNS, ENTITIES, GAP, LIST, YEARS, country
from forks.run import paper_text, ran, snakemake

pytestmark = pytest.mark.workflow

CONFIG = {
    "author": "A. N. Other",
    "data": {"layout": "municipalities", "country": "ZZ", "folder": "country"},
    "specifications": ["country/specifications.yaml"],
    "claims": "report",
    "years": {"first": YEARS[0], "last": YEARS[-1]},
    "monotown": {"main": {"list": LIST, "town_share_min": 0}, "strict": None, "any": None,
                 "list_2024": None},
    "balance": {"years": [2006, 2007]},
    "deflator": dict.fromkeys(YEARS, 3.0),
    "draws": {"permutation": 99, "bootstrap": 99, "simulation": 20},
    "leave_out": ["analyse_spatial"],
}  # fmt: skip
SPECIFICATIONS = {
    "defaults": {"outcome": "log_taxable_pc", "sample": "main", "cluster": "region",
                 "fixed_effects": ["entity", "region_year"], "question": "gap",
                 "group": "headline"},
    "dummies": {"after": {"year": {"min": LIST}}},
    "samples": {"main": {"monotown": {"known": True}}, "towns": {"kind": ["town"]}},
    "specifications": {
        "gap_main": {"estimator": "event_study", "treatment": "monotown", "base": LIST - 1},
        "gap_after": {"estimator": "ols", "treatment": "monotown:after"},
        "gap_balanced": {"estimator": "event_study", "treatment": "monotown", "base": LIST - 1,
                         "weights": "balance_weight"},
        "gap_towns": {"estimator": "ols", "treatment": "monotown:after", "sample": "towns"},
        "agglomeration": {"question": "agglomeration", "estimator": "ols",
                          "treatment": "log_mp_inverse"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("country"))
    for path in (folder / "data/snapshot").glob("*.csv"):
        path.unlink()
    (folder / "country").mkdir()
    municipalities, company_towns = country()
    municipalities.to_csv(folder / "country/municipalities.csv", index=False)
    company_towns.to_csv(folder / "country/company_towns.csv", index=False)
    for path, settings in (("config/local.yaml", CONFIG),
                           ("country/specifications.yaml", SPECIFICATIONS)):  # fmt: skip
        (folder / path).write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr[-3000:]
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
    assert {"build_panel", "build_weights", "draw_gap", "compile_paper"} <= rules
    assert rules.isdisjoint({"build_measures", "build_stages", "build_exposure", "build_potential",
                             "analyse_toser", "analyse_spatial", "draw_maps"})  # fmt: skip
    left = pd.read_csv(folder / "results/tables/left_out.csv").set_index(["kind", "name"])["reason"]
    assert "gva_structure" in left["stage", "build_stages"]
    assert left["stage", "analyse_spatial"] == "analyse_spatial (left out in the config)"
    assert left["specification", "agglomeration"] == "towns_2020"
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
