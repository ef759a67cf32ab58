"""Reader of Rosstat's municipal incomes (table Urov-14a), yearly sheets 2010-2022."""

import pandas as pd

from monotowns.errors import SourceError
from monotowns.territories import code8

YEARS = range(2010, 2023)
#: The columns after the code, by year: before 2012 the order differs and nothing is per resident.
ORDER_2010 = ["total", "taxable", "social"]
ORDER_2012 = ["taxable", "social", "total", "per_resident"]
#: Sums over municipalities and city districts; they stand among the municipalities.
GROUP_NAMES = r"^(?:Муниципальн|Городск[оие]|Административн|Прочие|.* - всего)"


def read(path) -> pd.DataFrame:
    """Read all yearly sheets.

    Parameters
    ----------
    path : path-like
        The workbook as published.

    Returns
    -------
    pandas.DataFrame
        One row a municipality and year as printed: ``year``, ``row`` (of the sheet, from 1),
        ``code`` (8 digits, the leading zero restored, nothing else changed), ``name``,
        ``taxable``, ``social``, ``total`` (thousand roubles) and ``per_resident`` (roubles; absent
        before 2012). Region totals and group rows are left out.

    Raises
    ------
    SourceError
        When a sheet or its header is missing.
    """
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(str(path))
    sheets = [_sheet(workbook, year) for year in YEARS]
    return pd.concat(sheets, ignore_index=True).sort_values(["year", "row"], ignore_index=True)


def _sheet(workbook, year: int) -> pd.DataFrame:
    if str(year) not in workbook.sheet_names:
        raise SourceError("municipal incomes", "a yearly sheet is missing", expected=year)
    rows = workbook.get_sheet_by_name(str(year)).to_python(skip_empty_area=False)
    header = next((i for i, row in enumerate(rows) if "Код ОКТМО" in map(str, row)), None)
    if header is None:
        raise SourceError(f"municipal incomes, sheet {year}", "no column headed 'Код ОКТМО'")
    columns = ORDER_2010 if year < 2012 else ORDER_2012
    # A swapped column would pass every later check, so the header words are held to the order.
    words = str(rows[header + 1][4] if year < 2012 else rows[header][3])
    if "алогооблагаемые" not in words:
        raise SourceError(
            f"municipal incomes, sheet {year}", "columns moved", expected="taxable income first",
            found=words,
        )  # fmt: skip
    frame = pd.DataFrame(
        [(year, i, row[2], str(row[1]).strip(), *row[3 : 3 + len(columns)])
         for i, row in enumerate(rows[header + 1 :], header + 2)],
        columns=["year", "row", "code", "name", *columns],
    )  # fmt: skip
    frame["code"] = frame["code"].map(code8)
    frame = frame[frame["code"].notna()]
    # Some towns and districts are printed with a group's round code; their names tell them apart.
    okrug = frame["code"].str.endswith("00000") & frame["name"].str.endswith("округ")
    group = frame["code"].str.endswith("000000") | okrug | frame["name"].str.contains(GROUP_NAMES)
    frame = frame[~group].copy()
    for column in columns:
        frame[column] = pd.to_numeric(frame[column], errors="coerce").round(3)
    for column in ORDER_2012:
        if column not in frame:
            frame[column] = float("nan")
    return frame[["year", "row", "code", "name", *ORDER_2012]]
