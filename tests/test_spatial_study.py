"""Spatial analysis on simulated places: what is planted is found, what is left out is counted."""

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.spatial_likelihood import LogDeterminant
from monotowns.estimate.spatial_weights import neighbours
from monotowns.manuscript.numbers import of_facts, of_records
from monotowns.run.errors import DesignError
from monotowns.studies import spatial

SETTINGS = {
    "main": {"kind": "nearest", "size": 6},
    "others": {"band": {"kind": "band", "size": 60}},
}
DRAWS = {"bootstrap": 499, "permutation": 99}


def places(n=240, years=range(2012, 2018), own=-0.1, spill=-0.3, seed=5):
    """Places of twelve regions on a plain; monotowns and their neighbours lose from 2014 on."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(54, 58, n), rng.uniform(50, 57, n)
    W = neighbours(lat, lon, "nearest", 6)
    mono = (rng.random(n) < 0.2).astype(float)
    region = np.floor(lat - 54).astype(int) * 3 + np.floor((lon - 50) / 2.4).astype(int)
    columns = {
        "entity": [f"{i:04d}" for i in range(n)],
        "monotown": mono,
        "lat": lat,
        "lon": lon,
        "region": [f"r{r}" for r in region],
        "shift": 12 + rng.normal(0, 0.3, n),
        "effect": own * mono + spill * (W @ mono),
    }
    panel = pd.DataFrame(columns).merge(pd.DataFrame({"year": years}), how="cross")
    later = panel["year"] >= 2014
    noise = rng.normal(0, 0.05, len(panel))
    panel["log_taxable_pc"] = panel["shift"] + later * panel["effect"] + noise
    panel["log_population"] = rng.normal(10, 1, len(panel))
    return panel.assign(region_year=panel["region"] + panel["year"].astype(str))


def test_what_is_lost_is_counted():
    panel = places(40)
    panel = panel[~((panel["entity"] == "0003") & (panel["year"] == 2015))]
    panel.loc[panel["entity"] == "0007", "monotown"] = np.nan
    panel.loc[panel["entity"] == "0009", "lat"] = np.nan
    rows, flow = spatial.balanced_rows(panel.sample(frac=1, random_state=1), 2014)
    assert (flow["entities"], flow["incomplete"], flow["partly"], flow["kept"]) == (40, 2, 1, 37)
    kept = sorted(set(panel["entity"]) - {"0003", "0007", "0009"})
    assert rows["entity"].tolist() == [e for e in kept for _ in range(6)]
    assert flow["kept_monotowns"] == rows.drop_duplicates("entity")["monotown"].sum()
    assert (rows["treated"] == rows["monotown"] * (rows["year"] >= 2014)).all()


def test_panels_that_do_not_do_are_refused():
    panel = places(40)
    with pytest.raises(DesignError, match="no entity has every year"):
        spatial.balanced_rows(panel.assign(lat=np.nan), 2014)
    moved = panel.assign(monotown=panel["monotown"].where(panel["year"] > 2012, 1.0))
    with pytest.raises(DesignError, match="in some years only"):
        spatial.balanced_rows(moved, 2014)


def test_places_alone_leave_rows_and_weights_together():
    panel = places(60)
    panel.loc[panel["entity"] == "0005", ["lat", "lon"]] = [70.0, 120.0]
    rows, _ = spatial.balanced_rows(panel, 2014)
    part, W = spatial.weighted(rows, "band", 150)
    assert "0005" not in set(part["entity"])
    assert W.shape[0] == part["entity"].nunique()
    assert W.sum(axis=1) == pytest.approx(1)
    whole, W = spatial.weighted(rows, "nearest", 4)
    assert W.shape[0] == whole["entity"].nunique() == 60


def test_the_lag_is_the_mean_of_the_neighbours_of_the_same_year():
    rows, _ = spatial.balanced_rows(places(30), 2014)
    rows, W = spatial.weighted(rows, "nearest", 3)
    lag = rows.assign(lag=spatial.lag(rows["log_taxable_pc"], W)).set_index(["entity", "year"])
    ids = rows["entity"].unique()
    for year in rows["year"].unique():
        near = [(entity, year) for entity in ids[W[[4], :].indices]]
        mean = lag.loc[near, "log_taxable_pc"].mean()
        assert lag.loc[(ids[4], year), "lag"] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("spill", [0.0, -0.3])
def test_a_planted_spillover_is_found_and_none_is_not(spill):
    panel = places(spill=spill)
    records, facts, _ = spatial.study(panel, SETTINGS, 2014, DRAWS, 7)
    by = records.drop_duplicates(["specification", "term"]).set_index(["specification", "term"])
    for name, term in (
        ("sdm_main", "indirect monotown"),
        ("slx_main", "indirect monotown"),
        ("slx_region", "W_monotown"),
        ("slx_clustered", "W_monotown"),
    ):
        row = by.loc[(f"spatial_{name}", term)]
        assert abs(row["estimate"] - spill) < 3 * row["standard_error"], name
        assert (row["ci_high"] < 0) == (spill < 0), name
    for name, term, planted in (("main", "direct", -0.1), ("placebo", "total", 0.0)):
        row = by.loc[(f"spatial_sdm_{name}", f"{term} monotown")]
        assert abs(row["estimate"] - planted) < 3 * row["standard_error"]
    numbers = of_records(records) | of_facts(facts)
    assert numbers["spatial.neighbours"] == "6"
    used, W = spatial.weighted(spatial.balanced_rows(panel, 2014)[0], **SETTINGS["main"])
    home = used.drop_duplicates("entity")["region"].to_numpy()
    same = 100 * np.mean([home[i] == home[j] for i, j in zip(*W.nonzero(), strict=True)])
    assert facts["spatial.same_region"][0] == pytest.approx(same, rel=1e-12)
    indirect = by.loc[("spatial_sdm_main", "indirect monotown"), "estimate"]
    one = np.expm1(indirect / 6) * 100
    assert float(numbers["spatial.one"].replace("−", "-")) == pytest.approx(one, abs=0.05)


def test_dependence_common_to_a_region_leaves_with_its_effects():
    panel = places(spill=0.0, own=0.0)
    rng = np.random.default_rng(3)
    shock = dict(zip(panel["region_year"].unique(), rng.normal(0, 0.3, 10_000), strict=False))
    panel["log_taxable_pc"] += panel["region_year"].map(shock)
    rows, _ = spatial.balanced_rows(panel, 2014)
    rows, W = spatial.weighted(rows, "nearest", 6)
    found = spatial.dependence_tests(rows, W, 199, 1)
    left = found["moran_residuals"].terms.set_index("term")["estimate"]
    assert (left.abs() < 0.1).all()
    assert list(left.index) == [str(year) for year in range(2012, 2018)]
    assert found["multipliers"]["lm error"]["estimate"] > 100
    assert found["multipliers_region"]["lm error"]["estimate"] < 10


def test_likelihood_ratio_against_the_table_of_chi_square():
    rows, _ = spatial.balanced_rows(places(80), 2014)
    rows, W = spatial.weighted(rows, "nearest", 6)
    space = LogDeterminant(W)
    sar, sdm = (spatial.panel_fit(rows, space, model, DRAWS, 1) for model in ("sar", "sdm"))
    # The planted spillover is no multiple of the own effect.
    assert 2 * (sdm.details["log_likelihood"] - sar.details["log_likelihood"]) > 3.841
    assert spatial.likelihood_ratio(sdm, sar) < 0.05
    assert spatial.likelihood_ratio(sar, sar) == 1.0
