"""Row counts that somebody has looked at: a table that grows or shrinks is looked at again."""

import pandas as pd

from monotowns.run.errors import ContractError

#: Columns of ``data/row_counts.csv`` and ``data/known_faults.csv``, both kept by hand.
ROW_COUNTS = ("table", "year", "rows", "reviewed")
KNOWN_FAULTS = ("table", "rule", "case", "reason")


def load_listed(path, columns) -> pd.DataFrame:
    """Load a list that is kept by hand, as text.

    Raises
    ------
    ContractError
        It is no table of these columns, or a cell that must be filled is empty.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:
        remedy = "a cell with a comma stands in quotation marks"
        raise ContractError(path, "not a CSV file", found=error, remedy=remedy) from None
    if tuple(frame.columns) != tuple(columns):
        raise ContractError(
            path, "other columns", expected=", ".join(columns), found=", ".join(frame.columns)
        )
    # Only a year may be empty, where a table has none.
    empty = frame[[c for c in columns if c != "year"]].eq("").any(axis=1)
    if empty.any():
        raise ContractError(
            path, "an empty cell", keys=[f"line {i + 2}" for i in frame.index[empty]]
        )
    return frame


def rows_by_year(frame: pd.DataFrame) -> dict[str, int]:
    """Rows by year, as text; under the empty text where a table has no years."""
    if "year" not in frame:
        return {"": len(frame)}
    return {str(year): int(n) for year, n in frame.groupby("year").size().items()}


def count_cases(frame: pd.DataFrame, reviewed: pd.DataFrame) -> list[str]:
    """Where a table's rows are not as many as reviewed.

    Parameters
    ----------
    frame : pandas.DataFrame
    reviewed : pandas.DataFrame
        The table's lines of ``data/row_counts.csv``: ``year`` (text, empty where the table has
        none) and ``rows``.

    Returns
    -------
    list of str
        One text a year that differs, or that one side lacks.
    """
    found = rows_by_year(frame)
    known = {year: int(rows) for year, rows in zip(reviewed["year"], reviewed["rows"], strict=True)}
    return [
        f"{year or 'all rows'}: {known.get(year, 'none')} reviewed, {found.get(year, 0)} found"
        for year in sorted(found | known)
        if known.get(year) != found.get(year)
    ]
