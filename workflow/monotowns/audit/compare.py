"""How far two runs agree, file by file and cell by cell.

Both are given as folders of what was kept of them, see :mod:`monotowns.audit.expected`.
"""

import json
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from monotowns.acquire.drift import drift
from monotowns.audit.expected import BY_CELL, WHOLE
from monotowns.audit.tolerance import BEYOND, PROPORTIONS, WITHIN, graded, last_digit

#: Causes before consequences: the order in which differences are reported.
ORDER = (
    "data/snapshot/*",
    "data/panel/*",
    "results/estimates.csv",
    "results/facts/*",
    "results/tables/*",
    "*.csv",
    "*.json",
    "results/figures/*",
    "*",
)
#: Written from the other results: when those are within tolerance, one unit of the last printed
#: digit is, too.
DERIVED = ("numbers.json", "claims.csv", "checklist.csv", "tables/*_print.csv")
COLUMNS = ["file", "key", "column", "expected", "found"]
RECORDS = "results/estimates.csv"


def read(path) -> pd.DataFrame:
    """Read a kept table or JSON object as a table of text."""
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    entries = json.loads(path.read_text(encoding="utf-8")).items()
    rows = [(k, *map(str, v if isinstance(v, list) else (v, ""))) for k, v in entries]
    return pd.DataFrame(rows, columns=["name", "value", "kind"])


def key_of(table: pd.DataFrame) -> list[str]:
    """The fewest leading columns that identify the rows of a table; all where none do."""
    text = [c for c in table.columns if not table[c].str.fullmatch(r"-?\d+\.\d*").any()]
    for count in range(1, len(text) + 1):
        if not table.duplicated(text[:count]).any():
            return text[:count]
    return list(table.columns)


def differences(a, b) -> pd.DataFrame:
    """Find the cells and files in which two runs differ, causes before consequences.

    Returns
    -------
    pandas.DataFrame
        ``file``, ``key`` (of the row), ``column``, ``expected`` (in A) and ``found`` (in B).
    """
    a, b = Path(a), Path(b)
    found = [
        row
        for name in sorted(
            {p.relative_to(x).as_posix() for x in (a, b) for w in WHOLE for p in x.glob(w)}
        )
        for row in _cells(f"results/{name}", a / name, b / name)
    ]
    panels = []
    for path, key in BY_CELL.items():
        rows, columns = (f"cells/{Path(path).stem}.{kind}.csv" for kind in ("rows", "columns"))
        changed = [row[1][7:] for row in _cells(path, a / columns, b / columns, ["column"])]
        for file, label, column, *sides in _cells(path, a / rows, b / rows, key):
            column = ", ".join(changed) if column == "digest" else column
            panels.append((file, label, column, *sides))
    inside = {row[0] for row in panels}
    for _, label, column, *sides in _cells("", a / "digests.csv", b / "digests.csv", ["path"]):
        path = label.removeprefix("path=")
        if column != "bytes" and path not in inside:
            found.append((path, "", "", *(side[:16] for side in sides)))
    found = pd.DataFrame(found + panels, columns=COLUMNS, dtype=object)
    rank = found["file"].map(lambda f: next(i for i, p in enumerate(ORDER) if fnmatch(f, p)))
    return found.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def _cells(file, old, new, key=None):
    """Cells in which two files differ: file, key, column and the two sides."""
    there = [path.is_file() for path in (old, new)]
    if there != [True, True]:
        sides = ("a file" if one else "none" for one in there)
        return [(file, "", "", *sides)] if any(there) else []
    if old.read_bytes() == new.read_bytes():
        return []
    before, after = read(old), read(new)
    key = ["specification", "term", "variance"] if file == RECORDS else key or key_of(before)
    if missing := [column for column in key if column not in after]:
        return [(file, "", column, "a column", "none") for column in missing]
    found = drift(file, before, after, key)[["key", "column", "snapshot", "now"]]
    return [(file, *row) for row in found.to_numpy()] or [(file, "", "", "bytes", "other bytes")]


def compare(a, b, draws: int) -> pd.DataFrame:
    """Grade the differences of a rerun from what was kept.

    Parameters
    ----------
    a, b : path-like
        What was kept, and what was kept of the rerun.
    draws : int
        Random draws where a record does not give their number.

    Returns
    -------
    pandas.DataFrame
        See :func:`differences`; and ``grade`` (``within`` a tolerance or ``beyond``) and ``why``.
    """
    found, records = differences(a, b), read(Path(a, "estimates.csv")).to_dict("records")
    label = "specification={specification} term={term} variance={variance}"
    records = {label.format(**record): record for record in records}
    kinds = {
        (f"results/facts/{path.name}", f"name={row.name}"): row.kind
        for path in Path(a).glob("facts/*.json")
        for row in read(path).itertuples(index=False)
    }
    grades = []
    for row in found.itertuples(index=False):
        name = Path(row.file).name
        if row.file.startswith("results/") and row.column:
            # The p-values among the facts are of permutations; estimators' stand in the records.
            scale = kinds.get((row.file, row.key)) == "p" or PROPORTIONS.get((name, row.column), 0)
            record = records.get(row.key, {}) if row.file == RECORDS else {}
            grades.append(graded(row.column, row.expected, row.found, record, draws, scale))
        else:
            grades.append((BEYOND, "data, pictures and pages must agree byte for byte"))
    found[["grade", "why"]] = pd.DataFrame(grades, columns=["grade", "why"], dtype=object)
    files = found["file"].str.removeprefix("results/")
    derived = files.map(lambda file: any(fnmatch(file, pattern) for pattern in DERIVED)).astype(
        bool
    )
    results = found[~derived & files.str.endswith((".csv", ".json")).astype(bool)]
    if len(results) and (results["grade"] == WITHIN).all():
        for i, row in found[derived].iterrows():
            if last_digit(row["expected"], row["found"]):
                found.loc[i, ["grade", "why"]] = WITHIN, "printed from results within tolerance"
    return found


def report(found: pd.DataFrame, compared: int) -> tuple[str, list[str], list[str]]:
    """Say how far a rerun agrees.

    Parameters
    ----------
    found : pandas.DataFrame
        See :func:`compare`.
    compared : int
        How many files were compared.

    Returns
    -------
    grade : str
        ``full`` (every byte), ``partial`` (all within tolerance) or ``failed``.
    summary : list of str
        The grade, and a line for every file that differs, causes before consequences.
    details : list of str
        A line for every difference.
    """
    beyond = found["grade"] == BEYOND
    grade = "full" if found.empty else "failed" if beyond.any() else "partial"
    summary = {
        "full": [f"FULL: all {compared} files agree byte for byte."],
        "partial": [f"PARTIAL: {len(found)} differences, all within tolerance."],
        "failed": [
            f"FAILED: {beyond.sum()} differences beyond tolerance, {(~beyond).sum()} within."
        ],
    }[grade]
    for file, rows in found.groupby("file", sort=False):
        summary.append(f"  {file}: {len(rows)}, {beyond[rows.index].sum()} beyond tolerance")
    details = [
        f"{row.grade}: {' '.join(part for part in (row.file, row.key, row.column) if part)}: "
        f"expected {row.expected}, found {row.found} ({row.why})"
        for row in found.itertuples(index=False)
    ]
    return grade, summary, details


def compared(folder) -> int:
    """How many files a comparison with what was kept looks at."""
    whole = sum(1 for pattern in WHOLE for _ in Path(folder).glob(pattern))
    return whole + len(read(Path(folder, "digests.csv")))
