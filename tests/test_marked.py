"""The years beside the window."""

import numpy as np
import pandas as pd
import pytest
from monotowns.panel import marked
from monotowns.panel.contracts import check
from monotowns.run.errors import ContractError

#: Two territories that were united, and one of its own.
VERSIONS = pd.DataFrame(
    {
        "code": ["01601000", "01602000", "01603000"],
        "territory_id": [1, 2, 3],
        "name": ["Алейский", "Алтайский", "Баевский"],
        "change_from": [None, "7", None],
        "change_to": ["7", None, None],
        "year_to": [2024, 9999, 9999],
    }
)


def incomes():
    codes = dict(zip(VERSIONS["code"], VERSIONS["name"], strict=True))
    rows = [
        (year, i, code, name)
        for year in (2010, 2011, 2022)
        for i, (code, name) in enumerate(codes.items())
    ]
    frame = pd.DataFrame(rows, columns=["year", "row", "code", "name"])
    frame = frame.assign(taxable=6e4, social=4e4, total=1e5, per_resident=np.nan)
    frame.loc[frame["year"] == 2022, "per_resident"] = 5e4
    return frame


def build(frame):
    none = pd.DataFrame({"code": [], "target": [], "reason": []}, dtype=str)
    return marked.build(frame, VERSIONS, none).set_index(["entity", "year"])


def test_marked_years_say_what_they_are_and_have_residents_after_the_census_alone():
    table = build(incomes())
    assert table.loc[("01602000", 2010), "taxable"] == 1.2e5
    assert table["population"].dropna().to_dict() == {
        ("01602000", 2022): 4000,
        ("01603000", 2022): 2000,
    }
    assert table.loc[("01603000", 2022), "log_taxable_pc"] == pytest.approx(np.log(30_000))
    assert table["mark"].groupby("year").first().to_dict() == marked.MARKS
    assert len(check(table.reset_index(), "marked_years")) == 6


def test_an_entity_whose_members_change_is_left_out_where_none_are_printed():
    frame = incomes()
    frame = frame[(frame["year"] != 2010) | (frame["code"] != "01601000")]
    years = build(frame).loc["01602000"].index
    assert years.tolist() == [2022]


def test_residents_in_another_year_break_the_contract():
    table = build(incomes()).reset_index()
    table["population"] = 1.0
    with pytest.raises(ContractError, match="residents in 2022 alone"):
        check(table, "marked_years")
