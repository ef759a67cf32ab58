"""The layer of cities: reader, corrections, entities, outcomes."""

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT
from monotowns.acquire.readers import cities as reader
from monotowns.measures.agglomeration import core_entities
from monotowns.panel import build, cities, places
from monotowns.run.errors import ContractError, InputError, SourceError

SNAPSHOT = ROOT / "data/snapshot"


def table(name):
    return pd.read_csv(SNAPSHOT / f"{name}.csv", dtype={"code": str})


def printed(**changed):
    """Two cities over three years, in the layout of the compiled file."""
    columns = [*reader.KEY, *reader.CORE, *reader.BESIDE]
    rows = pd.DataFrame(1.0, range(6), columns)
    rows["oktmo"] = [1701000] * 3 + [75738000] * 3
    rows["year"] = [2011, 2012, 2013] * 2
    rows["region"], rows["settlement"] = "Алтайский край", "Барнаул"
    rows["t8112013"], rows["t8109001"] = 1000.0, 1000.0
    return rows.assign(**changed)


def test_codes_get_their_zero_and_the_database_its_namesakes_units(tmp_path):
    printed().to_csv(tmp_path / "c.csv", index=False)
    frame = reader.read(tmp_path / "c.csv")
    assert frame["code"].unique().tolist() == ["01701000", "75738000"]
    assert (frame[["population", "population_municipal", "investment_municipal"]] == 1).all(None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"workers": "employees"}), "workers"),
        (lambda f: f.assign(oktmo=f["oktmo"].astype(str).str.replace("1", "l")), "cannot be read"),
        (lambda f: f.assign(wage=["1,5", *f["wage"][1:]]), "'1,5'"),
        (lambda f: f.assign(workers=[-99999999.0, *f["workers"][1:]]), "01701000 2011 workers"),
        (lambda f: pd.concat([f, f[:1]]), "stands twice"),
        (lambda f: f.assign(wage=[1, 1, 1000.0] * 2), "another unit"),
    ],
)
def test_what_is_not_the_book_is_refused(tmp_path, change, words):
    change(printed()).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(SourceError, match=words):
        reader.read(tmp_path / "c.csv")


REPAIR = {"code": "01701000", "year": 2012, "column": "workers", "expected": 2.0, "reason": "x"}


@pytest.mark.parametrize(
    ("action", "kept"), [("missing", [1, 3]), ("before", [2, 3]), ("from", [1])]
)
def test_a_correction_leaves_out_a_figure_or_a_side(action, kept):
    frame = pd.DataFrame({"code": "01701000", "year": [2011, 2012, 2013], "workers": [1.0, 2, 3]})
    repaired = build.correct(frame, [REPAIR | {"action": action}], "cities.yaml")
    assert repaired["workers"].dropna().tolist() == kept
    with pytest.raises(InputError, match=r"no longer finds its figure(.|\n)*expected: 5"):
        build.correct(frame, [REPAIR | {"action": action, "expected": 5}], "cities.yaml")
    with pytest.raises(InputError, match="an action of missing, before, from"):
        build.correct(frame, [REPAIR | {"action": "step"}], "cities.yaml")


@pytest.fixture(scope="module")
def layer():
    """The layer, with the residents of the income table for those of the panel."""
    versions = table("municipal_dictionary")
    codes = pd.read_csv(ROOT / "data/corrections/crosswalk.csv", dtype=str)
    incomes = table("municipal_incomes")
    residents = incomes.assign(
        entity=cities.components(versions).reindex(incomes["code"]).to_numpy(),
        population=incomes["total"] * 1000 / incomes["per_resident"],
    )
    residents = residents.groupby(["entity", "year"], as_index=False)["population"].sum()
    path = ROOT / "data/corrections/cities.yaml"
    repairs = yaml.safe_load(path.read_text(encoding="utf-8"))
    deflator = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["deflator"]
    return cities.build(table("cities"), versions, codes, residents, repairs, deflator, path)


#: Published for single cities: workers of organisations in thousands, wage in roubles a month,
#: residents in thousands; "Regions of Russia. Main indicators of cities", volumes of 2012 to 2020.
@pytest.mark.parametrize(
    ("town", "year", "column", "low", "high"),
    [
        ("Норильск", 2013, "population", 176, 179),
        ("Магнитогорск", 2013, "population", 409, 415),
        ("Тольятти", 2013, "population", 718, 720),
        ("Череповец", 2013, "population", 314, 317),
        ("Нижний Тагил", 2013, "population", 357, 362),
        ("Набережные Челны", 2013, "population", 516, 522),
    ],
)
def test_towns_have_their_published_residents(layer, town, year, column, low, high):
    of = layer[(layer["town"] == town) & (layer["year"] == year)]
    assert low <= of[column].item() <= high


def test_a_city_speaks_for_its_entity_or_for_itself(layer):
    alone = layer.groupby("town")["alone"].first()
    assert alone["Одинцово"] == 1  # a fifth of a large district then, two fifths now
    assert alone["Магнитогорск"] == 0
    share = layer.loc[layer["alone"] == 0, "city_share"]
    assert share.min() >= cities.WHOLE


def test_outcomes_are_in_roubles_of_the_last_year():
    frame = pd.DataFrame({"year": [2018, 2019], "workers": 2.0, "population": 4.0})
    figures = ("wage", "shipments_manufacturing", "shipments_mining", "investment")
    frame = frame.assign(**dict.fromkeys(figures, 10.0), firms=8.0, new_housing=2.0)
    found = cities.outcomes(frame, {2018: 4.27, 2019: 3.05})
    assert found["log_wage"].tolist() == pytest.approx([np.log(10 * 1.0305), np.log(10)])
    assert found["log_shipments_per_worker"][1] == pytest.approx(np.log(10e6 / 2e3))
    assert found["log_firms_pc"][1] == pytest.approx(np.log(8 / 4e3))
    assert found["log_housing_pc"][0] == pytest.approx(np.log(2e3 / 4e3))
    assert found["log_population"][0] == pytest.approx(np.log(4e3))


def test_a_city_without_an_entity_is_refused():
    versions = table("municipal_dictionary")
    none = pd.DataFrame({"code": [], "target": []}, dtype=str)
    found = cities.entity_of(pd.Series(["75738000", "63607101"]), versions, none)
    assert found[1] == cities.components(versions)["63607000"]
    with pytest.raises(ContractError, match=r"has no entity(.|\n)*99999999"):
        cities.entity_of(pd.Series(["99999999"]), versions, none)


# --- places


def test_urban_okrugs_are_those_of_the_headings_and_of_the_hand():
    codes = pd.read_csv(ROOT / "data/corrections/crosswalk.csv", dtype=str)
    by_hand = pd.read_csv(ROOT / "data/corrections/kinds.csv", dtype=str)
    kinds, incomes = table("municipal_kinds"), table("municipal_incomes")
    assert (kinds["kind"] == "urban").sum() == 484
    assert set(kinds.loc[kinds["kind"].isna(), "code"]) < set(by_hand["code"])
    urban = places.urban_kind(kinds, by_hand, incomes, table("municipal_dictionary"), codes)
    entity = cities.components(table("municipal_dictionary"))
    assert urban[entity["44701000"]] == 1  # Magadan, printed under a heading of districts
    assert urban[entity["01601000"]] == 0
    # A district that was united with its city is what most of its residents were.
    assert 440 < urban.sum() < 491


def test_the_strongest_evidence_names_the_industry():
    located = pd.DataFrame(
        {
            "entity": ["1", "1", "2", "3"],
            "section": ["B", "C", "C", None],
            "division": ["07", "24.10", "5", None],
            "industry": ["ore", "steel", "x", "y"],
            "strength": ["weak", "town-forming", "main", "main"],
        }
    )
    found = places.main_industry(located, {"24": "C24", "05": "B05"})
    assert found.loc["1"].tolist() == ["C", "C24", "town-forming"]
    assert found.loc["2", "group"] == "B05"
    assert "3" not in found.index


def test_divisions_of_groups():
    found = places.group_of_division(["B05", "C10-12", "C19+22"])
    assert found == {
        "05": "B05",
        "10": "C10-12",
        "11": "C10-12",
        "12": "C10-12",
        "19": "C19+22",
        "22": "C19+22",
    }


def test_a_core_city_lies_in_the_nearest_entity_and_no_other():
    centre = pd.DataFrame(
        {"lat": [55.0, 55.05, 60.0, np.nan], "lon": [60.0, 60.0, 30.0, 30.0]}, list("abcd")
    )
    towns = pd.DataFrame(
        {
            "population": [600_000, 400_000, 900_000],
            "lat": [55.01, 60.0, 50.0],
            "lon": [60.0, 30, 1],
        }
    )
    # The second is too small, the third has no entity within ten kilometres.
    assert core_entities(centre, towns, 500_000) == {"a"}
    assert core_entities(centre, towns, 300_000) == {"a", "c"}


def test_classes_by_hand():
    panel = pd.DataFrame({"entity": list("abcd") * 2, "year": [2012] * 4 + [2013] * 4})
    panel["log_taxable_pc"] = [4.0, 1, 2, 9, 4, 3, 2, 1]
    panel["log_population"] = [1.0, 2, 3, 4, 1, 2, 3, 4.5]
    late = panel.assign(year=2020, log_taxable_pc=[9.0, 0, 0, 0] * 2)
    columns = {"log_taxable_pc": ("income_class", 2), "log_population": ("size_class", 4)}
    table = places.classes(pd.concat([panel, late]), columns, [2012, 2013])
    assert table["income_class"].tolist() == [2, 1, 1, 2]  # means 4, 2, 2, 5
    assert table["size_class"].tolist() == [1, 2, 3, 4]
    assert table["early_growth"].tolist() == [0, 0, 0, 0.5]
    assert table["early_income"].tolist() == [4, 2, 2, 5] and table.loc["d", "early_size"] == 4.25


def test_seats_of_regions_and_their_districts():
    towns = table("town_codes")
    seats = towns[towns["capital"] == 1]
    # 89 regions less three federal cities, the regions of Moscow and Leningrad, whose seats lie
    # in them or are not named, and those that the file does not cover.
    assert len(seats) == 79 and not seats["code"].duplicated().any()
    assert {"Вологда", "Кемерово", "Ханты-Мансийск"} < set(seats["town"])
    assert not {"Череповец", "Новокузнецк", "Сургут", "Тольятти"} & set(seats["town"])
    district = places.district_of(towns)
    assert (district["75"], district["36"], district["05"]) == (
        "Уральский",
        "Приволжский",
        "Дальневосточный",
    )
    assert set(table("municipal_dictionary")["code"].str[:2]) <= set(district)
