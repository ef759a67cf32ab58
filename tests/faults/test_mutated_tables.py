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
from monotowns.acquire import readers
from monotowns.acquire.drift import drift
from monotowns.acquire.readers import READERS, population
from monotowns.acquire.registry import load_registry
from monotowns.panel import contracts
from monotowns.panel.territories import code8
from monotowns.run.errors import ContractError, SourceError

MIRROR = os.environ.get("MONOTOWNS_MIRROR", "")
pytestmark = [
    pytest.mark.raw,
    pytest.mark.skipif(not MIRROR, reason="no raw files: MONOTOWNS_MIRROR is not set"),
]
REGISTRY = {t: s for s in load_registry(ROOT / "data/sources.yaml").values() for t in s.tables}
reader = getattr(readers, "reader", READERS.get)
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
    kept = [r for r in rows[6:] if (code8(r[2]) or "").startswith(PREFIXES)]
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


CUT = {"municipal_incomes": _cut_incomes, "population_2024": _cut_population}


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
    reader(table)(path).to_csv(folder / "t.csv", index=False, lineterminator="\n")
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


def comma(value):
    return f"{float(value):.2f}".replace(".", ",")


def altai(cell):
    return cell.strip().removesuffix(".0").replace(" ", "").zfill(8).startswith("01")


READER, CONTRACT, DRIFT = SourceError, ContractError, None
INCOMES, PEOPLE, TOWNS = "municipal_incomes", "population_2024", "monotowns_2024"
REGIONAL, GRP, GVA = "population_regions", "grp", "gva_structure"
CASES = {
    "incomes: columns change places": (INCOMES, "2015", swap(3, 4), READER, "'алогооблагаемые'"),
    "incomes: a column is put in": (INCOMES, "2016", insert(2), READER, "columns moved"),
    "incomes: the head of the code": (INCOMES, "2014", rename("ОКТМО", "ОКАТО"), READER, "2014"),
    "incomes: another head": (INCOMES, "2014", rename("Социальные", "Прочие"), READER, "column 5"),
    "incomes: millions in the head": (
        INCOMES,
        "2017",
        rename("тыс.руб", "млн.руб"),
        READER,
        "another unit",
    ),
    "incomes: millions without a word": (
        INCOMES,
        "2017",
        times(0.001, 3, 4, 5),
        READER,
        "total 2016 to 2017",
    ),
    "incomes: roubles without a word": (
        INCOMES,
        "2013",
        times(1000, 3, 4, 5),
        READER,
        "total 2012 to 2013",
    ),
    "incomes: one decimal comma": (INCOMES, "2018", put(20, 3, comma), READER, "not a number"),
    "incomes: a footnote at a figure": (INCOMES, "2018", put(20, 5, "123,4 1)"), READER, "1)"),
    "incomes: one figure changed": (
        INCOMES,
        "2018",
        put(20, 3, lambda v: v * 2),
        CONTRACT,
        "taxable + social = total",
    ),
    "incomes: a part is missing": (INCOMES, "2019", put(20, 4, ""), READER, "a part of the income"),
    "incomes: a row stands twice": (INCOMES, "2019", repeat(20), READER, "a row stands twice"),
    "incomes: a region is gone": (INCOMES, "2016", drop(altai), READER, "2016: 01"),
    "incomes: a letter in a code": (
        INCOMES,
        "2016",
        put(20, 2, "01 6O8 000"),
        READER,
        "'01 6O8 000'",
    ),
    "incomes: a code is lost": (INCOMES, "2016", put(20, 2, ""), READER, "cannot be read"),
    "incomes: another year's sheet": (
        INCOMES,
        "2016",
        rename("за 2016", "за 2015"),
        READER,
        "names another year",
    ),
    "population: columns change places": (PEOPLE, population.SHEET, swap(2, 3), READER, "человек"),
    "population: a column is put in": (PEOPLE, population.SHEET, insert(1), READER, "column 3"),
    "population: the head is renamed": (
        PEOPLE,
        population.SHEET,
        rename("Коды", "Номер"),
        READER,
        "'Коды'",
    ),
    "population: thousands in the head": (
        PEOPLE,
        population.SHEET,
        rename("(человек)", "(тыс. человек)"),
        READER,
        "'тыс'",
    ),
    "population: thousands without a word": (
        PEOPLE,
        population.SHEET,
        times(0.001, 2),
        READER,
        "not a whole number",
    ),
    "population: a decimal comma": (PEOPLE, population.SHEET, put(30, 2, "1,5"), READER, "'1,5'"),
    "population: a row stands twice": (
        PEOPLE,
        population.SHEET,
        repeat(30),
        READER,
        "stands twice",
    ),
    "population: a region is gone": (
        PEOPLE,
        population.SHEET,
        drop(altai),
        READER,
        "Алтайский край",
    ),
    "population: a letter in a code": (
        PEOPLE,
        population.SHEET,
        put(30, 0, "O1601"),
        READER,
        "'O1601'",
    ),
    "monotowns: columns change places": (TOWNS, "Таб_5.1", swap(3, 4), READER, "column 4"),
    "monotowns: a head is renamed": (
        TOWNS,
        "Таб_5.2",
        rename("Субъект", "Край"),
        READER,
        "'Субъект'",
    ),
    "monotowns: thousands": (TOWNS, "Таб_5.3", times(0.001, 4), READER, "not a whole number"),
    "monotowns: a decimal comma": (TOWNS, "Таб_5.1", put(6, 4, "17,2"), READER, "'17,2'"),
    "monotowns: a town stands twice": (
        TOWNS,
        "Таб_5.1",
        lambda rows: rows.extend(rows[4:6]),
        CONTRACT,
        "unique",
    ),
    "monotowns: a region is gone": (TOWNS, "Таб_5.1", drop("Амурская область".__eq__), DRIFT, ""),
    "regions: the head is renamed": (
        REGIONAL,
        "Отчет",
        rename("OKATO", "Регион"),
        READER,
        "'OKATO'",
    ),
    "regions: a year is left out": (
        REGIONAL,
        "Отчет",
        lambda rows: [r.pop(9) for r in rows],
        READER,
        "do not follow each other",
    ),
    "regions: a year in thousands": (REGIONAL, "Отчет", times(0.001, 12), READER, "another unit"),
    "regions: a decimal comma": (REGIONAL, "Отчет", put(5, 6, "1,5"), READER, "'1,5'"),
    "regions: a row stands twice": (REGIONAL, "Отчет", repeat(5), READER, "stands twice"),
    "regions: a year of a region is gone": (REGIONAL, "Отчет", put(5, 9, ""), READER, "is gone"),
    "regions: a region is gone": (REGIONAL, "Отчет", drop("Брянская область".__eq__), DRIFT, ""),
    "product: the head is renamed": (GRP, "Total", rename("OKATO", "Регион"), READER, "'OKATO'"),
    "product: columns change places": (GRP, "Total", swap(3, 4), READER, "do not follow"),
    "product: a year in thousands": (
        GRP,
        "Total",
        lambda rows: times(1000, 9)(rows[1:]),
        READER,
        "another unit",
    ),
    "product: a decimal comma": (GRP, "Total", put(3, 6, "50923,1"), READER, "'50923,1'"),
    "product: a row stands twice": (GRP, "Total", repeat(3), READER, "stands twice"),
    "product: a region is gone": (GRP, "Total", drop("Брянская область".__eq__), DRIFT, ""),
    "structure: sections change places": (GVA, "2014", swap(4, 6), READER, "found: ADCB"),
    "structure: a head is renamed": (GVA, "2014", rename("Раздел A", "Раздел"), READER, "Раздел A"),
    "structure: a section is gone": (
        GVA,
        "2018",
        lambda rows: [r.pop(5) for r in rows],
        READER,
        "do not follow the letters",
    ),
    "structure: shares of one": (
        GVA,
        "2018",
        times(0.01, *range(2, 23)),
        CONTRACT,
        "shares add up to 100",
    ),
    "structure: a decimal comma": (GVA, "2013", put(12, 5, "15,1"), READER, "'15,1'"),
    "structure: a row stands twice": (GVA, "2013", repeat(12), READER, "stands twice"),
    "structure: a region of one year": (
        GVA,
        "2016",
        drop("Брянская область".__eq__),
        READER,
        "2016: Брянская область",
    ),
    "structure: another year's sheet": (
        GVA,
        "2020",
        rename("2020", "2022"),
        READER,
        "names another year",
    ),
    "dictionary: a head is renamed": (
        "municipal_dictionary",
        "",
        rename("oktmo", "okato"),
        READER,
        "did you mean",
    ),
    "dictionary: a decimal comma": (
        "municipal_dictionary",
        "",
        put(4, 16, lambda v: str(v).replace(".", ",")),
        READER,
        "not a number",
    ),
    "dictionary: degrees change places": (
        "municipal_dictionary",
        "",
        lambda rows: swap(16, 17)(rows[1:]),
        CONTRACT,
        "in_range",
    ),
    "dictionary: a code is short": ("municipal_dictionary", "", put(4, 1, "79-7"), CONTRACT, "797"),
    "list of 2014: a head is renamed": (
        "monotowns_2014",
        "",
        rename("admin_center", "town"),
        READER,
        "admin_center",
    ),
    "list of 2014: a category in words": (
        "monotowns_2014",
        "",
        put(3, 0, "first"),
        READER,
        "'first'",
    ),
    "list of 2014: category four": ("monotowns_2014", "", put(3, 0, "4"), CONTRACT, "isin"),
    "toser: a head is renamed": (
        "toser",
        "",
        rename("established_date", "date"),
        READER,
        "established_date",
    ),
    "toser: a date of another form": ("toser", "", put(3, 2, "28.01.2016"), CONTRACT, "28.01.2016"),
    "toser: a town stands twice": ("toser", "", repeat(3), CONTRACT, "unique"),
    "industries: a head is renamed": (
        "monotown_industries",
        "",
        rename("okved2_section", "okved"),
        READER,
        "okved2_section",
    ),
    "industries: a Cyrillic section": (
        "monotown_industries",
        "",
        put(3, 5, "С"),
        CONTRACT,
        "str_matches",
    ),
    "towns: a head is renamed": (
        "towns_2020",
        "",
        rename("population", "people"),
        READER,
        "population",
    ),
    "towns: a decimal comma": ("towns_2020", "", put(3, 1, "29,0"), READER, "'29,0'"),
    "towns: persons for thousands": ("towns_2020", "", put(3, 1, "29000"), CONTRACT, "in_range"),
    "towns: degrees change places": (
        "towns_2020",
        "",
        lambda rows: swap(2, 3)(rows[1:]),
        CONTRACT,
        "in_range",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_changed_table_does_not_pass(tmp_path, figures, case):
    table, sheet, mutate, caught, words = CASES[case]
    sheets = {name: [list(row) for row in rows] for name, rows in original(table).items()}
    name = sheet or next(iter(sheets))
    mutate(sheets[name])
    path = write(tmp_path, table, sheets)
    if caught is None:
        (tmp_path / "before").mkdir()
        before = read(table, write(tmp_path / "before", table, original(table)), tmp_path)
        found = drift(table, before, read(table, path, tmp_path), REGISTRY[table].tables[table])
        assert len(found)
        figures |= {"caught by": "drift", "cells told": len(found)}
        return
    with pytest.raises(caught) as refusal:
        read(table, path, tmp_path)
    assert words in str(refusal.value)
    figures |= {"caught by": caught.__name__, "told": refusal.value.problem}


@pytest.mark.parametrize("table", [t for t in READERS if t != "market_access"])
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
        (REGIONAL, "Отчет"),
        (GRP, "Total"),
        (GVA, "2012"),
    ],
)
def test_a_missing_sheet_is_named_with_the_nearest(tmp_path, table, sheet):
    sheets = dict(original(table)) | {f"{sheet} ": original(table)[sheet]}
    del sheets[sheet]
    with pytest.raises(SourceError, match=r"a sheet is missing(.|\n)*did you mean") as refusal:
        read(table, write(tmp_path, table, sheets), tmp_path)
    assert f"expected: {sheet}" in str(refusal.value)


@pytest.mark.parametrize("table", [INCOMES, PEOPLE, GRP, "municipal_dictionary"])
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
