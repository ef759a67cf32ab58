"""How far a rerun agrees with what was published: file by file and cell by cell."""

import json
from pathlib import Path

import pandas as pd

from monotowns.acquire.drift import drift
from monotowns.audit.expected import BY_CELL, WHOLE, cell_digests, digests
from monotowns.audit.tolerance import BEYOND, PROPORTIONS, WITHIN, graded, last_digit

#: Written from the other results: when those are within tolerance, one unit of the last printed
#: digit is, too; what can be written anew from the rerun's own results must be just that.
DERIVED = ("numbers.json", "claims.csv", "checklist.csv", "tables/*_print.csv")
COLUMNS = ["file", "key", "column", "expected", "found", "grade", "why"]


def compare(folder, root, draws: int) -> pd.DataFrame:
    """Compare a rerun with what was kept.

    Parameters
    ----------
    folder : path-like
        See :func:`keep`.
    root : path-like
        Folder of the rerun.
    draws : int
        Random draws where a record does not say their number.

    Returns
    -------
    pandas.DataFrame
        One row a difference: ``file``, ``key`` (of the row), ``column``, ``expected``, ``found``,
        ``grade`` (``within`` a tolerance or ``beyond``) and ``why``. Empty when every byte agrees.
    """
    folder, root, found = Path(folder), Path(root), []
    for path in sorted(p for pattern in WHOLE for p in folder.glob(pattern)):
        name = path.relative_to(folder).as_posix()
        now = root / "results" / name
        if not now.is_file():
            found.append((f"results/{name}", "", "", "a file", "none", BEYOND, "missing"))
        elif now.read_bytes() != path.read_bytes():
            differ = _json_cells if path.suffix == ".json" else _csv_cells
            found += [(f"results/{name}", *cell) for cell in differ(path, now, draws)]
    here = digests(root).set_index("path")["sha256"]
    for row in pd.read_csv(folder / "digests.csv").itertuples(index=False):
        if row.path not in here:
            found.append((row.path, "", "", row.sha256[:16], "none", BEYOND, "missing"))
        elif here[row.path] != row.sha256:
            grade, why = _bytes(row.path)
            cells = _by_digest(folder, root, row.path)
            if len({c[0] for c in cells}) > 1 and len({c[1] for c in cells}) > 1:
                why += "; these cells are candidates: rows and columns that changed, crossed"
            cells = cells or [("", "", row.sha256[:16], here[row.path][:16])]
            found += [(row.path, *cell, grade, why) for cell in cells]
    known = {f"results/{p.relative_to(folder).as_posix()}" for p in folder.rglob("*")}
    there = [p for pattern in WHOLE for p in (root / "results").glob(pattern)]
    extra = [name for p in there if (name := p.relative_to(root).as_posix()) not in known]
    extra += sorted(set(here.index) - set(pd.read_csv(folder / "digests.csv")["path"]))
    found += [(name, "", "", "none", "a file", BEYOND, "not expected") for name in extra]
    return _with_derived(pd.DataFrame(found, columns=COLUMNS, dtype=object), root)


def _with_derived(found, root):
    """What is written from the other results moves within tolerance when they do."""
    files = found["file"].str.removeprefix("results/")
    derived = files.map(lambda name: any(Path(name).match(pattern) for pattern in DERIVED))
    others = found[~derived & found["file"].str.endswith((".csv", ".json")).astype(bool)]
    if len(others) and (others["grade"] == WITHIN).all():
        anew = _written_anew(root)
        for i in found.index[derived]:
            row = found.loc[i]
            if anew.get(row["file"], {}).get(row["key"]) == row["found"] or last_digit(
                row["expected"], row["found"]
            ):
                found.loc[i, ["grade", "why"]] = WITHIN, "printed from results within tolerance"
    return found


def _written_anew(root):
    """Numbers of the text as the rerun's own records and facts give them."""
    from monotowns.manuscript import numbers as manuscript

    records = pd.read_csv(root / "results/estimates.csv", dtype={"term": str})
    facts = [json.loads(p.read_text(encoding="utf-8")) for p in root.glob("results/facts/*.json")]
    return {"results/numbers.json": manuscript.of_records(records) | manuscript.of_facts(*facts)}


def _bytes(path):
    if path.startswith("results/"):
        return WITHIN, "drawn from the numbers above; other fonts or libraries give other bytes"
    return BEYOND, "data must agree byte for byte"


def _by_digest(folder, root, path):
    """Cells of a table that is kept by digests: where changed rows and columns cross."""
    if path not in BY_CELL:
        return []
    now, key = cell_digests(root / path, BY_CELL[path]), BY_CELL[path]
    old = {
        kind: pd.read_csv(folder / "cells" / f"{Path(path).stem}.{kind}.csv", dtype=str)
        for kind in ("rows", "columns")
    }
    rows = drift(path, old["rows"], now["rows"], key)
    columns = drift(path, old["columns"], now["columns"], ["column"])
    table = pd.read_csv(root / path, dtype=str, keep_default_na=False)
    table.index = _labels(table, key)
    changed = [name.removeprefix("column=") for name in columns["key"].unique()]
    found = []
    for row in rows.itertuples(index=False):
        if row.column == "(row)":
            found.append((row.key, "(row)", row.snapshot, row.now))
        else:
            found += [
                (row.key, c, "other than", table.at[row.key, c]) for c in changed if c in table
            ]
    return found or [("", "(order)", "", "")]


def _labels(table, key):
    label = key[0] + "=" + table[key[0]]
    for column in key[1:]:
        label = label + " " + column + "=" + table[column]
    return label


def key_of(table: pd.DataFrame) -> list[str]:
    """The fewest leading columns that tell the rows of a table apart; all where none do."""
    text = [c for c in table.columns if not table[c].str.fullmatch(r"-?\d+\.\d*").any()]
    for count in range(1, len(text) + 1):
        if not table.duplicated(text[:count]).any():
            return text[:count]
    return list(table.columns)


def _csv_cells(path, now, draws):
    old = pd.read_csv(path, dtype=str, keep_default_na=False)
    new = pd.read_csv(now, dtype=str, keep_default_na=False)
    key = ["specification", "term", "variance"] if path.name == "estimates.csv" else key_of(old)
    if missing := [c for c in key if c not in new]:
        return [("", c, "a column", "none", BEYOND, "missing") for c in missing]
    records = dict(zip(_labels(old, key), old.to_dict("records"), strict=True))
    for cell in drift(path.name, old, new, key).itertuples(index=False):
        record = records.get(cell.key, {})
        scale = PROPORTIONS.get((path.name, cell.column), 0)
        grade, why = graded(cell.column, cell.snapshot, cell.now, record, draws, scale)
        yield cell.key, cell.column, cell.snapshot, cell.now, grade, why


def _json_cells(path, now, draws):
    old = json.loads(path.read_text(encoding="utf-8"))
    new = json.loads(now.read_text(encoding="utf-8"))
    for name in sorted(set(old) | set(new)):
        before, after = old.get(name, "none"), new.get(name, "none")
        if before == after:
            continue
        kind = before[1] if isinstance(before, list) else ""
        values = [v[0] if isinstance(v, list) else v for v in (before, after)]
        # The p-values among the facts are of permutations; estimators' stand in the records.
        scale = 1 if kind == "p" else 0
        yield name, "value", *values, *graded("value", *map(str, values), {}, draws, scale)


def report(differences: pd.DataFrame, compared: int, shown: int = 20) -> tuple[str, str]:
    """Say how far a rerun agrees.

    Returns
    -------
    grade : str
        ``full`` (every byte), ``partial`` (all within tolerance) or ``failed``.
    text : str
        The grade and the differences, those beyond tolerance first.
    """
    beyond = differences["grade"] == BEYOND
    grade = "full" if differences.empty else "failed" if beyond.any() else "partial"
    told = {
        "full": f"FULL: all {compared} files agree byte for byte.",
        "partial": f"PARTIAL: {len(differences)} differences, all within tolerance.",
        "failed": f"FAILED: {beyond.sum()} differences beyond tolerance, {(~beyond).sum()} within.",
    }
    lines = [told[grade]]
    ordered = pd.concat([differences[beyond], differences[~beyond]])
    for row in ordered[:shown].itertuples(index=False):
        place = " ".join(part for part in (row.file, row.key, row.column) if part)
        lines.append(
            f"  {row.grade}: {place}: expected {row.expected}, found {row.found} ({row.why})"
        )
    if len(ordered) > shown:
        lines.append(f"  and {len(ordered) - shown} more")
    return grade, "\n".join(lines)
