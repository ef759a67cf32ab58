import os
from pathlib import Path

import pandas as pd
import pytest
from monotowns.acquire.readers import READERS, incomes, population, regions
from monotowns.acquire.registry import load_registry, verify
from monotowns.run.errors import SourceError
from workbooks import workbook

ROOT = Path(__file__).parents[1]
MIRROR = os.environ.get("MONOTOWNS_MIRROR", "")


def income_sheets():
    # fmt: off
    old = [
        ["№", None, "Код ОКТМО", "Объем - всего", "в том числе"],
        [None, None, None, None, "Налогооблагаемые денежные доходы", "Социальные выплаты"],
        [None, "Край", 3, 30, 20, 10],
        [1, "Абинский", 3601000, 30, 20, 10],
    ]
    new = [
        ["№", None, "Код ОКТМО", "Налогооблагаемые доходы, тыс.рублей", "Социальные, тыс.рублей",
         "Объем, тыс.рублей", "Объем в среднем на 1 жителя, рублей"],
        [None, "Край", "03"],
        [None, "Муниципальные районы ", "03 600 000", 20, 10, 30, 5],
        [1, "Абинский", "03 601 000", 20, 10, 30, 5],
    ]
    # fmt: on
    return {str(year): old if year < 2012 else new for year in incomes.YEARS}


@pytest.mark.parametrize(
    ("printed", "code"),
    [(3601000.0, "03601000"), ("01 601 000", "01601000"), ("01", None), (3.0, None)],
)
def test_code8(printed, code):
    assert incomes.code8(printed) == code


def test_incomes_order_of_columns_changes_in_2012(tmp_path):
    table = incomes.read(workbook(tmp_path / "i.xlsx", income_sheets()))
    assert len(table) == len(incomes.YEARS)  # region and group rows are gone
    assert set(table["code"]) == {"03601000"}
    assert (table[["taxable", "social", "total"]] == [20, 10, 30]).all(axis=None)
    assert table.loc[table["year"] < 2012, "per_resident"].isna().all()


def test_a_moved_column_and_a_missing_sheet_are_refused(tmp_path):
    sheets = income_sheets()
    sheets["2015"] = [["№", None, "Код ОКТМО", "Объем", "Налогооблагаемые"], *sheets["2015"][1:]]
    with pytest.raises(SourceError, match=r"2015.*columns moved"):
        incomes.read(workbook(tmp_path / "moved.xlsx", sheets))
    del sheets["2015"]
    with pytest.raises(SourceError, match="2015"):
        incomes.read(workbook(tmp_path / "missing.xlsx", sheets))


def test_population_codes_with_spaces_and_without_zeros(tmp_path):
    rows = [
        ["Коды", None, "Все население (человек)"],
        ["0100000000", "Алтайский край", 100],
        ["01703000 0 0", "Городской округ г Алейск", 24604],
        ["01703000001 1 0 0 0", "г Алейск", 24604],
        [1601000000, "Алейский район", "…"],
        ["0160140200", "Сельское поселение", 1244],
    ]
    listed = [[None, "Содержание"], [1, "Алтайский край"]]
    path = workbook(tmp_path / "p.xlsx", {population.SHEET: rows, population.REGIONS: listed})
    table = population.read_municipalities(path).set_index("name")
    assert table.loc["г Алейск", "code"] == "01703000"
    assert table.loc["г Алейск", "level"] == "town"
    assert table.loc["Сельское поселение", "level"] == "settlement"
    assert table.loc["Сельское поселение", "code"] == "01601000"
    assert pd.isna(table.loc["Алейский район", "population"])


@pytest.mark.parametrize("table", READERS)
def test_readers_give_the_committed_snapshot(table, tmp_path):
    if not MIRROR:
        pytest.skip("no raw files: MONOTOWNS_MIRROR is not set")
    registry = load_registry(ROOT / "data/sources.yaml").values()
    source = next(s for s in registry if table in s.tables)
    path = verify(Path(MIRROR) / source.file, source)
    READERS[table](path).to_csv(tmp_path / "t.csv", index=False, lineterminator="\n")
    committed = (ROOT / f"data/snapshot/{table}.csv").read_bytes()
    assert (tmp_path / "t.csv").read_bytes() == committed


def test_published_figures_in_the_snapshot():
    towns = pd.read_csv(ROOT / "data/snapshot/monotowns_2024.csv")
    assert towns["category"].value_counts().sort_index().tolist() == [97, 148, 76]
    listed = pd.read_csv(ROOT / "data/snapshot/monotowns_2014.csv")
    assert listed["category"].value_counts().sort_index().tolist() == [75, 148, 89]


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("Архангельская область", None),
        ("Архангельская область (кроме Ненецкого автономного округа)", "Архангельская область"),
        ("Ненецкий автономный округ (Архангельская область)", "Ненецкий автономный округ"),
        ("Город Москва столица Российской Федерации город федерального значения", "Москва"),
        ("Московская область", "Московская область"),
        ("Республика Саха (Якутия)", "Республика Саха (Якутия)"),
        ("Республика Адыгея (Адыгея)", "Республика Адыгея"),
    ],
)
def test_region_names(printed, name):
    assert regions.region_name(printed) == name


def test_gva_sheet_that_repeats_another_year_is_refused(tmp_path):
    rows = [["", "Структура в 2022 г."], ["", "", "", "Раздел A"], ["Область", "Область", 100, 5]]
    sheets = {str(year): [["", f"Структура в {year} г."], *rows[1:]] for year in regions.GVA_YEARS}
    table = regions.read_gva(workbook(tmp_path / "g.xlsx", sheets))
    assert len(table) == len(regions.GVA_YEARS)
    assert table.groupby("classification")["year"].max().to_dict() == {
        "OKVED-2007": 2015,
        "OKVED2": 2022,
    }
    sheets["2021"] = rows
    with pytest.raises(SourceError, match="names another year"):
        regions.read_gva(workbook(tmp_path / "h.xlsx", sheets))
