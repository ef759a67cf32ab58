import pandas as pd
import pytest
from monotowns.panel.territories import (
    components,
    crosswalk,
    from_okato,
    locate_towns,
    newest,
    placed,
    stem,
)


def test_okato_digits_become_oktmo():
    assert from_okato("75438000") == "75738000"
    assert from_okato("01201000") == "01601000"
    assert from_okato("75738000") == "75738000"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Городской округ город Свободный", "г. Свободный"),
        ("Погарское городское поселение", "п Погар"),
        ("рп Северо-Задонск", "Северо-Задонск"),
    ],
)
def test_stem_joins_forms_of_one_name(one, other):
    assert stem(one) == stem(other)


def test_stem_keeps_names_apart():
    assert stem("Кировск") != stem("Киренск")


@pytest.fixture
def versions():
    return pd.DataFrame(
        [
            ("10601000", 1, "Северный", 2018, 2020, None, "union_1"),
            ("10701000", 2, "Северск", 2018, 2020, None, "union_1"),
            ("10702000", 3, "Южный", 2020, 9999, "union_1", None),
            ("10603000", 4, "Западный", 2018, 9999, None, None),
        ],
        columns=[
            "code",
            "territory_id",
            "name",
            "year_from",
            "year_to",
            "change_from",
            "change_to",
        ],
    ).assign(kind="городской округ", region="Область", centre="", lat=56.0, lon=60.0)


def test_united_territories_are_one_entity_named_by_the_newest(versions):
    entity = components(versions)
    assert set(entity[["10601000", "10701000", "10702000"]]) == {"10702000"}
    assert entity["10603000"] == "10603000"


def test_components_do_not_depend_on_row_order(versions):
    pd.testing.assert_series_equal(components(versions), components(versions[::-1]))


def test_crosswalk_gives_entity_and_reason(versions):
    printed = pd.DataFrame(
        {
            "code": ["10603000", "10203000", "10699000", "10698000", "45301000"],
            "name": ["Западный", "Западный", "Западный район", "Восточный", "Арбат"],
        }
    )
    walk = crosswalk(printed, versions).set_index("code")
    assert walk["reason"].to_dict() == {
        "10603000": "code",
        "10203000": "okato",
        "10699000": "name",
        "10698000": "unknown",
        "45301000": "city",
    }
    assert walk.loc["10699000", "entity"] == "10603000"


def test_a_reused_code_follows_its_name(versions):
    # The income table prints one code for two districts in some years.
    printed = pd.DataFrame({"code": ["10603000"] * 2, "name": ["Западный", "Северск"]})
    walk = crosswalk(printed, versions).set_index("name")["entity"]
    assert walk["Западный"] == "10603000"
    assert walk["Северск"] == "10702000"


def test_a_town_is_located_by_region_and_name_only(versions):
    places = pd.DataFrame({"code": ["10603000"], "level": ["town"], "name": ["г Лесной"]})
    towns = pd.DataFrame({"region": ["Область", "Край"], "town": ["Лесной", "Лесной"]})
    found = locate_towns(towns, places, versions)
    assert found[0] == "10603000"
    assert pd.isna(found[1])


def test_the_newest_version_speaks_for_its_entity_and_a_hand_places_the_rest():
    versions = pd.DataFrame(
        {
            "code": ["01601000", "01602000"],
            "territory_id": [1, 2],
            "name": ["Алейский", "Алтайский"],
            "change_from": [None, "7"],
            "change_to": ["7", None],
            "year_to": [2020, 9999],
        }
    )
    assert newest(versions)["name"].to_dict() == {"01602000": "Алтайский"}
    printed = pd.DataFrame({"code": ["01601000", "99999999"], "name": ["Алейский", "Новый"]})
    overrides = pd.DataFrame({"code": ["99999999"], "target": ["01601000"]})
    links = placed(printed, versions, overrides)
    assert links["entity"].tolist() == ["01602000"] * 2
    assert links["reason"].tolist() == ["code", "override"]
