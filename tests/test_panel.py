from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.panel import build
from monotowns.panel.build import correct, harmonise, monotown_status
from monotowns.panel.territories import stem
from monotowns.run.errors import ContractError, InputError

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


REPAIR = {
    "code": "10701000",
    "year": 2012,
    "column": "per_resident",
    "expected": 50.0,
    "action": "missing",
    "reason": "another town's residents",
}


def test_a_correction_fails_once_its_figure_is_revised():
    assert correct(incomes(), [REPAIR], "c.yaml")["per_resident"].isna().sum() == 1
    with pytest.raises(InputError, match=r"10701000 2012 per_resident(.|\n)*51"):
        correct(incomes(), [REPAIR | {"expected": 51.0}], "c.yaml")


@pytest.mark.parametrize(
    "change", [{"action": "double"}, {"column": "per_residnt"}, {"reasn": "typed wrong"}]
)
def test_what_is_no_correction_is_refused(change):
    with pytest.raises(InputError, match=r"c\.yaml: not a correction(.|\n)*per_resident"):
        correct(incomes(), [REPAIR | change], "c.yaml")


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
    matched = build.match_rates(towns, panel, events=(2013, 2014)).set_index("list")
    assert matched["located"].tolist() == [2, 2, 1]
    assert matched.loc["monotowns_2014", "official"] == 313
    around = ["rows", "in_panel", "around_2013", "around_2014"]
    assert matched.loc["toser", around].tolist() == [1, 1, 1, 0]
    frame = build.assemble(panel, status.reset_index(), VERSIONS, {2012: 0, 2013: 10})
    real = frame.set_index(["entity", "year"])["log_total_pc"]
    # 50 roubles a resident in both years; those of 2012 are worth 10 per cent more in 2013.
    assert real["10701000", 2013] == pytest.approx(np.log(50))
    assert real["10701000", 2012] == pytest.approx(np.log(55))


def series(*people):
    years = range(2012, 2012 + len(people))
    frame = pd.DataFrame({"entity": "e", "year": years, "population": people})
    return frame.dropna().reset_index(drop=True)


def test_a_figure_off_the_years_around_is_marked_and_steady_growth_is_not():
    marked = build.passing_jumps(series(100, 101, 140, 102, 103))
    assert marked.tolist() == [False, False, True, False, False]
    assert not build.passing_jumps(series(*(100 * 1.08**t for t in range(8)))).any()


def test_of_a_lasting_break_the_longer_side_stays():
    marked = build.shorter_side(series(100, 99, 70, 71, 70))
    assert marked.tolist() == [True, True, False, False, False]
    assert build.shorter_side(series(100, 99, 70, 71)).tolist() == [True, True, False, False]


def test_coverage_against_published_residents():
    panel = pd.DataFrame({"region": ["A", "A"], "year": [2012, 2012], "population": [40.0, 50.0]})
    known = pd.DataFrame({"region": ["A"], "year": [2012], "population": [100.0]})
    assert build.coverage(panel, known)["share"].tolist() == [0.9]


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


def test_a_status_that_came_at_no_date_is_refused():
    dates = pd.Series(["2016-03-01", "2017-03", "2018", None, ""])
    assert build.year_of(dates, "t").tolist() == [2016, 2017, 2018, 0, 0]
    for odd in ("01.03.2009", "39873", "2008.5", "2009/03"):
        with pytest.raises(ContractError, match=rf"not a date(.|\n)*row 1: {odd}"):
            build.year_of(pd.Series(["2016", odd]), "t")


def test_prices_are_against_the_last_of_the_years_that_are_there():
    year = pd.Series([2019, 2020, 2020])
    for later in ({}, {2021: 50.0}):
        level = build.log_prices(year, {2019: 99.0, 2020: 10.0} | later)
        assert level.tolist() == pytest.approx([-np.log(1.1), 0, 0])
