"""Drift: how a table that was read anew differs from the committed one, cell by cell."""

import pandas as pd

from monotowns.run.errors import ContractError

COLUMNS = ["table", "key", "column", "snapshot", "now"]
PRESENT, ABSENT = "(present)", "(absent)"


def drift(table: str, snapshot: pd.DataFrame, now: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Compare two versions of a table cell by cell, as text; missing cells are empty text.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``key``, ``column``, ``snapshot``, ``now``: a row for every cell that differs;
        for a row on one side only (column ``(row)``), a column on one side only (no key) and,
        where nothing else differs, another order of rows or columns (column ``(order)``). Empty
        if and only if the tables are equal. Rows that share a key are compared in their order.
    """
    for side, frame in (("snapshot", snapshot), ("new table", now)):
        if missing := [c for c in key if c not in frame]:
            where, found = f"{side} of {table}", ", ".join(frame.columns)
            problem, expected = "a key column is missing", ", ".join(key)
            raise ContractError(where, problem, keys=missing, expected=expected, found=found)
    old, new = _text(snapshot), _text(now)
    records = [("", c, PRESENT, ABSENT) for c in old.columns.difference(new.columns, sort=False)]
    records += [("", c, ABSENT, PRESENT) for c in new.columns.difference(old.columns, sort=False)]
    old.index, new.index = _labels(old, key), _labels(new, key)
    records += [(k, "(row)", PRESENT, ABSENT) for k in old.index.difference(new.index, sort=False)]
    records += [(k, "(row)", ABSENT, PRESENT) for k in new.index.difference(old.index, sort=False)]
    common = old.index.intersection(new.index, sort=False)
    for column in [c for c in old.columns if c in new.columns]:
        before, after = old.loc[common, column], new.loc[common, column]
        changed = before.ne(after)
        records += [(k, column, before[k], after[k]) for k in common[changed]]
    if not records and not old.equals(new):
        records.append(("", "(order)", "", ""))
    frame = pd.DataFrame(records, columns=COLUMNS[1:], dtype=object)
    frame.insert(0, "table", table)
    return frame


def summary(frame: pd.DataFrame, shown: int = 5) -> str:
    """Write a drift in a few lines: how many cells and rows, and the first of them."""
    rows = frame["column"].eq("(row)")
    gone, come = rows & frame["now"].eq(ABSENT), rows & frame["snapshot"].eq(ABSENT)
    lines = [f"{(~rows).sum()} cells differ, {gone.sum()} rows are gone, {come.sum()} are new"]
    lines += [f"  {r.key} {r.column}: {r.snapshot} -> {r.now}" for r in frame[:shown].itertuples()]
    if len(frame) > shown:
        lines.append(f"  and {len(frame) - shown} more")
    return "\n".join(lines)


def _text(frame):
    return frame.astype(object).where(frame.notna(), "").astype(str)


def _labels(frame, key):
    label = key[0] + "=" + frame[key[0]]
    for column in key[1:]:
        label = label + " " + column + "=" + frame[column]
    again = frame.groupby(key, sort=False).cumcount()
    return pd.Index(label.where(again == 0, label + " #" + (again + 1).astype(str)))
