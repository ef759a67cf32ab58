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


def test_the_page_prints_what_the_tables_hold():
    panel = pd.DataFrame({"entity": "01", "name": "Северск", "region": "Область"}, index=[0, 1])
    panel = panel.assign(year=[2020, 2021], population=[1000.0, 900.0], town_share=0.8)
    panel = panel.assign(transfer_share=[0.25, 0.3], log_taxable_pc=np.log([120e3, 240e3]))
    columns = ["entity", "rank", "rank_low", "rank_high", "index"]
    rows = [("01", 1.0, 1.0, 1.0, 0.5), ("02", 2.0, 1.0, 2.0, -0.5)]
    potential = pd.DataFrame(rows, columns=columns)
    exposure = pd.DataFrame({"entity": ["01"], "town_exposure": [0.21]})
    industry = {"town": "Северск", "industry": "coke", "strength": "main", "address": "a"}
    tables = potential, TOWNS, exposure, pd.DataFrame([{"entity": "01"} | industry])
    page = profile("01", panel, *tables)
    last = {"year": "2021", "residents": "900", "income": "20,000", "transfers": "30.0"}
    assert page["years"][1] == last
    values = {row["name"]: row["value"] for row in page["potential"]}
    assert values["rank of 2 by development potential"] == "1"
    assert values["growth of its main industries elsewhere, log points"] == "0.210"
    assert [row["category"] for row in page["lists"]] == ["1", ""]
    assert page["industries"] == [industry]
    with pytest.raises(InputError, match="not in the panel"):
        profile("09", panel, *tables)
