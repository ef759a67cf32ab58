"""Reader of Rosstat's bulletin: population of municipalities on 1 January 2024."""

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

SHEET = "Численность_по_МО"
#: The sheet that lists the regions by the names that stand over their municipalities.
REGIONS = "Перечень_субъектов_РФ"
#: Tables of the monotowns by category: worst situation, at risk, stable.
MONOTOWN_TABLES = {1: "Таб_5.1", 2: "Таб_5.2", 3: "Таб_5.3"}
WHERE = f"population 2024, {SHEET}"
#: Codes that the bulletin prints too short; their rows are left out.
SHORT = {"1180010", "33540000"}
#: Words of the heads: code, all residents; region, place, residents.
HEADS = {0: ("Коды",), 2: ("население", "человек", "!тыс")}
MONOTOWN_HEADS = {2: ("Субъект",), 3: ("Муниципальное",), 4: ("человек", "!тыс")}


def _digits(value) -> str:
    # Some regions print the parts of a code with spaces between them.
    return str(int(value)) if isinstance(value, (int, float)) else str(value).replace(" ", "")


def _check(cells, regions):
    """Refuse heads, codes and regions that are not what they were."""
    first = next((i for i, row in enumerate(cells) if _digits(row[0]).isdigit()), 0)
    found = {i: " ".join(str(row[i]) for row in cells[:first] if i < len(row)) for i in HEADS}
    sheets.heads(found, HEADS, WHERE)
    codes = [(_digits(row[0]), row) for row in cells[first:]]
    unread = [
        f"{code!r} {row[1]}"
        for code, row in codes
        if isinstance(row[2], int | float) and row[2] > 0 and code not in SHORT
        if not (code.isdigit() and len(code) >= 9)
    ]
    if unread:
        raise SourceError(WHERE, "a code of a territory cannot be read", keys=unread)
    names = {" ".join(str(row[1]).split()) for row in cells}
    listed = [" ".join(str(row[1]).split()) for row in regions[1:]]
    gone = [name for name in listed if name not in names]
    if gone:
        raise SourceError(WHERE, "a listed region is gone", keys=gone)


def read_municipalities(path) -> pd.DataFrame:
    """Read upper-level municipalities, settlements and towns with their population.

    ``code`` (8 digits) is the upper-level municipality's, ``level`` is ``municipality``,
    ``settlement`` or ``town``; ``population`` (persons) is absent where an ellipsis is printed.
    """
    records, parent = [], None
    cells = sheets.rows(path, SHEET)
    _check(cells, sheets.rows(path, REGIONS))
    for row in cells:
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
    sheets.once(sheets.filled(frame, WHERE), list(frame), WHERE)
    people = sheets.numbers(frame["population"], WHERE, whole=True)
    frame["population"] = people.astype("Int64")
    return frame.sort_values(["code", "level", "name"], ignore_index=True)


def read_monotowns(path) -> pd.DataFrame:
    """Read the 321 monotowns of tables 5.1 to 5.3: ``category`` (1 to 3), residents in persons.

    The codes printed there are misaligned, so none is read: a town is known by region and name.
    """
    records = []
    for category, sheet in MONOTOWN_TABLES.items():
        municipality = None
        printed = sheets.rows(path, sheet)
        sheets.heads(dict(enumerate(printed[3])), MONOTOWN_HEADS, f"population 2024, {sheet}")
        for row in printed[4:]:
            region, name, people = (str(row[2]).strip(), str(row[3]).strip(), row[4])
            if not region or not name:
                continue
            # A numbered row is a municipality, the row beneath it its monotown.
            if str(row[1]).strip():
                municipality = (name, people)
            elif municipality is not None:
                of, residents = municipality
                records.append((region, name, of, category, residents, people))
                municipality = None
    columns = ["region", "town", "municipality", "category"]
    people = ["municipality_population", "town_population"]
    where = "population 2024, monotowns"
    frame = sheets.filled(pd.DataFrame(records, columns=columns + people), where)
    for column in people:
        frame[column] = sheets.numbers(frame[column], where, whole=True).astype("Int64")
    return frame.sort_values(["region", "town"], ignore_index=True)
