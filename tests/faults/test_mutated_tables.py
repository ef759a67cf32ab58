"""What a new vintage of a raw file may come with: each change is refused, none passes silently.

The tables are cut from the real raw files: every sheet with its heads and a few regions. What a
reader cannot see in one table (a region that is missing in all years, one changed figure) is a row
of the drift from the snapshot.
"""

import os
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from checkout import ROOT
from monotowns.acquire.drift import drift
from monotowns.acquire.readers import READERS, incomes, population, regional
from monotowns.acquire.registry import load_registry
from monotowns.panel import contracts
from monotowns.run.errors import ContractError, SourceError

MIRROR = os.environ.get("MONOTOWNS_MIRROR", "")
pytestmark = [
    pytest.mark.raw,
    pytest.mark.skipif(not MIRROR, reason="no raw files: MONOTOWNS_MIRROR is not set"),
]
REGISTRY = {t: s for s in load_registry(ROOT / "data/sources.yaml").values() for t in s.tables}
#: Regions that the cut of a table keeps: first digits of the code, or names.
PREFIXES = ("01", "03")
NAMES = ("Алтайский край", "Краснодарский край", "Белгородская область", "Брянская область")


@cache
def original(table):
    """Sheets of the raw file, cut: name -> rows. A CSV is one sheet without a name."""
    path = Path(MIRROR) / REGISTRY[table].file
    if path.suffix == ".csv":
        return {"": [line.split("\x1f") for line in _csv_rows(path)]}
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(path))
    wanted = {
        "population_2024": [population.SHEET, population.REGIONS],
        "monotowns_2024": [*population.MONOTOWN_TABLES.values()],
        "fixed_assets": ["1", "2"],
    }
    names = wanted.get(table, book.sheet_names)
    return {
        n: CUT.get(table, _whole)(book.get_sheet_by_name(n).to_python(skip_empty_area=False))
        for n in names
    }


def _csv_rows(path):
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return ["\x1f".join(row) for row in [list(frame.columns), *frame.to_numpy().tolist()[:40]]]


def _whole(rows):
    return rows[:120]


def _cut_incomes(rows):
    kept = [r for r in rows[6:] if (incomes.code8(r[2]) or "").startswith(PREFIXES)]
    return rows[:6] + kept


def _cut_population(rows):
    if str(rows[0][1]).strip() == "Содержание":  # the list of regions
        return [rows[0], *(r for r in rows if str(r[1]).strip() in NAMES[:2])]
    digits = [population._digits(row[0]) for row in rows]
    first = next(i for i, code in enumerate(digits) if code.isdigit())
    regions = [
        [r for r, d in zip(rows, digits, strict=True) if d.isdigit() and d.zfill(10).startswith(p)]
        for p in PREFIXES
    ]
    return rows[:first] + regions[0][:150] + regions[1][:150]


def _cut_long(wanted):
    """Russia, a few regions, and the two that are printed with and without their okrugs."""
    kept = (*NAMES, regional.RUSSIA, "Архангельская область", "Тюменская область")
    return lambda rows: [rows[0], *(r for r in rows if r[1] in wanted and r[4].startswith(kept))]


#: Tables of long workbooks -> their indicators.
LONG = {
    "regional_production": regional.PRODUCTION,
    "regional_groups": regional.SHIPPED,
    "regional_investment": regional.INVESTMENT,
    "regional_labour": regional.LABOUR,
    "regional_product": regional.PRODUCT,
    "regional_trade": regional.TRADE,
}
CUT = {"municipal_incomes": _cut_incomes, "population_2024": _cut_population}
CUT |= {table: _cut_long(wanted) for table, wanted in LONG.items()}


def write(folder, table, sheets, merge=None):
    """Write mutated sheets under the registered name, as the office would."""
    path = folder / REGISTRY[table].file
    if "" in sheets:
        pd.DataFrame(sheets[""][1:], columns=sheets[""][0]).to_csv(path, index=False)
        return path
    if path.suffix == ".parquet":
        rows = sheets["x"]
        pd.DataFrame(rows[1:], columns=rows[0]).to_parquet(path)
        return path
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == "" else cell for cell in row])
        if merge and merge[0] == name:
            sheet.merge_cells(merge[1])
    book.save(path)
    return path


def read(table, path, folder):
    """Read a raw file and hold it to its contract, through the table that is kept."""
    READERS[table](path).to_csv(folder / "t.csv", index=False, lineterminator="\n")
    return contracts.check(pd.read_csv(folder / "t.csv", dtype={"code": str}), table)


# --- mutations: rows -> rows, in place


def swap(a, b):
    def mutate(rows):
        for row in rows:
            row[a], row[b] = row[b], row[a]

    return mutate


def insert(place):
    def mutate(rows):
        for row in rows:
            row.insert(place, "")

    return mutate


def put(row, column, value):
    def mutate(rows):
        rows[row][column] = value(rows[row][column]) if callable(value) else value

    return mutate


def times(factor, *columns):
    def mutate(rows):
        for row in rows:
            for column in columns:
                if column < len(row) and isinstance(row[column], int | float):
                    row[column] *= factor

    return mutate


def repeat(row):
    def mutate(rows):
        rows.insert(row, list(rows[row]))

    return mutate


def drop(match):
    def mutate(rows):
        rows[:] = [row for row in rows if not any(match(str(cell)) for cell in row[:4])]

    return mutate


def rename(old, new):
    def mutate(rows):
        for row in rows[:8]:
            row[:] = [cell.replace(old, new) if isinstance(cell, str) else cell for cell in row]

    return mutate


def each(column, old, new):
    def mutate(rows):
        for row in rows[1:]:
            row[column] = row[column].replace(old, new)

    return mutate


def comma(value):
    return f"{float(value):.2f}".replace(".", ",")


def altai(cell):
    return cell.strip().removesuffix(".0").replace(" ", "").zfill(8).startswith("01")


INCOMES, PEOPLE, TOWNS = "municipal_incomes", "population_2024", "monotowns_2024"
BULLETIN = population.SHEET
#: Table -> sheet, mutation, words of the reader's refusal.
BY_READER = {
    "municipal_incomes": [
        ("2015", swap(3, 4), "'алогооблагаемые'"),
        ("2016", insert(2), "columns moved"),
        ("2014", rename("ОКТМО", "ОКАТО"), "2014"),
        ("2014", rename("Социальные", "Прочие"), "column 5"),
        ("2017", rename("тыс.руб", "млн.руб"), "another unit"),
        # Millions, then roubles, without a word of it.
        ("2017", times(0.001, 3, 4, 5), "total 2016 to 2017"),
        ("2013", times(1000, 3, 4, 5), "total 2012 to 2013"),
        ("2018", put(20, 3, comma), "not a number"),
        ("2018", put(20, 5, "123,4 1)"), "1)"),
        ("2019", put(20, 4, ""), "a part of the income"),
        ("2019", repeat(20), "a row stands twice"),
        ("2016", drop(altai), "2016: 01"),
        ("2016", put(20, 2, "01 6O8 000"), "'01 6O8 000'"),
        ("2016", put(20, 2, ""), "cannot be read"),
        ("2016", rename("за 2016", "за 2015"), "names another year"),
    ],
    "population_2024": [
        (BULLETIN, swap(2, 3), "человек"),
        (BULLETIN, insert(1), "column 3"),
        (BULLETIN, rename("Коды", "Номер"), "'Коды'"),
        (BULLETIN, rename("(человек)", "(тыс. человек)"), "'тыс'"),
        (BULLETIN, times(0.001, 2), "not a whole number"),
        (BULLETIN, put(30, 2, "1,5"), "'1,5'"),
        (BULLETIN, repeat(30), "stands twice"),
        (BULLETIN, drop(altai), "Алтайский край"),
        (BULLETIN, put(30, 0, "O1601"), "'O1601'"),
    ],
    "monotowns_2024": [
        ("Таб_5.1", swap(3, 4), "column 4"),
        ("Таб_5.2", rename("Субъект", "Край"), "'Субъект'"),
        ("Таб_5.3", times(0.001, 4), "not a whole number"),
        ("Таб_5.1", put(6, 4, "17,2"), "'17,2'"),
    ],
    "population_regions": [
        ("Отчет", rename("OKATO", "Регион"), "'OKATO'"),
        ("Отчет", lambda rows: [r.pop(9) for r in rows], "do not follow each other"),
        ("Отчет", times(0.001, 12), "another unit"),
        ("Отчет", put(5, 6, "1,5"), "'1,5'"),
        ("Отчет", repeat(5), "stands twice"),
        ("Отчет", put(5, 9, ""), "is gone"),
    ],
    "grp": [
        ("Total", rename("OKATO", "Регион"), "'OKATO'"),
        ("Total", swap(3, 4), "do not follow"),
        ("Total", lambda rows: times(1000, 9)(rows[1:]), "another unit"),
        ("Total", put(3, 6, "50923,1"), "'50923,1'"),
        ("Total", repeat(3), "stands twice"),
    ],
    "gva_structure": [
        ("2014", swap(4, 6), "found: ADCB"),
        ("2014", rename("Раздел A", "Раздел"), "Раздел A"),
        ("2018", lambda rows: [r.pop(5) for r in rows], "do not follow the letters"),
        ("2013", put(12, 5, "15,1"), "'15,1'"),
        ("2013", repeat(12), "stands twice"),
        ("2016", drop("Брянская область".__eq__), "2016: Брянская область"),
        ("2020", rename("2020", "2022"), "names another year"),
    ],
    "municipal_dictionary": [
        ("", rename("oktmo", "okato"), "did you mean"),
        ("", put(4, 16, lambda v: str(v).replace(".", ",")), "not a number"),
    ],
    "monotowns_2014": [
        ("", rename("admin_center", "town"), "admin_center"),
        ("", put(3, 0, "first"), "'first'"),
    ],
    "town_codes": [
        ("", rename("capital_marker", "capital"), "capital_marker"),
        ("", put(3, 15, "7"), "unknown mark of a capital"),
    ],
    "towns_2020": [
        ("", rename("population", "people"), "population"),
        ("", put(3, 1, "29,0"), "'29,0'"),
    ],
    **{
        table: [
            ("Sheet1", rename("object_level", "level"), "no such column\n  at: object_level"),
            ("Sheet1", rename("indicator_value", "value"), "indicator_value"),
            ("Sheet1", each(10, wanted[min(wanted)][2], "Тысяч рублей"), "another unit"),
            ("Sheet1", put(5, 10, "Штук"), "found: Штук"),
            ("Sheet1", each(2, wanted[min(wanted)][1][-6:], ""), "another indicator"),
            ("Sheet1", each(4, "(без автономного округа)", "(с автономным округом)"), "twice"),
            ("Sheet1", each(4, "(с автономными округами)", "(без автономных округов)"), "twice"),
            ("Sheet1", put(5, 9, -88888888.0), "found: -88888888"),
            ("Sheet1", put(5, 9, "98,3"), "'98,3'"),
            ("Sheet1", repeat(40), "stands twice"),
            ("Sheet1", put(5, 8, 2005.5), "not a whole number"),
            ("Sheet1", put(5, 5, "Край"), "unknown level"),
            ("Sheet1", drop(min(wanted).__eq__), f"no such indicator\n  at: {min(wanted)}"),
        ]
        for table, wanted in LONG.items()
    },
    "fixed_assets": [
        ("1", rename("(млн рублей)", "(тыс. рублей)"), "another unit"),
        ("2", rename("(млн рублей)", "(тыс. рублей)"), "another unit"),
        ("2", rename("полному кругу организаций", "кругу коммерческих организаций"), "полному кру"),
        ("1", swap(3, 4), "years or activities moved"),
        ("2", swap(3, 4), "years or activities moved"),
        ("1", put(5, 6, "295272,0"), "'295272,0'"),
        ("1", repeat(5), "stands twice"),
        ("1", lambda rows: times(0.001, 9)(rows[3:]), "another unit"),
        ("2", put(30, 0, "Архангельская область"), "with its okrugs"),
    ],
}
BY_READER["regional_groups"] += [("Sheet1", each(3, "угля", "углей"), "did you mean 'добыча угля'")]
BY_CONTRACT = {
    "municipal_incomes": [("2018", put(20, 3, lambda v: v * 2), "taxable + social = total")],
    "monotowns_2024": [("Таб_5.1", lambda rows: rows.extend(rows[4:6]), "one row a region, town")],
    "gva_structure": [("2018", times(0.01, *range(2, 23)), "shares add up to 100")],
    "municipal_dictionary": [
        ("", lambda rows: swap(16, 17)(rows[1:]), "in_range"),
        ("", put(4, 1, "79-7"), "797"),
    ],
    "monotowns_2014": [("", put(3, 0, "4"), "isin")],
    "town_codes": [("", put(3, 17, "79-7"), "str_matches")],
    "towns_2020": [
        ("", put(3, 1, "29000"), "in_range"),
        ("", lambda rows: swap(2, 3)(rows[1:]), "in_range"),
    ],
    "regional_production": [("Sheet1", put(5, 9, 1.023), "per cent of the year before")],
    "fixed_assets": [("1", put(5, 6, -5.0), "greater_than_or_equal_to")],
}
CASES = [
    pytest.param(caught, table, *case, id=f"{table}-{i}-{caught.__name__}")
    for caught, tables in ((SourceError, BY_READER), (ContractError, BY_CONTRACT))
    for table, cases in tables.items()
    for i, case in enumerate(cases)
]


def mutated(folder, table, sheet, mutate):
    """Write a table's raw file with one of its sheets changed."""
    sheets = {name: [list(row) for row in rows] for name, rows in original(table).items()}
    mutate(sheets[sheet or next(iter(sheets))])
    return write(folder, table, sheets)


@pytest.mark.parametrize(("caught", "table", "sheet", "mutate", "words"), CASES)
def test_a_changed_table_is_refused(tmp_path, caught, table, sheet, mutate, words):
    with pytest.raises(caught) as refusal:
        read(table, mutated(tmp_path, table, sheet, mutate), tmp_path)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("table", "sheet", "region"),
    [
        ("monotowns_2024", "Таб_5.1", "Амурская область"),
        ("population_regions", "Отчет", "Брянская область"),
        ("grp", "Total", "Брянская область"),
    ],
)
def test_a_region_that_is_gone_in_all_years_is_drift(tmp_path, table, sheet, region):
    before = read(table, write(tmp_path, table, original(table)), tmp_path)
    after = read(table, mutated(tmp_path, table, sheet, drop(region.__eq__)), tmp_path)
    assert len(drift(table, before, after, REGISTRY[table].tables[table]))


#: Tables of files that are no workbook and no plain list have their mutations beside their readers.
CUT_WHOLE = [t for t in READERS if REGISTRY[t].file.endswith((".csv", ".xlsx"))]


@pytest.mark.parametrize("table", CUT_WHOLE)
def test_the_cut_tables_are_good_as_they_are(tmp_path, table):
    frame = read(table, write(tmp_path, table, original(table)), tmp_path)
    assert len(frame)


def test_merged_cells_hide_no_figure_and_no_code(tmp_path):
    for cells, words in (("D21:E21", "a part of the income"), ("C20:C21", "cannot be read")):
        path = write(tmp_path, INCOMES, original(INCOMES), merge=("2016", cells))
        with pytest.raises(SourceError, match=words):
            read(INCOMES, path, tmp_path)


@pytest.mark.parametrize(
    ("table", "sheet"),
    [
        (INCOMES, "2015"),
        (PEOPLE, population.SHEET),
        (PEOPLE, population.REGIONS),
        (TOWNS, "Таб_5.2"),
        ("population_regions", "Отчет"),
        ("grp", "Total"),
        ("gva_structure", "2012"),
        ("regional_groups", "Sheet1"),
        ("fixed_assets", "2"),
    ],
)
def test_a_missing_sheet_is_named_with_the_nearest(tmp_path, table, sheet):
    sheets = dict(original(table)) | {f"{sheet} ": original(table)[sheet]}
    del sheets[sheet]
    with pytest.raises(SourceError, match=r"a sheet is missing(.|\n)*did you mean") as refusal:
        read(table, write(tmp_path, table, sheets), tmp_path)
    assert f"expected: {sheet}" in str(refusal.value)


@pytest.mark.parametrize("table", [INCOMES, PEOPLE, "grp", "municipal_dictionary"])
def test_what_is_no_workbook_is_one_message(tmp_path, table):
    path = tmp_path / REGISTRY[table].file
    path.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(SourceError, match="not a workbook"):
        read(table, path, tmp_path)


def test_market_access_keeps_its_columns(tmp_path):
    frame = pd.read_parquet(Path(MIRROR) / REGISTRY["market_access"].file)
    frame.rename(columns={"market_access": "access"}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"market_access(.|\n)*did you mean 'access'"):
        read("market_access", tmp_path / "a.parquet", tmp_path)
    twice = pd.concat([frame, frame[:1]])
    twice.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ContractError, match="territory_id"):
        read("market_access", tmp_path / "b.parquet", tmp_path)
