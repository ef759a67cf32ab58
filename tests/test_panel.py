from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.panel.build import (
    assemble,
    correct,
    coverage,
    harmonise,
    match_rates,
    monotown_status,
    off_the_years_around,
    passing_jumps,
    shorter_side,
    spikes,
)
from monotowns.panel.territories import components, locate_towns, stem
from monotowns.run.errors import InputError

ROOT = Path(__file__).parents[1]
DEFINITIONS = {
    "main": {"list": 2014, "town_share_min": 0.5},
    "any": {"list": 2014, "town_share_min": 0},
}

VERSIONS = pd.DataFrame(
    {
        "code": ["10601000", "10701000", "10602000"],
        "territory_id": [1, 2, 3],
        "name": ["Северный", "Северск", "Западный"],
        "kind": "муниципальный район",
        "region": "Область",
        "centre": ["", "г Северск", "г Лесной"],
        "year_from": 2018,
        "year_to": [2020, 9999, 9999],
        "change_from": [None, "union_1", None],
        "change_to": ["union_1", None, None],
        "lat": [56.0, 56.0, 57.0],
        "lon": [60.0, 60.0, 61.0],
    }
)
#: Agin district: the bulletin prints it under codes of the former okrug; a fifth of it at most.
UNKNOWN_SHARE = ["76602000"]
NO_OVERRIDES = pd.DataFrame({"code": [], "target": [], "reason": []}, dtype=str)


def incomes():
    rows = [
        (year, code, name, 60.0 * k, 40.0 * k, 100.0 * k, 50.0)
        for year in (2012, 2013)
        for k, (code, name) in enumerate(
            [("10601000", "Северный"), ("10701000", "Северск"), ("10602000", "Западный")], 1
        )
    ]
    columns = ["year", "code", "name", "taxable", "social", "total", "per_resident"]
    return pd.DataFrame(rows, columns=columns)


def test_united_members_are_summed_and_population_is_implied():
    panel, flow, _ = harmonise(incomes(), VERSIONS, NO_OVERRIDES, 2012, 2013)
    north = panel[panel["entity"] == "10701000"]
    assert north["total"].tolist() == [300.0, 300.0]  # 100 + 200 thousand roubles
    assert north["population"].tolist() == [6000.0, 6000.0]  # 300 thousand over 50 roubles
    assert flow.iloc[-1][["rows", "entities"]].tolist() == [4, 2]


def test_a_suppressed_member_removes_the_entity_year_and_is_counted():
    table = incomes()
    table.loc[0, "per_resident"] = np.nan
    panel, flow, _ = harmonise(table, VERSIONS, NO_OVERRIDES, 2012, 2013)
    assert panel.loc[panel["entity"] == "10701000", "year"].tolist() == [2013]
    assert flow.set_index("reason").loc["a member of the entity suppressed", "rows"] == 1


def test_an_unknown_code_is_counted_and_an_override_saves_it():
    table = incomes()
    table.loc[table["name"] == "Западный", ["code", "name"]] = ["10699000", "Дальний"]
    _, flow, _ = harmonise(table, VERSIONS, NO_OVERRIDES, 2012, 2013)
    assert flow.set_index("reason").loc["code and name of no known territory", "rows"] == 2
    saved = pd.DataFrame({"code": ["10699000"], "target": ["10602000"], "reason": ["renamed"]})
    panel, _, walk = harmonise(table, VERSIONS, saved, 2012, 2013)
    assert set(panel["entity"]) == {"10701000", "10602000"}
    assert "override" in set(walk["reason"])


def test_a_correction_fails_once_its_figure_is_revised():
    repair = {
        "code": "10701000",
        "year": 2012,
        "column": "per_resident",
        "expected": 50.0,
        "action": "missing",
        "reason": "another town's residents",
    }
    assert correct(incomes(), [repair], "c.yaml")["per_resident"].isna().sum() == 1
    with pytest.raises(InputError, match=r"10701000 2012 per_resident(.|\n)*51"):
        correct(incomes(), [repair | {"expected": 51.0}], "c.yaml")


def test_status_share_and_buffer_entities():
    places = pd.DataFrame(
        [
            ("10701000", "municipality", "Северск", 1000),
            ("10602000", "municipality", "З", 1000),
            ("10701000", "town", "г Северск", 800),
            ("10602000", "town", "г Лесной", 300),
        ],
        columns=["code", "level", "name", "population"],
    )
    towns = pd.DataFrame({"region": "Область", "town": ["г Северск", "г Лесной"]})
    lists = {
        "monotowns_2014": towns.assign(category=[1, 3]),
        "monotowns_2024": towns.assign(town_population=[800, 300]),
        "toser": towns[:1].assign(established=["2017-03"]),
    }
    none = pd.DataFrame({"region": [], "town": [], "code": []}, dtype=str)
    status, towns = monotown_status(lists, places, VERSIONS, none, NO_OVERRIDES, DEFINITIONS)
    status = status.set_index("entity")
    assert status.loc["10701000", ["town_share", "monotown", "toser"]].tolist() == [0.8, 1.0, 2017]
    # Residents whom the bulletin prints under a newer code of the territory are the territory's.
    newer = places.assign(code=places["code"].replace("10701000", "10799000"))
    hand = pd.DataFrame({"code": ["10799000"], "target": ["10701000"], "reason": ["renamed"]})
    for codes, share in ((NO_OVERRIDES, np.nan), (hand, 0.8)):
        placed = pd.DataFrame({"region": "Область", "town": "г Северск", "code": "10701000"}, [0])
        found, _ = monotown_status(lists, newer, VERSIONS, placed, codes, DEFINITIONS)
        found = found.set_index("entity")["town_share"]
        assert found["10701000"] == pytest.approx(share, nan_ok=True)
    assert pd.isna(status.loc["10602000", "monotown"])  # neither treated nor control
    assert status["monotown_any"].tolist() == [1.0, 1.0]
    panel, _, _ = harmonise(incomes(), VERSIONS, NO_OVERRIDES, 2012, 2013)
    matched = match_rates(towns, panel, events=(2013, 2014)).set_index("list")
    assert matched["located"].to_dict() == {
        "monotowns_2014": 2,
        "monotowns_2024": 2,
        "toser": 1,
    }
    assert matched.loc["monotowns_2014", "official"] == 313
    assert matched.loc["toser", ["rows", "in_panel", "around_2013", "around_2014"]].tolist() == [
        1,
        1,
        1,
        0,
    ]
    frame = assemble(panel, status.reset_index(), VERSIONS, {2012: 0, 2013: 10})
    real = frame.set_index(["entity", "year"])["log_total_pc"]
    # 50 roubles a resident in both years; those of 2012 are worth 10 per cent more in 2013.
    assert real["10701000", 2013] == pytest.approx(np.log(50))
    assert real["10701000", 2012] == pytest.approx(np.log(55))


def test_an_income_spike_is_marked_and_stays():
    frame = pd.DataFrame({"entity": "e", "log_taxable_pc": [1.0, 1.1, 1.9, 1.2, 1.3]})
    assert spikes(frame).tolist() == [0, 0, 1, 0, 0]


def series(*people):
    years = range(2012, 2012 + len(people))
    frame = pd.DataFrame({"entity": "e", "year": years, "population": people})
    return frame.dropna().reset_index(drop=True)


def test_a_figure_off_the_years_around_is_marked_and_steady_growth_is_not():
    assert (
        passing_jumps(series(100, 101, 140, 102, 103)).tolist()
        == [False] * 2 + [True] + [False] * 2
    )
    assert not passing_jumps(series(*(100 * 1.08**t for t in range(8)))).any()


def test_of_a_lasting_break_the_longer_side_stays():
    marked = shorter_side(series(100, 99, 70, 71, 70))
    assert marked.tolist() == [True, True, False, False, False]
    assert shorter_side(series(100, 99, 70, 71)).tolist() == [True, True, False, False]


def test_coverage_against_published_residents():
    panel = pd.DataFrame({"region": ["A", "A"], "year": [2012, 2012], "population": [40.0, 50.0]})
    known = pd.DataFrame({"region": ["A"], "year": [2012], "population": [100.0]})
    assert coverage(panel, known)["share"].tolist() == [0.9]


def test_located_monotowns_agree_with_a_fact_that_location_does_not_use():
    # The bulletin prints residents beside each monotown; the entity in which region and name
    # put the town must hold a place with exactly that many.
    read = {
        t: pd.read_csv(ROOT / f"data/snapshot/{t}.csv", dtype={"code": str})
        for t in ("monotowns_2024", "municipal_dictionary", "population_2024")
    }
    towns, versions, places = read.values()
    found = locate_towns(towns, places, versions)
    people = places.assign(entity=places["code"].map(components(versions)))
    people = people.dropna(subset=["population"]).groupby("entity")["population"].agg(set)
    printed = towns[["municipality_population", "town_population"]].apply(
        lambda row: set(row.dropna()), axis=1
    )
    # The rest is placed by hand (data/corrections/towns.csv) or printed with an ellipsis.
    known = found.isin(people.index) & (printed.str.len() > 0)
    assert known.sum() >= 310
    agree = [bool(p & people[e]) for p, e in zip(printed[known], found[known], strict=True)]
    assert towns[known][~np.array(agree)]["town"].tolist() == []


def test_the_lists_of_2014_and_2024_put_a_town_of_one_name_into_one_entity():
    towns = pd.read_csv(ROOT / "data/corrections/towns.csv", dtype=str)
    versions = pd.read_csv(ROOT / "data/snapshot/municipal_dictionary.csv", dtype={"code": str})
    places = pd.read_csv(ROOT / "data/snapshot/population_2024.csv", dtype={"code": str})
    lists = {
        t: pd.read_csv(ROOT / f"data/snapshot/{t}.csv")
        for t in ("monotowns_2014", "monotowns_2024", "toser")
    }
    codes = pd.read_csv(ROOT / "data/corrections/crosswalk.csv", dtype=str)
    status, located = monotown_status(lists, places, versions, towns, codes, DEFINITIONS)
    assert located["entity"].notna().all()
    # A place that exists: what its towns share of it is known, but where residents are suppressed.
    unknown = status[status["town_share"].isna() & (status["listed_2024"] > 0)]
    assert unknown["entity"].tolist() == UNKNOWN_SHARE
    names = located.assign(stem=located["town"].map(stem))
    entities = names[names["stem"] != ""].groupby(["region", "stem"])["entity"].nunique()
    assert entities[entities > 1].index.tolist() == []


@pytest.mark.parametrize(
    "change", [{"action": "double"}, {"column": "per_residnt"}, {"reasn": "typed wrong"}]
)
def test_what_is_no_correction_is_refused(change):
    repair = {
        "code": "10701000",
        "year": 2012,
        "column": "per_resident",
        "expected": 50.0,
        "action": "missing",
        "reason": "another town's residents",
    }
    with pytest.raises(InputError, match=r"c\.yaml: not a correction(.|\n)*per_resident"):
        correct(incomes(), [repair | change], "c.yaml")


def test_the_median_of_the_years_around_is_pandas_rolling_median():
    """Entities of one to eight years, a year missing here and there."""
    rng = np.random.default_rng(4)
    entity = np.repeat(np.arange(80), rng.integers(1, 9, 80))
    values = pd.Series(rng.standard_normal(len(entity)))
    values[rng.random(len(values)) < 0.1] = np.nan
    around = values.groupby(entity).transform(
        lambda s: s.rolling(5, center=True, min_periods=2).median()
    )
    for most in (0.1, 0.5, 1.0):
        expected = ((values - around).abs() > most).to_numpy()
        assert 0 < expected.sum() < len(expected)
        found = off_the_years_around(values, pd.Series(entity), most)
        np.testing.assert_array_equal(found, expected)
