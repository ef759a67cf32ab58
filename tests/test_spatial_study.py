"""Spatial analysis on simulated places: what is planted is found, what is left out is counted."""

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import spatial_weights as weights
from monotowns.manuscript.numbers import of_facts, of_records
from monotowns.run.errors import DesignError
from monotowns.studies import dependence

SETTINGS = {
    "main": {"kind": "nearest", "size": 6},
    "others": {"band": {"kind": "band", "size": 60}},
}
DRAWS = {"bootstrap": 499, "permutation": 99}


def places(n=240, years=range(2012, 2018), own=-0.1, spill=-0.3, seed=5, rho=0.0):
    """Places of twelve regions on a plain; monotowns and their neighbours lose from 2014 on."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(54, 58, n), rng.uniform(50, 57, n)
    W = weights.knn(lat, lon, 6)
    mono = (rng.random(n) < 0.2).astype(float)
    region = np.floor(lat - 54).astype(int) * 3 + np.floor((lon - 50) / 2.4).astype(int)
    shift = rng.normal(0, 0.3, n)
    frames = []
    for year in years:
        later = float(year >= 2014)
        mean = shift + 0.02 * (year - 2012) + later * (own * mono + spill * (W @ mono))
        y = np.linalg.solve(np.eye(n) - rho * W.toarray(), mean + rng.normal(0, 0.05, n))
        frames.append(
            pd.DataFrame(
                {
                    "entity": [f"{i:04d}" for i in range(n)],
                    "year": year,
                    "monotown": mono,
                    "lat": lat,
                    "lon": lon,
                    "region": [f"r{r}" for r in region],
                    "log_taxable_pc": 12 + y,
                    "log_population": rng.normal(10, 1, n),
                }
            )
        )
    panel = pd.concat(frames, ignore_index=True)
    return panel.assign(region_year=panel["region"] + panel["year"].astype(str))


def test_what_is_lost_is_counted():
    panel = places(40)
    panel = panel[~((panel["entity"] == "0003") & (panel["year"] == 2015))]
    panel.loc[panel["entity"] == "0007", "monotown"] = np.nan
    panel.loc[panel["entity"] == "0009", "lat"] = np.nan
    rows, flow = dependence.balanced_rows(panel.sample(frac=1, random_state=1))
    assert (flow["entities"], flow["incomplete"], flow["partly"], flow["kept"]) == (40, 2, 1, 37)
    kept = sorted(set(panel["entity"]) - {"0003", "0007", "0009"})
    assert rows["entity"].tolist() == [e for e in kept for _ in range(6)]
    assert flow["kept_monotowns"] == rows.drop_duplicates("entity")["monotown"].sum()
    assert rows.loc[rows["year"] < 2014, "treated"].eq(0).all()
    assert (rows["treated"] == rows["monotown"])[rows["year"] >= 2014].all()


def test_panels_that_do_not_do_are_refused():
    panel = places(40)
    with pytest.raises(DesignError, match="no entity has every year"):
        dependence.balanced_rows(panel.assign(lat=np.nan))
    moved = panel.assign(monotown=panel["monotown"].where(panel["year"] > 2012, 1.0))
    with pytest.raises(DesignError, match="in some years only"):
        dependence.balanced_rows(moved)


def test_places_alone_leave_rows_and_weights_together():
    panel = places(60)
    panel.loc[panel["entity"] == "0005", ["lat", "lon"]] = [70.0, 120.0]
    rows, _ = dependence.balanced_rows(panel)
    part, W = dependence.weighted(rows, "band", 150)
    assert "0005" not in set(part["entity"])
    assert W.shape[0] == part["entity"].nunique()
    whole, W = dependence.weighted(rows, "nearest", 4)
    assert W.shape[0] == whole["entity"].nunique() == 60


def test_the_lag_is_the_mean_of_the_neighbours_of_the_same_year():
    rows, _ = dependence.balanced_rows(places(30))
    rows, W = dependence.weighted(rows, "nearest", 3)
    told = pd.Series(dependence.lag(rows["log_taxable_pc"], W), index=rows.index)
    ids = rows["entity"].unique()
    near = ids[W[[4], :].indices]
    for year, part in rows.groupby("year"):
        mean = part.set_index("entity").loc[near, "log_taxable_pc"].mean()
        at = rows.index[(rows["entity"] == ids[4]) & (rows["year"] == year)][0]
        assert told[at] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("spill", [0.0, -0.3])
def test_a_planted_spillover_is_found_and_none_is_not(spill):
    rows, flow = dependence.balanced_rows(places(spill=spill))
    records, panels, alone = dependence.dependence_records(rows, SETTINGS, DRAWS, 7)
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
    direct = by.loc[("spatial_sdm_main", "direct monotown")]
    assert abs(direct["estimate"] + 0.1) < 3 * direct["standard_error"]
    placebo = by.loc[("spatial_sdm_placebo", "total monotown")]
    assert abs(placebo["estimate"]) < 3 * placebo["standard_error"]
    used, W = dependence.weighted(rows, **SETTINGS["main"])
    facts = dependence.dependence_facts(flow, panels, used, W, alone)
    numbers = of_records(records) | of_facts(facts)
    assert numbers["spatial.neighbours"] == "6"
    home = rows.drop_duplicates("entity")["region"].to_numpy()
    same = 100 * np.mean([home[i] == home[j] for i, j in zip(*W.nonzero(), strict=True)])
    assert facts["spatial.same_region"][0] == pytest.approx(same, rel=1e-12)
    one = np.expm1(panels["sdm"]["indirect monotown"]["estimate"] / 6) * 100
    assert float(numbers["spatial.one"].replace("−", "-")) == pytest.approx(one, abs=0.05)


def test_dependence_common_to_a_region_leaves_with_its_effects():
    panel = places(spill=0.0, own=0.0)
    rng = np.random.default_rng(3)
    shock = dict(zip(panel["region_year"].unique(), rng.normal(0, 0.3, 10_000), strict=False))
    panel["log_taxable_pc"] += panel["region_year"].map(shock)
    rows, _ = dependence.balanced_rows(panel)
    rows, W = dependence.weighted(rows, "nearest", 6)
    found = dependence.dependence_tests(rows, W, 199, 1)
    left = found["moran_residuals"].terms.set_index("term")
    assert (left["estimate"].abs() < 0.1).all()
    assert list(left.index) == [str(year) for year in range(2012, 2018)]
    before, after = (
        found[k]["lm error"]["estimate"] for k in ("multipliers", "multipliers_region")
    )
    assert before > 100
    assert after < 10


def test_likelihood_ratio_against_the_table_of_chi_square():
    rows, _ = dependence.balanced_rows(places(80))
    rows, W = dependence.weighted(rows, "nearest", 6)
    panels = dependence.panel_fits(rows, W, ["sar", "sdm"], 199, 1)
    ratio = 2 * (panels["sdm"].details["log_likelihood"] - panels["sar"].details["log_likelihood"])
    assert ratio > 3.841  # the planted spillover is no multiple of the own effect
    assert dependence.likelihood_ratio(panels["sdm"], panels["sar"]) < 0.05
    assert dependence.likelihood_ratio(panels["sar"], panels["sar"]) == 1.0
