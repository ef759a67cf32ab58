"""The layer of months: readers, quarters' own wages, entities, raw paths."""

import numpy as np
import pandas as pd
import pytest
from monotowns.acquire.readers import months as reader
from monotowns.panel import months
from monotowns.run.errors import SourceError
from monotowns.studies import layers

PERIODS = list(reader.PERIODS)


def wages():
    rows = [(1, 2023, p, s, 100.0) for p in PERIODS for s in ("0", "C", "P")]
    columns = ["territory_id", "year", "period", "okved_letter", "value"]
    return pd.DataFrame(rows, columns=columns)


def spending():
    rows = [(1, f"2023-{m:02d}", c, 10 + m) for m in range(1, 13) for c in reader.CATEGORIES]
    return pd.DataFrame(rows, columns=["territory_id", "date", "category", "value"])


def ages():
    single = [*map(str, range(70)), "70+", "65+"]
    rows = [(1, 2023, a, g, 1.0) for a in single for g in ("Женщины", "Мужчины")]
    rows += [(1, 2023, "Всего", g, 71.0) for g in ("Женщины", "Мужчины")]
    return pd.DataFrame(rows, columns=["territory_id", "year", "age", "gender", "value"])


READ = {"wages": (wages, reader.read_wages), "spending": (spending, reader.read_consumption)}
READ |= {"ages": (ages, reader.read_ages), "migration": (ages, reader.read_migration)}


def read(tmp_path, name, change=lambda frame: frame):
    make, function = READ[name]
    change(make()).to_parquet(tmp_path / "t.parquet")
    return function(tmp_path / "t.parquet")


def test_wages_keep_three_sections_and_a_repeated_key_once(tmp_path):
    frame = read(tmp_path, "wages", lambda f: pd.concat([f, f, f.assign(value=np.nan)]))
    assert frame["section"].unique().tolist() == ["C", "all"]
    assert frame["months"].unique().tolist() == [3, 6, 9, 12]
    with pytest.raises(SourceError, match="stands twice"):
        read(tmp_path, "wages", lambda f: pd.concat([f, f.assign(value=7.0)]))


def test_ages_are_counted_once(tmp_path):
    row = read(tmp_path, "ages").iloc[0]
    assert row["residents"] == 142
    assert row["age_0_15"] == 32
    assert row["age_55_more"] == 32  # 55 to 69 and 70+; the row 65+ counts the same people again
    # Where the ages do not add up there are residents and no bands.
    short = read(tmp_path, "ages", lambda f: f[(f["age"] != "30") | (f["gender"] == "Женщины")])
    assert short["residents"].tolist() == [142]
    assert short["age_30_54"].isna().all()


def test_migration_is_the_printed_sum_of_both_sexes(tmp_path):
    assert read(tmp_path, "migration")["net"].tolist() == [142]
    one = read(tmp_path, "migration", lambda f: f[f["gender"] == "Женщины"])
    assert one.empty


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("wages", lambda f: f.rename(columns={"okved_letter": "okved"}), "okved_letter"),
        ("wages", lambda f: f.assign(period="год"), "unknown period"),
        ("wages", lambda f: f.assign(value="1,5"), "'1,5'"),
        ("spending", lambda f: f.assign(category="Прочее"), "unknown category"),
        ("spending", lambda f: f.assign(date="2023-13"), "not a month"),
        ("spending", lambda f: f.assign(value=1.5), "not a whole number"),
        ("spending", lambda f: pd.concat([f, f[:1]]), "stands twice"),
        ("ages", lambda f: f.assign(gender="все"), "unknown sex"),
        ("ages", lambda f: f[f["age"] != "70+"], r"no row of an age(.|\n)*70\+"),
        ("ages", lambda f: f[f["age"] != "30"], r"no row of an age(.|\n)*30"),
        ("ages", lambda f: f[f["age"] != "Всего"], "Всего"),
        ("ages", lambda f: f.assign(value=0.5), "not a whole number"),
        ("migration", lambda f: f[f["age"] == "0"], "no row was recognised"),
    ],
)
def test_what_is_not_the_table_is_refused(tmp_path, name, change, words):
    with pytest.raises(SourceError, match=words):
        read(tmp_path, name, change)


def test_a_file_that_is_no_parquet_is_one_message(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"<html>")
    with pytest.raises(SourceError, match="not a Parquet file"):
        reader.read_wages(tmp_path / "t.parquet")


def cumulative(means, territory=1, section="all", year=2023):
    rows = [(territory, year, 3 * (i + 1), section, w) for i, w in enumerate(means)]
    return pd.DataFrame(rows, columns=["territory_id", "year", "months", "section", "wage"])


def test_a_quarter_s_own_wage_by_hand():
    # Quarters of 100, 200, 100, 300: means since January 100, 150, 133.3, 175.
    frame = months.own_wages(cumulative([100, 150, 400 / 3, 175]))
    assert frame["own"].tolist() == pytest.approx([100, 200, 100, 300])
    # Without the second quarter the third is not known, nor is one far from the mean.
    gap = months.own_wages(cumulative([100, 150, 400 / 3, 175]).drop(index=1))
    assert gap["own"].isna().tolist() == [False, True, False]
    assert months.own_wages(cumulative([100, 10]))["own"].isna().tolist() == [False, True]


VERSIONS = pd.DataFrame(
    {
        "code": ["01601000", "01602000"],
        "territory_id": [1, 2],
        "change_from": [None, "7"],
        "change_to": ["7", None],
        "year_to": [2024, 9999],
    }
)


def test_territories_of_one_entity_are_weighted_by_residents():
    both = pd.concat(
        [cumulative([1e4] * 4), cumulative([4e4] * 4, 2), cumulative([4e4] * 4, 2, "C")]
    )
    spent = pd.DataFrame(
        {"territory_id": 1, "year": 2023, "month": range(1, 6), "all": [1, 2, 3, 4, 5]}
    )
    people = pd.DataFrame({"territory_id": [1, 2], "year": 2023, "residents": [300, 100]})
    table = months.build(both, spent, people, VERSIONS).set_index("quarter")
    assert table["entity"].unique().tolist() == ["01602000"]
    assert table["wage_all"].tolist() == [17_500] * 4
    assert table["wage_C"].tolist() == [40_000] * 4
    # The second quarter lacks a month.
    assert table["consumption"].dropna().to_dict() == {1: 2}


def test_a_wage_of_other_employers_is_missing_in_both_years():
    frames = [cumulative([1e4] * 4), cumulative([1.1e4, 1.1e4, 3e4, 1.1e4], year=2024)]
    people = pd.DataFrame({"territory_id": [1], "year": 2023, "residents": [1]})
    spent = pd.DataFrame({"territory_id": [], "year": [], "month": [], "all": []}, dtype=int)
    table = months.build(pd.concat(frames), spent, people, VERSIONS)
    gone = table[table["wage_all"].isna()]
    assert gone[["year", "quarter"]].to_numpy().tolist() == [[2023, 3], [2024, 3]]


def test_groups_of_places():
    places = pd.DataFrame(
        {
            "entity": list("abcde"),
            "monotown": [1.0, 0, 0, np.nan, 0],
            "urban_2013": [0.0, 1, 0, 1, np.nan],
        }
    )
    expected = [layers.MONOTOWN, layers.URBAN, layers.RURAL, layers.UNKNOWN, layers.UNKNOWN]
    assert layers.group_of(places, 2013).tolist() == expected


def test_descriptions_and_paths_by_hand():
    panel = pd.DataFrame(
        {
            "entity": ["a", "a", "b", "b", "c"],
            "year": [2012, 2013, 2012, 2013, 2013],
            "y": [1.0, 2.0, 3.0, 5.0, 9.0],
        }
    )
    table = layers.describe(panel, "entity", list("ggggg"), ["y"], "x")
    assert table[["mean", "rows", "units"]].to_numpy().tolist() == [[4.0, 5, 3]]
    path = layers.paths(panel, "entity", "year", list("ggggg"), ["y"], 2013, "x")
    # Who is not seen in every year does not move the path.
    assert path.set_index("time")["mean"].to_dict() == {2012: -1.5, 2013: 0.0}
    assert path["units"].tolist() == [2, 2]
    assert path["high"][0] - path["mean"][0] == pytest.approx(2 * np.std([1, 2], ddof=1) / 2**0.5)


def test_the_monotowns_of_the_book_are_counted_by_years():
    cities = pd.DataFrame(
        {
            "city": ["1", "1", "2"],
            "town": ["a", "a", "b"],
            "entity": ["e", "e", "f"],
            "year": [2000, 2002, 2000],
            "alone": 0,
            "log_shipments": [np.nan, 1.0, 1.0],
        }
    )
    places = pd.DataFrame({"entity": ["e", "f"], "listed_2014": [1, 0], "monotown": [1.0, 0.0]})
    places = places.assign(toser=np.nan, section="C", group=None)
    table = layers.monotowns_in_book(cities, places)
    assert table["town"].tolist() == ["a"]
    assert table[["first", "last", "years", "with_shipments"]].to_numpy().tolist() == [
        [2000, 2002, 2, 1]
    ]


def test_regions_with_many_residents_in_monotowns():
    places = pd.DataFrame({"entity": list("abc"), "monotown": [1.0, 0.0, np.nan]})
    panel = pd.DataFrame(
        {
            "entity": list("abc"),
            "region": ["R", "R", "S"],
            "year": 2013,
            "population": [10.0, 90.0, 5.0],
            "monotown": [1.0, 0.0, np.nan],
        }
    )
    group = layers.regions_by_monotowns(places, panel, 2013, 0.1)
    assert group.to_dict() == {"R": "with monotowns", "S": "other regions"}
    group = layers.regions_by_monotowns(places, panel, 2013, 0.11)
    assert group["R"] == "other regions"


def test_industries_and_their_effective_number_by_hand():
    places = pd.DataFrame(
        {
            "entity": list("abcde"),
            "monotown": [1.0, 1.0, 1.0, 1.0, 0.0],
            "section": ["C", "C", "B", None, "C"],
            "group": ["C24-25", None, "B05", None, "C28"],
            "strength": ["main", "weak", "town-forming", None, "main"],
        }
    )
    panel = pd.DataFrame({"entity": list("abcde"), "year": 2013, "population": [2.0, 1, 1, 9, 9]})
    table = layers.industries_of_towns(places, panel, 2013).set_index(["section", "group"])
    assert table["entities"].to_dict() == {("B", "B05"): 1, ("C", ""): 1, ("C", "C24-25"): 1}
    assert table["strong"].tolist() == [1, 0, 1]
    assert table.loc[("C", "C24-25"), "share_residents"] == 0.5
    number = layers.effective_shocks(table.reset_index()).set_index("design")
    # Sections: a third and two thirds of the entities, a quarter and three quarters of the people.
    assert number.loc["sections", "by_entities"] == pytest.approx(1 / (1 / 9 + 4 / 9))
    assert number.loc["sections", "by_residents"] == pytest.approx(1 / (1 / 16 + 9 / 16))
    assert number.loc["groups", "by_entities"] == pytest.approx(3)
