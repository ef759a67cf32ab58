"""What every reader checks of its file: sheets, columns, heads and figures are what they were.

A new vintage is published by hand. What is read by place alone would take a moved column or a
decimal comma for data; each of these functions refuses it with a SourceError that says where.
"""

import pandas as pd

from monotowns.run.errors import SourceError
from monotowns.run.schema import nearest

#: What the office prints where it has no figure.
NO_FIGURE = ("", "…", "...")
#: Neighbouring years of one unit are closer than that, in the worst inflation too.
JUMP = 3


def workbook(path):
    """Open a workbook."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise SourceError(str(path), "not a workbook", found=error) from None


def parquet(path) -> pd.DataFrame:
    """Read a Parquet file."""
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise SourceError(str(path), "not a Parquet file", found=error) from None


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
    """Compare the heads of a sheet's columns (place -> head) with the words for column and unit.

    A word after ``!`` must not stand in the head.
    """
    for place, words in expected.items():
        head = " ".join(str(found.get(place, "")).split())
        for word in words:
            absent = word.startswith("!")
            if (word.removeprefix("!") in head) == absent:
                with_or_without = "without" if absent else "with"
                raise SourceError(
                    where,
                    "columns moved, renamed or in another unit",
                    keys=[f"column {place + 1}"],
                    expected=f"a head {with_or_without} '{word.removeprefix('!')}'",
                    found=head or "no head",
                    remedy="compare the sheet with the last vintage, then change the reader",
                )


def columns(frame: pd.DataFrame, names: dict, where: str) -> pd.DataFrame:
    """Take columns under new names (printed -> new), in that order; an absent one is refused."""
    if absent := [name for name in names if name not in frame]:
        near = "; ".join(nearest(name, frame.columns) for name in absent)
        raise SourceError(where, "no such column", keys=absent, remedy=near)
    return filled(frame[list(names)].rename(columns=names), where)


def filled(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return a table that has rows; none means that the layout is another."""
    if frame.empty:
        raise SourceError(where, "no row was recognised", remedy="look at the layout of the file")
    return frame


def once(frame: pd.DataFrame, key: list, where: str) -> pd.DataFrame:
    """Return a table in which no key stands twice."""
    twice = frame.duplicated(key)
    if twice.any():
        keys = frame.loc[twice, key].drop_duplicates().astype(str).agg(" ".join, axis=1)
        raise SourceError(where, "a row stands twice", keys=keys)
    return frame


def numbers(values: pd.Series, where: str, *, whole: bool = False) -> pd.Series:
    """Read figures; what stands for none is missing.

    A text that is no figure (a decimal comma, a unit, a footnote) is refused, and with ``whole``
    a fraction.
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
    """Return a table whose years are all in one unit of measure: no thousands among millions.

    The median growth of the units (regions or codes) between two years stays within
    :data:`JUMP`.
    """
    wide = frame.groupby([unit, "year"])[value].first().unstack()
    for before, year in zip(wide.columns, wide.columns[1:], strict=False):
        ratio = (wide[year] / wide[before]).median()
        if ratio <= 1 / JUMP or ratio >= JUMP:
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

    ``ended`` holds by year the units that are known to be missing from then on.
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
