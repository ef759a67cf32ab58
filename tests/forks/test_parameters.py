"""Russia's tables under another parameter, window, sample and outcome: layers over the defaults."""

import pandas as pd
import pytest
import yaml
from checkout import checkout

from forks.run import explain, ran, snakemake

pytestmark = pytest.mark.workflow

TARGETS = [f"results/estimates/{s}.csv" for s in ("agglomeration_between_exponential", "gap_after")]
MINE = {
    "samples": {
        "south_steady": {"lat": {"max": 60}, "income_spike": [0], "monotown": {"known": True}}
    },
    "derived": {"log_social_pc": {"of": "social", "per": "population", "log": True}},
    "specifications": {
        "gap_social": {
            "question": "gap",
            "group": "robustness",
            "estimator": "ols",
            "outcome": "log_social_pc",
            "treatment": "monotown:from_2014",
            "fixed_effects": ["entity", "region:urban_2013:year"],
        },
        "gap_after": {"sample": "south_steady", "variances": ["crv3"]},
    },
}


def write(path, settings):
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")


def record(folder, specification):
    path = folder / f"results/estimates/{specification}.csv"
    return pd.read_csv(path, dtype={"term": str}).iloc[0]


@pytest.fixture(scope="module")
def fork(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("fork"))
    # The further variances of the gap are not what is tried here.
    write(folder / "mine.yaml", {"specifications": {"gap_after": {"variances": ["crv3"]}}})
    write(
        folder / "config/local.yaml",
        {"specifications": ["config/specifications.yaml", "mine.yaml"]},
    )
    done = snakemake(folder, *TARGETS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert explain(folder, TARGETS[0]) == f"{TARGETS[0]} is up to date: nothing would run."
    return folder


def change(folder, settings, *targets):
    """Lay settings over the defaults; what would run and why, and what then ran."""
    write(
        folder / "config/local.yaml",
        {"specifications": ["config/specifications.yaml", "mine.yaml"], **settings},
    )
    told = explain(folder, targets[0])
    done = snakemake(folder, *targets)
    assert done.returncode == 0, done.stdout[-3000:]
    return told, ran(done)


def test_another_decay_reruns_what_measures_and_no_more(fork):
    before = [record(fork, s) for s in ("agglomeration_between_exponential", "gap_after")]
    told, jobs = change(fork, {"market_potential": {"kappa_km": 60}}, *TARGETS)
    estimates = ["estimate_agglomeration", "estimate_gap"]
    assert sorted(jobs) == ["build_measures", "build_places", *estimates]
    assert "setting market_potential.kappa_km: 200 -> 60" in told
    assert "input data/panel/measures.parquet: made anew by build_measures" in told
    after = [record(fork, s) for s in ("agglomeration_between_exponential", "gap_after")]
    assert after[0]["estimate"] != before[0]["estimate"]
    pd.testing.assert_series_equal(after[1], before[1])
    # And back again: nothing of the other decay stays behind.
    _, jobs = change(fork, {}, *TARGETS)
    assert "build_measures" in jobs
    for specification, found in zip(
        ("agglomeration_between_exponential", "gap_after"), before, strict=True
    ):
        pd.testing.assert_series_equal(record(fork, specification), found)


def test_another_outcome_and_sample_are_one_job(fork):
    before = record(fork, "gap_after")
    write(fork / "mine.yaml", MINE)
    targets = ["results/estimates/gap_social.csv", TARGETS[1]]
    told, jobs = change(fork, {}, *targets)
    assert jobs == ["estimate_gap"]
    assert "output results/estimates/gap_social.csv: missing" in told
    social, after = record(fork, "gap_social"), record(fork, "gap_after")
    assert social["outcome"] == "log_social_pc"
    assert 15_000 < social["n_obs"] <= before["n_obs"]
    assert after["sample"] == "south_steady"
    assert 0 < after["n_obs"] < before["n_obs"]
    assert after["estimate"] != before["estimate"]


def test_another_window_reaches_the_panel(fork):
    write(fork / "mine.yaml", MINE)
    told, jobs = change(fork, {"years": {"last": 2018}}, TARGETS[1])
    assert set(jobs) == {
        "build_panel",
        "build_measures",
        "build_exposure",
        "build_weights",
        "build_places",
        "estimate_gap",
    }
    assert "setting years.last: 2021 -> 2018" in told
    assert pd.read_parquet(fork / "data/panel/panel.parquet")["year"].max() == 2018


def test_a_function_that_changed_is_named(fork):
    path = fork / "workflow/monotowns/measures/balance.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("return softmax(gap", "return 1 * softmax(gap"), encoding="utf-8")
    try:
        told = explain(fork, "results/tables/balance.csv")
    finally:
        path.write_text(text, encoding="utf-8")
    assert "code: monotowns.measures.balance.entropy_weights changed" in told
    assert told.count("code:") == 1


def test_an_unknown_key_of_a_layer_is_refused_by_name(fork):
    kept = (fork / "config/local.yaml").read_bytes()
    write(fork / "config/local.yaml", {"yeers": {"last": 2018}})
    refused = snakemake(fork, "--dry-run")
    (fork / "config/local.yaml").write_bytes(kept)
    assert refused.returncode != 0
    assert "config/local.yaml" in refused.stdout
    assert "did you mean 'years'" in refused.stdout
