import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.profile import find_entity, profile
from monotowns.run.errors import InputError

TOWNS = pd.DataFrame(
    [
        ("monotowns_2014", "Область", "г. Северск", 1.0, "01"),
        ("toser", "Область", "Северск", np.nan, "01"),
        ("monotowns_2014", "Край", "г. Лесной", 2.0, "02"),
        ("monotowns_2014", "Область", "п. Лесной", 2.0, "03"),
    ],
    columns=["list", "region", "town", "category", "entity"],
)


def test_a_town_is_found_by_name_and_region():
    assert find_entity("Северск", TOWNS) == "01"
    assert find_entity("Лесной", TOWNS, "Край") == "02"
    with pytest.raises(InputError, match="several"):
        find_entity("Лесной", TOWNS)
    with pytest.raises(InputError, match=r"did you mean 'Северск'"):
        find_entity("Северс", TOWNS.iloc[1:2])


def test_the_page_says_what_the_tables_hold():
    panel = pd.DataFrame(
        {
            "entity": "01",
            "name": "Северск",
            "region": "Область",
            "year": [2020, 2021],
            "population": [1000.0, 900.0],
            "transfer_share": [0.25, 0.3],
            "town_share": 0.8,
            "log_taxable_pc": np.log([120_000.0, 240_000.0]),
        }
    )
    potential = pd.DataFrame(
        {
            "entity": ["01", "02"],
            "rank": [1.0, 2.0],
            "rank_low": [1.0, 1.0],
            "rank_high": [1.0, 2.0],
            "index": [0.5, -0.5],
        }
    )
    exposure = pd.DataFrame({"entity": ["01"], "town_exposure": [0.21]})
    industries = pd.DataFrame(
        {
            "entity": ["01"],
            "town": ["Северск"],
            "industry": ["coke"],
            "strength": ["main"],
            "address": ["a"],
        }
    )
    page = profile("01", panel, potential, TOWNS, exposure, industries)
    assert page["years"][1] == {
        "year": "2021",
        "residents": "900",
        "income": "20,000",
        "transfers": "30.0",
    }
    values = {row["name"]: row["value"] for row in page["potential"]}
    assert values["rank of 2 by development potential"] == "1"
    assert values["growth of its main industries elsewhere, log points"] == "0.210"
    assert [row["category"] for row in page["lists"]] == ["1", ""]
    with pytest.raises(InputError, match="not in the panel"):
        profile("09", panel, potential, TOWNS, exposure, industries)
