"""Verdicts on contracts: every rule, how many cases it looked at, which break it."""

from dataclasses import dataclass, field, replace

import pandas as pd

from monotowns.panel.contracts.schemas import SCHEMAS, validated
from monotowns.run.errors import ContractError, examples

PASSED, FAILED, DRIFTED, UNREVIEWED = "passed", "failed", "drifted", "not reviewed"
#: Columns of ``data/row_counts.csv`` and ``data/known_faults.csv``, both kept by hand.
ROW_COUNTS = ("table", "year", "rows", "reviewed")
KNOWN_FAULTS = ("table", "rule", "case", "reason")


@dataclass(frozen=True)
class Verdict:
    """One rule of one table.

    ``rows`` is how many rows or cases it looked at, ``failing`` names those that break it,
    ``known`` those that break it by a known fault of the source. Failing cases whose ``word`` is
    not ``failed`` are reported and do not stop the run.
    """

    table: str
    rule: str
    rows: int
    failing: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    if_failing: str = FAILED

    @property
    def word(self) -> str:
        """The verdict itself."""
        return self.if_failing if self.failing else PASSED


def of_schemas(tables: dict[str, pd.DataFrame]) -> list[Verdict]:
    """Judge the columns, ranges and keys of tables."""
    return [
        Verdict(table, rule, len(frame), cases)
        for table, frame in tables.items()
        for rule, cases in validated(frame, table)[1]
    ]


def load_listed(path, columns) -> pd.DataFrame:
    """Load a list that is kept by hand, as text; only a ``year`` may be empty."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:
        remedy = "a cell with a comma stands in quotation marks"
        raise ContractError(path, "not a CSV file", found=error, remedy=remedy) from None
    if tuple(frame.columns) != tuple(columns):
        expected, found = ", ".join(columns), ", ".join(frame.columns)
        raise ContractError(path, "other columns", expected=expected, found=found)
    empty = frame[[c for c in columns if c != "year"]].eq("").any(axis=1)
    if empty.any():
        lines = [f"line {i + 2}" for i in frame.index[empty]]
        raise ContractError(path, "an empty cell", keys=lines)
    return frame


def of_counts(tables: dict[str, pd.DataFrame], reviewed: pd.DataFrame) -> list[Verdict]:
    """Compare the rows of every table and year with those that somebody has reviewed.

    A table of which no count is listed, a new source's, is reported as not reviewed.
    """
    verdicts = []
    for table, frame in tables.items():
        listed = reviewed[reviewed["table"] == table]
        known = dict(zip(listed["year"], listed["rows"].astype(int), strict=True))
        found = {"": len(frame)}
        if "year" in frame:
            found = {str(year): rows for year, rows in frame.groupby("year").size().items()}
        failing = [
            f"{year or 'all rows'}: {known.get(year, 'none')} reviewed, {found.get(year, 0)} found"
            for year in sorted(found | known)
            if known.get(year) != found.get(year)
        ]
        word = FAILED if known else UNREVIEWED
        rule = "rows by year as reviewed"
        verdicts.append(Verdict(table, rule, len(frame), failing, if_failing=word))
    return verdicts


def of_identities(identities, tables, before: list[Verdict]) -> list[Verdict]:
    """Judge what must add up or be one to one, see :mod:`monotowns.panel.contracts.identities`.

    Where a verdict on the tables' columns failed before, an identity may not be computable; then
    it says so instead of hiding the other failures. One over a table that a fork lacks has none.
    """
    verdicts, faulty = [], any(v.failing for v in before)
    for table, rule, cases in identities:
        try:
            rows, failing = cases(tables)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, KeyError) and error.args[0] in SCHEMAS.keys() - tables.keys():
                continue
            if not faulty:
                raise
            rows, failing = 0, [f"not computable: {type(error).__name__} {error}"]
        verdicts.append(Verdict(table, rule, rows, failing))
    return verdicts


def of_drifts(drifts: dict[str, pd.DataFrame]) -> list[Verdict]:
    """Report tables that were read anew and differ, see :mod:`monotowns.acquire.drift`.

    One that equals its snapshot has no line: a run's results do not depend on where it read.
    """
    verdicts = []
    for table, frame in drifts.items():
        cells = [f"{r.key} {r.column}: {r.snapshot} -> {r.now}" for r in frame.itertuples()]
        rule = "read anew equals the snapshot"
        verdicts += [Verdict(table, rule, len(cells), cells, if_failing=DRIFTED)] if cells else []
    return verdicts


def excuse(verdicts: list[Verdict], known: pd.DataFrame) -> list[Verdict]:
    """Set known faults of the sources apart.

    ``known`` has ``table``, ``rule`` and ``case``, word for word as the verdict has it. One more
    verdict is added: a known fault that no rule finds any more fails, as a correction does.
    """
    known = known[known["table"].isin([v.table for v in verdicts])]
    listed = set(known[["table", "rule", "case"]].itertuples(index=False, name=None))
    found, met = [], set()
    for v in verdicts:
        excused = [case for case in v.failing if (v.table, v.rule, case) in listed]
        met |= {(v.table, v.rule, case) for case in excused}
        left = [case for case in v.failing if case not in excused]
        found.append(replace(v, failing=left, known=excused))
    idle = [": ".join(fault) for fault in sorted(listed - met)]
    return [*found, Verdict("known_faults", "every known fault is still found", len(listed), idle)]


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """Write verdicts as a table: how many cases fail and are known, and examples of them."""
    rows = [
        {
            "table": v.table,
            "rule": v.rule,
            "rows": v.rows,
            "failing": len(v.failing),
            "known": len(v.known),
            "examples": examples(v.failing or v.known, 3),
            "verdict": v.word,
        }
        for v in verdicts
    ]
    return pd.DataFrame(rows)


def stop_if_failed(verdicts: list[Verdict]) -> None:
    """Raise one ContractError with every contract that failed."""
    if failed := [v for v in verdicts if v.word == FAILED]:
        lines = [
            f"\n    {v.table}: {v.rule}: {len(v.failing)} cases, e.g. {examples(v.failing, 3)}"
            for v in failed
        ]
        raise ContractError(
            "contracts",
            f"{len(failed)} of {len(verdicts)} are broken",
            found="".join(lines),
            remedy="repair the reader or the source; a fault of the source that stays goes with "
            "its reason into data/known_faults.csv, a reviewed count into data/row_counts.csv",
        )


def facts(table: pd.DataFrame) -> dict:
    """Facts that the paper prints: how many contracts, known faults, and drifted cells."""
    drifted = table[table["verdict"] == DRIFTED]
    return {
        "contracts.held": [(table["verdict"] == PASSED).sum(), "count"],
        "contracts.tables": [table["table"].nunique(), "count"],
        "contracts.known": [table["known"].sum(), "count"],
        "drift.cells": [drifted["failing"].sum(), "count"],
        "drift.tables": [", ".join(drifted["table"]), "text"],
    }
