from pathlib import Path

import pandas as pd
import pytest
from monotowns.panel.contracts import check
from monotowns.run.errors import ContractError
from monotowns.run.tables import read_table

ROOT = Path(__file__).parents[1]
TABLES = [p.stem for p in sorted((ROOT / "data/snapshot").glob("*.csv"))]


def incomes():
    return pd.DataFrame(
        {
            "year": [2012, 2012],
            "row": [1, 2],
            "code": ["01601000", "01602000"],
            "name": ["a", "b"],
            "taxable": [60.0, 6.0],
            "social": [40.0, 4.0],
            "total": [100.0, 10.0],
            "per_resident": [50.0, None],
        }
    )


def test_a_good_table_passes_unchanged():
    pd.testing.assert_frame_equal(check(incomes(), "municipal_incomes"), incomes())


def test_all_failures_are_reported_at_once_with_keys():
    bad = incomes()
    bad.loc[0, "code"] = "1601000"  # a leading zero lost
    bad.loc[1, "total"] = 10_000.0  # roubles among thousands
    bad.loc[1, "year"] = 1812
    with pytest.raises(ContractError) as caught:
        check(bad, "municipal_incomes")
    words = str(caught.value)
    assert "1601000" in words
    assert "taxable + social = total" in words
    assert "1812" in words
    assert "01602000" in words


def test_a_missing_column_and_a_doubled_key():
    with pytest.raises(ContractError, match="taxable: no such column"):
        check(incomes().drop(columns="taxable"), "municipal_incomes")
    twice = pd.DataFrame({"region": ["A", "A"], "year": 2012, "population": [1.0, 2.0]})
    with pytest.raises(ContractError, match=r"population_regions(.|\n)*one row a region, year: 1"):
        check(twice, "population_regions")


def test_whole_figures_pass_and_so_does_a_table_of_ones_own_without_a_contract():
    people = pd.DataFrame({"region": ["A"], "year": [2012], "population": [5]})
    assert check(people, "population_regions")["population"].dtype == float
    own = pd.DataFrame({"region": ["A"], "rate": [0.5]})
    assert check(own, "unemployment") is own
    with pytest.raises(ContractError, match="a formula"):
        check(own.assign(region="=A1"), "unemployment")


@pytest.mark.parametrize("table", TABLES)
def test_every_committed_table_has_a_contract_and_keeps_it(table):
    frame = read_table(ROOT / f"data/snapshot/{table}.csv")
    assert len(check(frame, table)) == len(frame)


@pytest.mark.parametrize(
    ("table", "column", "value", "words"),
    [
        ("gva_structure", "share", 90.0, "shares add up to 100"),
        ("gva_structure", "section", "О", "str_matches"),  # the Cyrillic letter
        ("grp", "grp", -1.0, "greater_than"),
        ("monotowns_2014", "category", 4, "isin"),
        ("towns_2020", "lat", 5.0, "in_range"),
        ("toser", "established", "2051-01-01", "str_matches"),
        ("toser", "established", "28.01.2016", "28.01.2016"),
        ("monotown_industries", "section", "С", "str_matches"),  # the Cyrillic letter
    ],
)
def test_a_wrong_cell_is_caught(table, column, value, words):
    frame = read_table(ROOT / f"data/snapshot/{table}.csv")
    frame.loc[3, column] = value
    with pytest.raises(ContractError, match=words):
        check(frame, table)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_the_snapshot_is_described(table):
    text = (ROOT / "data/README.md").read_text(encoding="utf-8")
    part = text[text.index(f"| `{table}` |") :]
    part = part[: part.find("\n| `", 5)]
    columns = pd.read_csv(ROOT / f"data/snapshot/{table}.csv", nrows=0).columns
    assert [c for c in columns if f"`{c}`" not in part] == []
