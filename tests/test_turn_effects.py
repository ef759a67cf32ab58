"""Monotowns around turns and along volume: cohorts by hand, planted effects, size."""

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.regression import least_squares
from monotowns.estimate.staggered import imputation
from monotowns.run.errors import DesignError
from monotowns.studies import turn_effects as study

FIRST, LAST = 2012, 2021


def towns(seed, effect=0.0, regions=46, turned=8, noise=0.1):
    """Towns of regions with shocks of their own, of which the first few turn in 2016 to 2019."""
    rng = np.random.default_rng(seed)
    rows = []
    for region in range(regions):
        cohort = 2016 + region % 4 if region < turned else 0
        shared = noise * rng.normal(size=LAST - FIRST + 1).cumsum() / 2
        for town in range(1 + region % 6):
            path = rng.normal() + shared + noise * rng.normal(size=len(shared))
            for t, y in enumerate(path):
                on = cohort and FIRST + t >= cohort
                did = "turned" if cohort else study.HELD
                entity = f"{region:02d}{town}"
                rows.append((entity, FIRST + t, f"R{region:02d}", cohort, did, y + effect * on))
    return pd.DataFrame(rows, columns=["entity", "year", "region", "cohort", "did", "y"])


def test_relative_outcomes_by_hand():
    rows = pd.DataFrame(
        [
            ("m", 2012, "R", "R1", 1, 5.0),
            ("m", 2013, "R", "R1", 1, 7.0),
            ("a", 2012, "R", "R1", 0, 1.0),
            ("a", 2013, "R", "R1", 0, 2.0),
            ("b", 2013, "R", "R1", 0, 90.0),  # not seen in both years
            ("c", 2012, "R", "R0", 0, 50.0),  # of another kind
            ("c", 2013, "R", "R0", 0, 50.0),
            ("n", 2012, "Q", "Q1", 1, 3.0),  # with nobody beside it
        ],
        columns=["entity", "year", "region", "cell", "monotown", "y"],
    )
    found = study.relative(rows, ["y"]).set_index(["entity", "year"])["y"]
    assert found.loc["m"].tolist() == [4, 5] and np.isnan(found["n", 2012])


def dated(**stages):
    """Letters of stages from 2011 on; a capital letter is the first rising year of a turn."""
    words = dict(
        zip("idr", ["industrialised", "de-industrialising", "re-industrialising"], strict=True)
    )
    rows = [
        (2015, 3, 10, region, 2011 + t, words[letter.lower()], int(letter.isupper()), 100.0 + t)
        for region, letters in stages.items()
        for t, letter in enumerate(letters)
    ]
    columns = ["chain", "k", "threshold", "region", "year", "stage", "turned", "log_volume"]
    return pd.DataFrame(rows, columns=columns)


def test_what_regions_did_by_hand():
    table = dated(
        held="iiiiii",
        fell="iiddii",
        turned="iddRri",
        again="drrdRr",
        before="dRrrii",
        at_once="dIiiii",
    )
    found = study.cohorts_of(table, 2015, 3, 10, 2012, 2016)
    assert found["cohort"].to_dict() == {
        "held": 0,
        "fell": 0,
        "turned": 2014,
        "again": 2015,
        "before": 0,
        "at_once": 0,  # the turn of the first year has no year before it in the window
    }
    assert found["did"].to_dict() == {
        "held": study.HELD,
        "fell": study.FELL,
        "turned": "turned",
        "again": "turned",
        "before": study.TURNED_BEFORE,
        "at_once": study.HELD,
    }
    with pytest.raises(DesignError, match="no such rule"):
        study.cohorts_of(table, 2017, 3, 10, 2012, 2016)
    rows = pd.DataFrame(
        {"entity": list("xy"), "year": 2012, "region": ["held", "before"], "y": 1.0}
    )
    assert study.with_cohorts(rows, found, ["y"])["entity"].tolist() == ["x"]


def test_a_planted_effect_is_recovered_by_all_three():
    rows = towns(1, effect=0.3)
    fits, drawn = study.around_turn(rows, "y", 199, 1, (-3, 3))
    library = imputation(rows, "y", "cohort", "region")["att"]["estimate"]
    for fit in fits:
        assert fit["att"]["estimate"] == pytest.approx(library, abs=1e-9)
        assert abs(fit["att"]["estimate"] - 0.3) < 3 * fits[0]["att"]["standard_error"]
        assert fit["att"]["p_value"] < 0.02
    assert {"event -3", "event 0", "event 3"} <= set(fits[-1].terms["term"])
    # The permutation knows the sharp null of no effect at all.
    assert abs(drawn.mean()) < 0.05
    assert minimum_detectable_effect(drawn.std()) < 0.3
    more = study.variants(
        rows,
        "y",
        {"events": [-3, 3], "placebo_years": 2, "draws": 99, "left_out": {"000": "a reason"}},
        1,
    )
    assert more["held"][1][0]["att"]["estimate"] == pytest.approx(library)
    assert more["regions"][1][0].n_entities == 46
    assert more["without"][1][0].n_entities == rows["entity"].nunique() - 1
    assert abs(more["placebo"][1][0]["att"]["estimate"]) < 0.15


def test_leaving_a_region_out_is_estimating_without_it():
    rows = towns(2, effect=0.2)
    found = study.effects_without(rows, "y")
    for place in (0, 20):
        kept = rows[rows["region"] != f"R{place:02d}"]
        own = imputation(kept, "y", "cohort", "region")["att"]["estimate"]
        assert found[place] == pytest.approx(own, abs=1e-9)
    alone = rows[(rows["region"] == "R00") | (rows["cohort"] == 0)]
    assert np.isnan(study.effects_without(alone, "y")[0])
    facts = study.left_out_facts("x", rows, "y")
    assert facts["x.lowest"][0] == found.min() and facts["x.highest"][0] == found.max()


@pytest.mark.montecarlo
def test_size_of_the_three_without_an_effect():
    """With eight regions that turn, clustered errors reject too often; the permutation holds."""
    rejected = []
    for seed in range(200):
        fits, _ = study.around_turn(towns(seed), "y", 99, seed, (-3, 3))
        rejected.append([fit["att"]["p_value"] <= 0.05 for fit in fits])
    jackknife, permuted, clustered = np.mean(rejected, axis=0)
    # Three standard errors of 200 draws are .046.
    assert permuted < 0.05 + 0.046 and jackknife < 0.05 + 0.07
    assert clustered > 0.15


def test_family_by_hand():
    drawn = np.arange(-5.0, 6.0)
    found = study.family({"large": (60.0, 10 * drawn), "small": (0.0, drawn)})
    assert found["large"] == pytest.approx(1 / 12) and found["small"] == 1


def panel_of_slopes(slope, seed=0):
    rng = np.random.default_rng(seed)
    rows, gone = [], []
    for region in range(30):
        volume = 4 + 0.1 * rng.normal(size=12).cumsum()
        gone += [
            (2015, 3, 10, f"R{region}", FIRST + t, v * 100, "", 0) for t, v in enumerate(volume)
        ]
        shared = rng.normal(size=10).cumsum()
        for place in range(6):
            monotown = float(place < 2)
            y = rng.normal() + shared + 0.02 * rng.normal(size=10)
            y += monotown * (slope * volume[:10] + 0.1 * np.arange(10))
            rows += [
                (f"{region}-{place}", FIRST + t, f"R{region}", f"R{region}", monotown, v)
                for t, v in enumerate(y)
            ]
    dated = ["chain", "k", "threshold", "region", "year", "log_volume", "stage", "turned"]
    rows = pd.DataFrame(rows, columns=["entity", "year", "region", "cell", "monotown", "y"])
    return pd.DataFrame(gone, columns=dated), rows


@pytest.mark.parametrize("slope", [0.0, 0.4])
def test_a_planted_slope_is_recovered_beside_a_common_trend_of_monotowns(slope, monkeypatch):
    monkeypatch.setattr(study, "OUTCOMES", ("y",))
    volume, rows = panel_of_slopes(slope)
    turn = {"rising_years": 3, "threshold": 10, "lead_years": 2}
    gaps = study.relative(rows, ["y"])
    records = pd.concat(study.along_volume(volume, rows, gaps, turn, 199, 1))
    of = records[records["term"].str.endswith("log volume")].drop_duplicates("specification")
    assert of["specification"].tolist() == [
        "slope_y",
        "slope_y_gap",
        "slope_y_path",
        "slope_y_lead",
    ]
    assert (of["estimate"] - slope).abs().max() < 0.05
    assert ((of["estimate"] - slope).abs() < 4 * of["standard_error"]).all()
    later = records[records["term"] == "log volume 2 years later"].iloc[0]
    assert abs(later["estimate"]) < 4 * later["standard_error"]


def test_a_path_from_before_is_no_slope_once_it_is_held():
    rng = np.random.default_rng(5)
    trend = rng.normal(size=60)
    rows = pd.DataFrame(
        [
            (f"{i}", y, f"R{i % 20}", trend[i] * (y - FIRST), trend[i] * (y - FIRST) + rng.normal())
            for i in range(60)
            for y in range(FIRST, LAST + 1)
        ],
        columns=["entity", "year", "region", "y", "volume"],
    )
    effects = {"fixed_effects": ["entity", "year"]}
    assert least_squares(rows, "y", ["volume"], **effects)["volume"]["estimate"] > 0.3
    kept, names = study.path_held(rows, "y")
    held = kept.assign(y=kept["y"] + 1e-3 * rng.normal(size=len(kept)))
    fit = least_squares(held, "y", ["volume", *names], **effects)
    assert abs(fit["volume"]["estimate"]) < 1e-3
    assert kept["year"].min() == FIRST + 1


def test_growth_of_cities_that_are_no_capital():
    rng = np.random.default_rng(4)
    rows = []
    for region in range(12):
        for place in range(6):
            code = f"{region:02d}{700 + 2 * place}000"
            intensity = rng.normal()
            for year in range(2008, 2020):
                grown = (0.1 * intensity + region / 10) * (year >= 2014) * (year - 2014) / 5
                # The capital knows another law.
                grown += place == 0 and year == 2019 and 50 * rng.normal()
                rows.append((code, year, f"R{region}", intensity, 0.0, grown + 1e-4 * rng.normal()))
    columns = ["city", "year", "region", "log_shipments", "log_population", "log_workers"]
    cities = pd.DataFrame(rows, columns=columns)
    cities["capital"] = (cities["city"].str[2:5] == "700") * 1.0
    cities["log_wage"] = cities["log_workers"] + 1e-4 * rng.normal(size=len(cities))
    cities["log_population"] = cities["log_population"] + 1e-6 * rng.normal(size=len(cities))
    choice = {
        "base": [2011, 2013],
        "growth": [2014, 2019],
        "placebo": [2008, 2013],
        "left_out": {"00702000": "a reason"},
    }
    records = pd.concat(study.by_manufacturing(cities, choice, 199, 1))
    of = records.drop_duplicates("specification").set_index("specification")
    assert of.loc["cities_share_log_workers", "estimate"] == pytest.approx(0.1, abs=1e-3)
    assert of.loc["cities_share_log_workers_placebo", "estimate"] == pytest.approx(0, abs=1e-3)
    assert of.loc["cities_share_log_workers", "n_obs"] == 12 * 5 - 1
    assert of.loc["cities_share_log_wage", "group"] == "exploratory"
    assert of.loc["cities_share_log_wage_placebo", "group"] == "placebo"
