import json

import numpy as np
import pandas as pd
import pytest
from monotowns.measures.entities import entity_table, locate_industries
from monotowns.measures.exposure import ShiftShare
from monotowns.run.errors import DesignError
from monotowns.studies.facts import potential_facts, rouble_facts, save_facts

ENTITIES = pd.DataFrame({"entity": ["01", "02"], "region": ["Область", "Край"]})


def test_industries_find_their_entity_by_region_and_name():
    industries = pd.DataFrame(
        {
            "region": ["Область", "Край", "Край"],
            "town": ["Северск", "г Северск", "Нигде"],
            "section": list("CBC"),
            "strength": "main",
        }
    )
    towns = pd.DataFrame(
        {"region": ["Область", "Край"], "town": ["г. Северск", "Северск"], "entity": ["01", "02"]}
    )
    table = locate_industries(industries, towns, ENTITIES)
    assert table[["entity", "section"]].to_numpy().tolist() == [["01", "C"], ["02", "B"]]
    with pytest.raises(DesignError, match="no town"):
        locate_industries(industries.iloc[2:], towns, ENTITIES)


def test_exposures_reach_their_entities():
    shares = pd.DataFrame({"C": [1.0]}, index=["01"])
    shocks = pd.Series({"C": 0.2})
    town = ShiftShare(pd.Series({"01": 0.2}), shares, shocks)
    region = ShiftShare(pd.Series({"Область": 0.1, "Край": 0.3}), shares, shocks)
    parts = {"town": town, "firm_town": town, "region": region}
    structure = pd.DataFrame(
        [
            (r, 2019, "OKVED2", s, v)
            for r, values in (("Область", (60, 40)), ("Край", (20, 80)))
            for s, v in zip("CA", values, strict=True)
        ],
        columns=["region", "year", "classification", "section", "share"],
    )
    grp = pd.DataFrame({"region": ["Область", "Край"], "year": 2019, "grp": [100.0, 100.0]})
    tables = (structure, grp, pd.Series({2019: 1.0}))
    table = entity_table(parts, ENTITIES, tables, 2019).set_index("entity")
    assert table["manufacturing_base"].to_dict() == {"01": 0.6, "02": 0.2}
    assert table["region_exposure"].to_dict() == {"01": 0.1, "02": 0.3}
    assert table.loc["01", "town_exposure"] == 0.2
    assert np.isnan(table.loc["02", "town_exposure"])
    with pytest.raises(DesignError, match="base year"):
        entity_table(parts, ENTITIES, tables, 2018)


def test_roubles_by_hand():
    # Two monotown entities earn 12 and 24 thousand roubles a resident and year.
    panel = pd.DataFrame(
        {"year": 2021, "monotown": 1, "taxable": [1200.0, 4800.0], "population": [100.0, 200.0]}
    )
    records = pd.DataFrame(
        {
            "specification": ["gap_main"],
            "term": ["2021"],
            "estimate": [np.log(0.5)],
            "standard_error": [0.1],
            "n_clusters": [82],
        }
    )
    facts = rouble_facts(records, panel)
    assert facts["gap.level"][0] == pytest.approx(20_000 / 12)
    # Without the halving the mean would be twice as high: the change is minus one mean.
    assert facts["gap.main.roubles"][0] == pytest.approx(-20_000 / 12)


def test_facts_of_the_potential_and_their_file(tmp_path):
    table = pd.DataFrame(
        {
            "name": list("abcdefgh"),
            "rank": [1, 2, 3, 4, 5, 6, np.nan, np.nan],
            "rank_low": [1.0, 1, 2, 3, 4, 5, np.nan, np.nan],
            "rank_high": [2.0, 3, 4, 5, 6, 6, np.nan, np.nan],
        }
    )
    facts = potential_facts(table)
    assert facts["potential.ranked"][0] == 6
    assert facts["potential.band"][0] == 2
    assert facts["potential.always_top_half"][0] == 2  # ranks up to 3 of 6
    assert facts["potential.never_top_half"][0] == 2  # ranks from beyond 3
    save_facts(facts | {"y": [np.int64(2021), "year"]}, tmp_path / "f.json")
    read = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert read["y"] == ["2021", "year"]
    assert read["potential.ranked"] == [6.0, "count"]
