"""What every reader holds its file to: sheets, columns, heads and figures that are what they were.

A new vintage is published by hand. What is read by place alone would take a moved column or a
decimal comma for data; each of these functions refuses it and says where.
"""

import pandas as pd

from monotowns.run.errors import SourceError
from monotowns.run.schema import nearest

#: What the office prints where it has no figure.
NO_FIGURE = ("", "…", "...")
#: Neighbouring years of one unit are closer than that, in the worst inflation too.
JUMP = 3


def workbook(path):
    """Open a workbook.

    Raises
    ------
    SourceError
        The file is none.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise SourceError(str(path), "not a workbook", found=error) from None


def rows(path, sheet, **options) -> list[list]:
    """Read the cells of a sheet; a missing one is named with the nearest that is there."""
    book = workbook(path)
    if sheet not in book.sheet_names:
        raise SourceError(
            str(path),
            "a sheet is missing",
            expected=sheet,
            found=", ".join(book.sheet_names),
            remedy=nearest(sheet, book.sheet_names),
        )
    return book.get_sheet_by_name(sheet).to_python(**options)


def heads(found: dict[int, str], expected: dict[int, tuple], where: str) -> None:
    """Hold the heads of a sheet's columns to the words that tell column and unit.

    Parameters
    ----------
    found : dict
        Column's place -> its head.
    expected : dict
        Column's place -> words that the head has; a word after ``!`` it must not have.

    Raises
    ------
    SourceError
        A column moved, was renamed or is in another unit.
    """
    for place, words in expected.items():
        head = " ".join(str(found.get(place, "")).split())
        for word in words:
            if (word[1:] in head) if word.startswith("!") else (word not in head):
                raise SourceError(
                    where,
                    "columns moved, renamed or in another unit",
                    keys=[f"column {place + 1}"],
                    found=head or "no head",
                    expected=f"a head without '{word[1:]}'"
                    if word.startswith("!")
                    else f"a head with '{word}'",
                    remedy="compare the sheet with the last vintage, then change the reader",
                )


def columns(frame: pd.DataFrame, names, where: str) -> pd.DataFrame:
    """Return a table that has the columns of these names.

    Raises
    ------
    SourceError
        Columns are missing, with the nearest that is there, or there are no rows.
    """
    absent = [name for name in names if name not in frame]
    if absent:
        near = "; ".join(nearest(name, frame.columns) for name in absent)
        raise SourceError(where, "no such column", keys=absent, remedy=near)
    return filled(frame, where)


def filled(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return a table that has rows; none means that the layout is another."""
    if frame.empty:
        raise SourceError(where, "no row was recognised", remedy="look at the layout of the file")
    return frame


def once(frame: pd.DataFrame, key: list, where: str) -> pd.DataFrame:
    """Return a table in which no key stands twice.

    Raises
    ------
    SourceError
        With the keys that do.
    """
    twice = frame.duplicated(key)
    if twice.any():
        keys = frame.loc[twice, key].drop_duplicates().astype(str).agg(" ".join, axis=1)
        raise SourceError(where, "a row stands twice", keys=keys)
    return frame


def numbers(values: pd.Series, where: str, *, whole: bool = False) -> pd.Series:
    """Read figures; what stands for none is missing.

    Raises
    ------
    SourceError
        A text that is no figure (a decimal comma, a unit, a footnote), or with ``whole`` a
        fraction.
    """
    text = values.map(lambda v: v.strip() if isinstance(v, str) else v)
    text = text.mask(text.isin(NO_FIGURE))
    found = pd.to_numeric(text, errors="coerce").astype(float)
    odd = text.notna() & found.isna()
    if whole:
        odd |= found.notna() & (found % 1 != 0)
    if odd.any():
        raise SourceError(
            where,
            "not a whole number" if whole else "not a number",
            keys=[f"{values.name} {v!r}" for v in values[odd]],
            expected="a figure, an empty cell or …",
            remedy="look for a decimal comma, a unit or a moved column",
        )
    return found


def steady(frame: pd.DataFrame, unit: str, value: str, where: str) -> pd.DataFrame:
    """Return a table whose years are all in one unit of measure.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``year``, the column ``unit`` (regions or codes) and the figures in ``value``.

    Raises
    ------
    SourceError
        In some year the median unit has :data:`JUMP` times its figure of the year before, or
        less than its part: thousands where millions stood.
    """
    wide = frame.groupby([unit, "year"])[value].first().unstack()
    for before, year in zip(wide.columns, wide.columns[1:], strict=False):
        ratio = (wide[year] / wide[before]).median()
        if not 1 / JUMP < ratio < JUMP and ratio == ratio:
            raise SourceError(
                where,
                "a year is in another unit than the year before",
                keys=[f"{value} {before} to {year}"],
                found=f"the median grows {ratio:.3g}-fold",
                expected=f"between 1/{JUMP} and {JUMP}",
            )
    return frame


def kept(frame: pd.DataFrame, unit: str, ended: dict, where: str) -> pd.DataFrame:
    """Return a table in which no unit of one year is missing in the next.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``year`` and the column ``unit``.
    ended : dict
        Year -> units that are known to be missing from then on.

    Raises
    ------
    SourceError
        With the units that are gone.
    """
    found = frame.groupby("year")[unit].agg(set)
    for before, year in zip(found.index, found.index[1:], strict=False):
        if gone := sorted(found[before] - found[year] - ended.get(year, set())):
            raise SourceError(
                where,
                "a region is gone",
                keys=[f"{year}: {g}" for g in gone],
                remedy="if the office left it out, say so in the reader",
            )
    return frame
