"""Convergence of simulated places: planted speeds and groups are found."""

import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.numbers import of_facts, of_records
from monotowns.studies import disparities
from monotowns.studies.hierarchy import hierarchy_fits

YEARS = range(2012, 2022)


def places(n=400, rate=0.05, noise=0.0, seed=2):
    """Log incomes that close a share of their distance to a common path every year."""
    rng = np.random.default_rng(seed)
    start, size = rng.normal(0, 0.5, n), np.exp(rng.normal(10, 1, n))
    frames = []
    for t, year in enumerate(YEARS):
        y = 12 + 0.02 * t + start * np.exp(-rate * t) + noise * rng.standard_normal(n)
        frames.append(
            pd.DataFrame(
                {
                    "entity": [f"{i:04d}" for i in range(n)],
                    "year": year,
                    "log_taxable_pc": y,
                    "population": size * np.exp(0.01 * t * rng.standard_normal(n)),
                    "monotown": (np.arange(n) % 5 == 0).astype(float),
                    "region": [f"r{i % 19:02d}" for i in range(n)],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_incomplete_entities_are_left_out():
    rows = places(20)
    left = disparities.complete(rows.drop(index=5))
    assert set(rows["entity"]) - set(left["entity"]) == {"0005"}


def test_the_planted_speed_is_found_in_every_cut():
    fits = disparities.convergence_fits(places())
    for name in ("absolute", "conditional", "monotowns", "others"):
        assert fits[f"beta_{name}"]["speed"]["estimate"] == pytest.approx(0.05, rel=1e-9)
    assert fits["beta_difference"]["initial_monotown"]["estimate"] == pytest.approx(0, abs=1e-9)
    assert fits["sigma"]["trend"]["estimate"] < 0


def test_passing_noise_looks_like_convergence_unless_instrumented():
    fits = disparities.convergence_fits(places(2000, rate=0.0, noise=0.4))
    naive, clean = fits["beta_conditional"]["initial"], fits["beta_instrumented"]["initial"]
    assert naive["ci_high"] < -0.02
    assert clean["ci_low"] < 0 < clean["ci_high"]


def test_regions_add_up_and_theil_is_exact():
    rows = places(60)
    paths = disparities.region_paths(rows)
    part = rows[(rows["region"] == "r03") & (rows["year"] == 2015)]
    mean = np.average(np.exp(part["log_taxable_pc"]), weights=part["population"])
    assert paths.loc["r03", 2015] == pytest.approx(np.log(mean), rel=1e-12)
    table = disparities.inequality(rows)
    assert table["year"].tolist() == list(YEARS)
    assert (table["between"] + table["within"]).to_numpy() == pytest.approx(table["total"])
    assert table["share_between"].to_numpy() == pytest.approx(
        100 * table["between"] / table["total"]
    )


def test_two_planted_clubs_are_told_apart_and_printed():
    rng = np.random.default_rng(1)
    t = np.arange(10)
    gap = np.exp(-0.4 * t)
    high = 13 + 0.05 * t + rng.normal(0, 0.3, (6, 1)) * gap
    low = 11 + 0.01 * t + rng.normal(0, 0.3, (8, 1)) * gap
    names = [f"high {i}" for i in range(6)] + [f"low {i}" for i in range(8)]
    paths = pd.DataFrame(np.vstack([high, low]), index=names, columns=list(YEARS))
    fits, table = disparities.region_clubs(paths)
    assert fits["logt"].details["t"][0] < -1.65
    clubs = table.set_index("region")["club"]
    assert set(clubs[[n for n in names if n.startswith("high")]]) == {1}
    assert set(clubs[[n for n in names if n.startswith("low")]]) == {2}
    printed = disparities.clubs_to_print(table)
    assert printed["regions"].tolist() == [6, 8]
    first = f"{np.exp(high[:, 0]).mean() / 1000:.0f}"
    assert printed.loc[0, "first"] == first


def test_every_record_and_fact_can_be_printed():
    # Divergence: no half-life, and no number that is not finite may reach the text.
    rows = places(rate=-0.03, noise=0.05)
    fits = disparities.convergence_fits(rows)
    of_regions, clubs = disparities.region_clubs(disparities.region_paths(rows))
    towns = 1e6 / (np.arange(1, 300) - 0.5)
    fits |= of_regions | hierarchy_fits(towns, rows, [5000, 50_000])
    records = disparities.convergence_records(fits, 1)
    numbers = of_records(records)
    assert "spatial_beta_absolute.half_life.estimate" not in numbers
    assert numbers["spatial_zipf_5000.exponent.estimate"] == "1.000"
    facts = disparities.convergence_facts(fits, disparities.inequality(rows), clubs)
    printed = of_facts({k: v for k, v in facts.items()})
    assert printed["spatial.tail.long"] == "5,000"
