"""Convergence of simulated places: planted speeds and groups are found."""

import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.numbers import of_facts, of_records
from monotowns.studies import convergence

YEARS = range(2012, 2022)


def places(n=400, rate=0.05, noise=0.0, seed=2):
    """Log incomes that close a share of their distance to a common path every year."""
    rng = np.random.default_rng(seed)
    columns = {
        "entity": [f"{i:04d}" for i in range(n)],
        "start": rng.normal(0, 0.5, n),
        "size": np.exp(rng.normal(10, 1, n)),
        "monotown": (np.arange(n) % 5 == 0).astype(float),
        "region": [f"r{i % 19:02d}" for i in range(n)],
    }
    rows = pd.DataFrame(columns).merge(pd.DataFrame({"year": YEARS}), how="cross")
    t = rows["year"] - 2012
    rows["log_taxable_pc"] = 12 + 0.02 * t + rows["start"] * np.exp(-rate * t)
    rows["log_taxable_pc"] += noise * rng.standard_normal(len(rows))
    rows["population"] = rows["size"] * np.exp(0.01 * t * rng.standard_normal(len(rows)))
    return rows


def test_incomplete_entities_are_left_out():
    rows = places(20)
    left = convergence.complete(rows.drop(index=52))
    assert set(rows["entity"]) - set(left["entity"]) == {"0005"}


def test_the_planted_speed_is_found_in_every_cut():
    fits = convergence.convergence_fits(places())
    for name in ("absolute", "conditional", "monotowns", "others"):
        assert fits[f"beta_{name}"]["speed"]["estimate"] == pytest.approx(0.05, rel=1e-9)
    assert fits["beta_difference"]["initial_monotown"]["estimate"] == pytest.approx(0, abs=1e-9)
    assert fits["sigma"]["trend"]["estimate"] < 0


def test_passing_noise_looks_like_convergence_unless_instrumented():
    fits = convergence.convergence_fits(places(2000, rate=0.0, noise=0.4))
    naive, clean = fits["beta_conditional"]["initial"], fits["beta_instrumented"]["initial"]
    assert naive["ci_high"] < -0.02
    assert clean["ci_low"] < 0 < clean["ci_high"]


def test_regions_add_up_and_theil_is_exact():
    rows = places(60)
    paths = convergence.region_paths(rows)
    part = rows[(rows["region"] == "r03") & (rows["year"] == 2015)]
    mean = np.average(np.exp(part["log_taxable_pc"]), weights=part["population"])
    assert paths.loc["r03", 2015] == pytest.approx(np.log(mean), rel=1e-12)
    table = convergence.inequality(rows)
    assert table["year"].tolist() == list(YEARS)
    share = 100 * table["between"] / table["total"]
    assert table["share_between"].to_numpy() == pytest.approx(share)


def test_two_planted_clubs_are_separated_and_printed():
    rng = np.random.default_rng(1)
    t = np.arange(10)
    gap = np.exp(-0.4 * t)
    high = 13 + 0.05 * t + rng.normal(0, 0.3, (6, 1)) * gap
    low = 11 + 0.01 * t + rng.normal(0, 0.3, (8, 1)) * gap
    names = pd.Index([f"high {i}" for i in range(6)] + [f"low {i}" for i in range(8)])
    paths = pd.DataFrame(np.vstack([high, low]), index=names, columns=list(YEARS))
    fits, table = convergence.region_clubs(paths)
    assert fits["logt"].details["t"][0] < -1.65
    clubs = table.set_index("region")["club"]
    assert (clubs[names[:6]] == 1).all()
    assert (clubs[names[6:]] == 2).all()
    printed = convergence.clubs_to_print(table)
    assert printed["regions"].tolist() == [6, 8]
    assert printed.loc[0, "first"] == f"{np.exp(high[:, 0]).mean() / 1000:.0f}"


def test_every_record_and_fact_can_be_printed():
    # Divergence: no half-life, and no number that is not finite may reach the text.
    towns = 1e6 / (np.arange(1, 300) - 0.5)
    rows = places(rate=-0.03, noise=0.05)
    records, facts, tables = convergence.study(rows, towns, [5000, 50_000], 1)
    numbers = of_records(records)
    assert "spatial_beta_absolute.half_life.estimate" not in numbers
    assert numbers["spatial_zipf_5000.exponent.estimate"] == "1.000"
    assert of_facts(facts)["spatial.tail.long"] == "5,000"
    assert list(tables) == ["inequality", "clubs", "clubs_print"]
