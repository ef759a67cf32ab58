"""Turns and falls of regional volume: dates by hand, symmetry, chance, weights, records, facts."""

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT
from monotowns.measures.stages import first_years, permuted_levels, spells, turn_grid, turns
from monotowns.run.errors import DesignError, InputError
from monotowns.studies import turns as study

NAN = np.nan
TURN = {
    "rising_years": 3,
    "threshold": 10,
    "grid_rising_years": [2, 3],
    "grid_thresholds": [10, 20],
    "least_years": 5,
    "recent": [2011, 2012],
    "residents_year": 2013,
}


def years(levels, **rule):
    frame = pd.DataFrame([levels], columns=range(2000, 2000 + len(levels)))
    found = first_years(frame, **rule)
    return found.columns[found.iloc[0]].tolist()


@pytest.mark.parametrize(
    ("levels", "direction", "expected"),
    [
        ([100, 85, 90, 95, 99], "turn", [2002]),  # the trough is 2001, the first rise 2002
        ([100, 91, 96, 99, 103], "turn", []),  # nine below the peak
        ([100, 85, 88, 91, 94], "turn", []),  # nine up
        ([100, 85, 90, 95, 94], "turn", []),  # two rising years
        # The second dip is no fall of ten since the turn: the same turn still holds.
        ([150, 85, 90, 95, 99, 95, 99, 103, 108], "turn", [2002]),
        ([150, 85, 90, 95, 99, 85, 90, 95, 99], "turn", [2002, 2006]),
        ([100, 115, 110, 105, 101], "fall", [2002]),
        ([115, 110, 105, 101, 100], "fall", []),  # it never rose before
    ],
)
def test_dates_by_hand(levels, direction, expected):
    assert years(levels, k=3, threshold=10, direction=direction) == expected


def test_a_fall_is_a_turn_of_the_level_with_its_sign_changed():
    rng = np.random.default_rng(1)
    paths = rng.normal(size=(200, 25)).cumsum(axis=1)
    paths[rng.random(paths.shape) < 0.03] = NAN
    frame = pd.DataFrame(paths, columns=range(2000, 2025))
    pd.testing.assert_frame_equal(first_years(frame, 2, 1, "fall"), first_years(-frame, 2, 1))
    # Whoever turns at all turns for a first time, and at a local trough.
    begins = spells(paths, 2, 1).begins
    np.testing.assert_array_equal(begins.any(axis=1), turns(paths, 2, 1).any(axis=1))
    fell_before = np.c_[np.zeros(200, bool), ~(paths[:, 1:] > paths[:, :-1])]
    assert (begins <= fell_before | np.isnan(paths)).mean() > 0.99


def test_permutation_keeps_ends_and_changes():
    values = np.array([[1.0, 4, 2, 8], [5, NAN, 6, 3]])
    drawn = permuted_levels(values, 50, 1)
    np.testing.assert_allclose(drawn[0, :, -1], 7)
    np.testing.assert_allclose(np.sort(np.diff(drawn[0]), axis=1), [[-2, 3, 6]] * 50)
    assert np.isnan(drawn[1, :, 1]).all() and np.allclose(drawn[1, :, -1], -2)


def test_chance_is_the_same_both_ways_on_a_walk_without_drift():
    """A permuted path mirrored is a permuted path of the mirrored walk; the law is symmetric."""
    rng = np.random.default_rng(3)
    walk = pd.DataFrame(rng.normal(size=(400, 25)).cumsum(axis=1), columns=range(25))
    both = ("turn", "fall")
    grid = turn_grid(walk, [2, 3], [1, 2], 400, 1, -np.inf, False, directions=both)
    wide = grid.pivot(index=["k", "threshold"], columns="direction", values="expected")
    # One region's chance is known within 400 draws; that of the walks differs by their sampling.
    assert (wide["turn"] - wide["fall"]).abs().max() < 4 * np.sqrt(400) * 0.5 * np.sqrt(2) / 3
    mirrored = turn_grid(-walk, [2, 3], [1, 2], 400, 1, -np.inf, False, directions=both)
    mirrored["direction"] = mirrored["direction"].map({"turn": "fall", "fall": "turn"})
    keys = ["direction", "k", "threshold"]
    for column in ("turned", "expected", "p_value"):
        pd.testing.assert_series_equal(
            grid.set_index(keys)[column],
            mirrored.set_index(keys)[column].loc[pd.MultiIndex.from_frame(grid[keys])],
        )


def test_weighted_counts_by_hand():
    up, flat = [100, 80, 90, 100, 110.0], [100, 101, 102, 103, 104.0]
    levels = pd.DataFrame([up, up, flat], list("abc"), range(2000, 2005))
    weights = {"count": pd.Series(1.0, list("abc")), "residents": pd.Series({"a": 7.0, "c": 2.0})}
    grid = turn_grid(
        levels, [3], [10], 4000, 1, -np.inf, directions=("turn", "fall"), weights=weights
    ).set_index(["direction", "weight"])
    assert grid.loc[("turn", "count"), "turned"] == 2
    assert grid.loc[("turn", "residents"), ["turned", "regions"]].tolist() == [7, 9]
    # One of the four places of the fall is before three rises.
    assert grid.loc[("turn", "residents"), "expected"] == pytest.approx(7 / 4, abs=0.15)
    assert grid.loc[("turn", "residents"), "p_value"] == pytest.approx(1 / 4, abs=0.03)
    assert (grid.loc["fall", "turned"] == 0).all()


def test_a_window_counts_the_turns_that_begin_in_it():
    up = [100, 80, 90, 100, 110.0]
    levels = pd.DataFrame([up], ["a"], range(2000, 2005))
    for window, turned in (((2002, 2002), 1), ((2001, 2001), 0), ((2003, 2004), 0)):
        grid = turn_grid(levels, [3], [10], 400, 1, -np.inf, window=window)
        assert grid["turned"].item() == turned
        # Only the order with the fall first turns, and always in 2002.
        assert grid["expected"].item() == pytest.approx(turned / 4, abs=0.07)


@pytest.mark.montecarlo
def test_falls_beyond_chance_have_uniform_p_values_without_any():
    rng = np.random.default_rng(2)
    values = []
    for seed in range(200):
        paths = 2 + (rng.normal(size=(1, 25)) + rng.normal(0.2, 1, size=(20, 25))).cumsum(axis=1)
        frame = pd.DataFrame(paths, columns=range(25))
        grid = turn_grid(frame, [3], [2.0], 199, seed, -np.inf, directions=("fall",))
        values.append(grid["p_value"].iloc[0])
    assert 0.03 < np.mean(np.array(values) <= 0.1) < 0.17


def test_every_jump_is_found_in_the_index():
    production = pd.read_csv(ROOT / "data/snapshot/regional_production.csv")
    path = ROOT / "data/corrections/volume.yaml"
    repairs = yaml.safe_load(path.read_text(encoding="utf-8"))
    odd = study.odd_regions(production, repairs, "volume.yaml")
    assert len(odd) == 5 and set(odd) <= set(production["region"])
    with pytest.raises(InputError, match="no longer finds its figure"):
        study.odd_regions(production, [repairs[0] | {"expected": 431}], "volume.yaml")


def layer():
    """Regions a (turns in 2010, recovers), b (falls) and c (short); monotowns in a and b."""
    paths = {
        "a": [100, 100, 70, 80, 90, 110],
        "b": [50, 100, 90, 80, 70, 60],
        "c": [NAN, NAN, NAN, 80, 90, 100],
    }
    rows = [(r, 2007 + t, v, v) for r, of in paths.items() for t, v in enumerate(of)]
    rows = [(r, 2013, of[-1], of[-1]) for r, of in paths.items()] + rows
    return pd.DataFrame(rows, columns=["region", "year", "volume_2015", "volume_2017"])


def pieces():
    volumes = {y: study.log_volume(layer(), y, TURN["least_years"]) for y in (2015, 2017)}
    stages = pd.DataFrame(
        [(r, y, 20.0 - y % 3, 20.0, "industrialised") for r in "ab" for y in range(2007, 2014)],
        columns=["region", "year", "share_adjusted", "share", "stage"],
    )
    residents = pd.Series({"a": 30.0, "b": 10.0})
    return volumes, stages, residents


def test_residents_are_those_of_monotowns_in_their_year():
    places = pd.DataFrame({"entity": list("xyz"), "monotown": [1.0, 0.0, NAN]})
    panel = pd.DataFrame(
        [
            ("x", 2013, "a", 2000.0),
            ("x", 2014, "a", 1.0),
            ("y", 2013, "a", 5.0),
            ("z", 2013, "b", 7.0),
        ],
        columns=["entity", "year", "region", "population"],
    )
    assert study.monotown_residents(places, panel, 2013).to_dict() == {"a": 2.0}


def test_tables_records_and_facts_of_three_regions():
    volumes, stages, residents = pieces()
    assert list(volumes[2015].index) == ["a", "b"]
    dated = study.date_turns(volumes, TURN)
    main = dated[(dated["chain"] == 2015) & (dated["k"] == 3) & (dated["threshold"] == 10)]
    assert main.loc[main["turned"] == 1, ["region", "year"]].to_numpy().tolist() == [["a", 2010]]
    assert main.loc[main["fell"] == 1, ["region", "year"]].to_numpy().tolist() == [["b", 2009]]
    share = {"floor": 10.0, "grid_rising_years": [3], "grid_thresholds": [1.0]}
    chance = study.chance_table(volumes, volumes, stages, residents, TURN, share, 99, 1)
    assert not chance.duplicated([*study.BLOCK, "k", "threshold"]).any()
    counts = study.stage_counts(dated, stages, residents)
    facts = study.turn_facts(volumes, dated, chance, counts, residents, ["d"], TURN)
    expected = {
        "turn": 1,
        "fall": 1,
        "turn.residents": 75,
        "turn.recent": 0,
        "regions": 2,
        "left_out": 1,
        "busiest": 2010,
        "recovered.2009": 1,  # a; b fell
        "recovered.2009.residents": 75,
        "recovered.peak": 0,  # the year before was as high
        "stage.2009.de-industrialising": 2,
        "stage.2013.de-industrialising": 1,
    }
    assert {name: float(facts[f"turns.{name}"][0]) for name in expected} == expected
    records = study.chance_records(chance, 99, 1)
    headline = records[records["group"] == "headline"]["specification"].unique()
    assert sorted(headline) == [
        "turns_chance_volume_2015_together_2011_2012_fall_regions",
        "turns_chance_volume_2015_together_2011_2012_turn_regions",
        "turns_chance_volume_2015_together_any_fall_regions",
        "turns_chance_volume_2015_together_any_turn_regions",
    ]
    assert not records.duplicated(["specification", "term"]).any()
    with pytest.raises(DesignError, match="not in the grid"):
        study.turn_facts(volumes, dated, chance, counts, residents, [], TURN | {"threshold": 5})
