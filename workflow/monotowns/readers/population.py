"""Reader of Rosstat's bulletin: population of municipalities on 1 January 2024."""

import pandas as pd

from monotowns.errors import SourceError

SHEET = "Численность_по_МО"
#: Tables of the monotowns by category: worst situation, at risk, stable.
MONOTOWN_TABLES = {1: "Таб_5.1", 2: "Таб_5.2", 3: "Таб_5.3"}


def _rows(path, sheet):
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(str(path))
    if sheet not in workbook.sheet_names:
        raise SourceError("population 2024", "a sheet is missing", expected=sheet)
    return workbook.get_sheet_by_name(sheet).to_python()


def _digits(value) -> str:
    # Some regions print the parts of a code with spaces between them.
    return str(int(value)) if isinstance(value, (int, float)) else str(value).replace(" ", "")


def read_municipalities(path) -> pd.DataFrame:
    """Read upper-level municipalities, settlements and towns with their population.

    Returns
    -------
    pandas.DataFrame
        ``code`` (8 digits of the upper-level municipality), ``level`` (``municipality``,
        ``settlement``, ``town``), ``name``, ``population`` (persons; absent where the bulletin
        prints an ellipsis).
    """
    records, parent = [], None
    for row in _rows(path, SHEET):
        printed = _digits(row[0])
        if not printed.isdigit() or len(printed) < 9:
            continue
        # Codes of towns lose zeros at either end in the workbook, so a town takes the code of
        # the municipality it stands under.
        if len(printed) > 10:
            records.append((parent, "town", str(row[1]).strip(), row[2]))
            continue
        printed = printed.zfill(10)
        parent = printed[:5] + "000" if printed[2] in "56" else printed[:8]
        level = "municipality" if printed[:8] == parent else "settlement"
        records.append((parent, level, str(row[1]).strip(), row[2]))
    frame = pd.DataFrame(records, columns=["code", "level", "name", "population"])
    frame["population"] = pd.to_numeric(frame["population"], errors="coerce").astype("Int64")
    return frame.sort_values(["code", "level", "name"], ignore_index=True)


def read_monotowns(path) -> pd.DataFrame:
    """Read the 321 monotowns of tables 5.1 to 5.3.

    The codes printed there are misaligned, so none is read: a town is known by region and name.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``town``, ``municipality``, ``category`` (1 to 3), ``municipality_population``,
        ``town_population`` (persons).
    """
    records = []
    for category, sheet in MONOTOWN_TABLES.items():
        head = None
        for row in _rows(path, sheet)[4:]:
            region, name, people = (str(row[2]).strip(), str(row[3]).strip(), row[4])
            if not region or not name:
                continue
            if str(row[1]).strip():
                head = (name, people)
            elif head is not None:
                records.append((region, name, head[0], category, head[1], people))
                head = None
    columns = ["region", "town", "municipality", "category"]
    people = ["municipality_population", "town_population"]
    frame = pd.DataFrame(records, columns=columns + people)
    for column in people:
        frame[column] = pd.to_numeric(frame[column], errors="coerce").astype("Int64")
    return frame.sort_values(["region", "town"], ignore_index=True)
