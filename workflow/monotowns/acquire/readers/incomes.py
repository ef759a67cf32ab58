"""Reader of Rosstat's municipal incomes (table Urov-14a), yearly sheets 2010-2022."""

import re

import pandas as pd

from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

YEARS = range(2010, 2023)
#: The columns after the code, by year: before 2012 the order differs and nothing is per resident.
ORDER_2010 = ["total", "taxable", "social"]
ORDER_2012 = ["taxable", "social", "total", "per_resident"]
#: Words of the heads of these columns; all money is in thousands, income per resident is not.
HEADS_2010 = {2: ("ОКТМО",), 3: ("Объем", "всего"), 4: ("алогооблагаемые",), 5: ("оциальные",)}
HEADS_2012 = {
    2: ("ОКТМО",),
    3: ("алогооблагаемые", "тыс"),
    4: ("оциальные", "тыс"),
    5: ("Объем", "тыс", "!жителя"),
    6: ("на 1 жителя", "рублей", "!тыс"),
}
#: Regions (first digits of the code) that a sheet leaves out though the year before has them.
LEFT_OUT = {2012: {"09"}, 2022: {"34", "47", "85"}}
#: The sheet that prints the municipalities of a region twice: year and first digits.
REPEATED = (2022, "25")
#: Sums over municipalities and city districts; they stand among the municipalities.
GROUP_NAMES = r"^(?:Муниципальн|Городск[оие]|Административн|Прочие|.* - всего)"


def read(path) -> pd.DataFrame:
    """Read all yearly sheets, one row a municipality and year as printed.

    Returns
    -------
    pandas.DataFrame
        ``year``, ``row`` (of the sheet, from 1), ``code`` (8 digits, the leading zero restored,
        nothing else changed), ``name``, ``taxable``, ``social``, ``total`` (thousand roubles) and
        ``per_resident`` (roubles; absent before 2012). Region totals and groups are left out.
    """
    frame = pd.concat([_sheet(path, year) for year in YEARS], ignore_index=True)
    _check(frame)
    return frame.sort_values(["year", "row"], ignore_index=True)


#: The year whose headings tell urban okrugs from districts: the last before the first list.
KINDS_YEAR = 2013
#: Beginnings of headings over the municipalities of one kind.
HEADINGS = {"Муниципальны": "district", "Административны": "district", "Городск": "urban"}


def read_kinds(path) -> pd.DataFrame:
    """Read from the headings of one year's sheet which municipalities were urban okrugs.

    Returns
    -------
    pandas.DataFrame
        ``year``, ``row`` (of the sheet), ``code``, ``name``, ``kind``: ``urban`` or ``district``,
        missing where a region prints no heading.
    """
    where = f"kinds of municipalities, sheet {KINDS_YEAR}"
    records, kind = [], None
    rows = _sheet(path, KINDS_YEAR).set_index("row")
    for i, row in enumerate(sheets.rows(path, str(KINDS_YEAR), skip_empty_area=False), 1):
        name = str(row[1]).strip()
        if i in rows.index:
            records.append((KINDS_YEAR, i, rows.at[i, "code"], rows.at[i, "name"], kind))
        elif heading := next((k for head, k in HEADINGS.items() if name.startswith(head)), None):
            kind = heading
        elif name:
            # The row of a region, or of an okrug within it: its municipalities begin anew.
            kind = None
    frame = pd.DataFrame(records, columns=["year", "row", "code", "name", "kind"])
    if absent := sorted({"urban", "district"} - set(frame["kind"].dropna())):
        raise SourceError(where, "no heading of a kind", keys=absent, expected=", ".join(HEADINGS))
    return sheets.filled(frame, where)


def code8(value) -> str | None:
    """Write an OKTMO code as 8 digits.

    Integers lose their leading zero and strings carry spaces in the sources; a region's one- or
    two-digit code is no municipality and gives None, and so does a text with a letter in it.
    """
    digits = str(int(value)) if isinstance(value, (int, float)) and value == value else str(value)
    digits = re.sub(r"[\s-]", "", digits)
    return digits.zfill(8) if re.fullmatch(r"\d{7,8}", digits, re.ASCII) else None


def _check(frame):
    """What holds between the sheets."""
    where = "municipal incomes"
    region = frame["code"].str[:2]
    sheets.kept(frame.assign(region=region), "region", LEFT_OUT, where)
    repeated = (frame["year"] == REPEATED[0]) & (region == REPEATED[1])
    sheets.once(frame[~repeated], ["year", "code", "name"], where)
    half = frame[["taxable", "social", "total"]].isna().nunique(axis=1) > 1
    if half.any():
        keys = frame.loc[half, ["year", "row", "code"]].astype(str).agg(" ".join, axis=1)
        remedy = "look for merged cells"
        raise SourceError(where, "a part of the income is missing", keys=keys, remedy=remedy)
    sheets.steady(frame, "code", "total", where)


def _check_codes(frame, printed, year, where):
    """Refuse a row with figures whose code cannot be read: it would be lost without a word."""
    digits = printed.astype(str).str.strip().str.removesuffix(".0")
    # A region has one or two digits; groups and regions may lack theirs, before 2012 towns too.
    named = frame["name"].str.contains(GROUP_NAMES) | frame["name"].str.endswith("округ")
    apart = digits.str.len().between(1, 2) | (
        (digits == "") & (named | (frame["name"] == "") | (year < 2012))
    )
    figures = frame["total"].map(lambda value: isinstance(value, int | float))
    unread = frame["code"].isna() & figures & ~apart
    if unread.any():
        keys = [f"row {r}: {c!r}" for r, c in zip(frame["row"], printed, strict=True)]
        keys = pd.Series(keys, frame.index)[unread]
        raise SourceError(where, "a code of a territory cannot be read", keys=keys)


def _sheet(path, year: int) -> pd.DataFrame:
    where = f"municipal incomes, sheet {year}"
    rows = sheets.rows(path, str(year), skip_empty_area=False)
    header = next((i for i, row in enumerate(rows) if "Код ОКТМО" in map(str, row)), None)
    if header is None:
        raise SourceError(where, "no column headed 'Код ОКТМО'")
    title = " ".join(str(cell) for row in rows[:header] for cell in row if cell)
    if header and str(year) not in title:
        problem = "a sheet's title names another year"
        raise SourceError(where, problem, expected=year, found=title.strip()[-100:])
    columns, heads = (ORDER_2010, HEADS_2010) if year < 2012 else (ORDER_2012, HEADS_2012)
    # A swapped column would pass every later check, so the heads are held to the order.
    over, under = rows[header], rows[header + 1] if year < 2012 else []
    found = {i: f"{head} {under[i] if i < len(under) else ''}" for i, head in enumerate(over)}
    sheets.heads(found, heads, where)
    cells = [
        (year, i, row[2], str(row[1]).strip(), *row[3 : 3 + len(columns)])
        for i, row in enumerate(rows[header + 1 :], header + 2)
    ]
    frame = pd.DataFrame(cells, columns=["year", "row", "code", "name", *columns])
    printed = frame["code"]
    frame["code"] = printed.map(code8)
    _check_codes(frame, printed, year, where)
    frame = sheets.filled(frame[frame["code"].notna()], where)
    # Some towns and districts are printed with a group's round code; their names tell them apart.
    okrug = frame["code"].str.endswith("00000") & frame["name"].str.endswith("округ")
    group = frame["code"].str.endswith("000000") | okrug | frame["name"].str.contains(GROUP_NAMES)
    frame = frame[~group].reindex(columns=["year", "row", "code", "name", *ORDER_2012])
    for column in columns:
        frame[column] = sheets.numbers(frame[column], where).round(3)
    return frame
