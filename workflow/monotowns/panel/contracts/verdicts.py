"""Verdicts on contracts: every rule, how many cases it looked at, which break it."""

from dataclasses import dataclass, field

import pandas as pd

from monotowns.panel.contracts.cases import held
from monotowns.panel.contracts.counts import count_cases
from monotowns.run.errors import ContractError, examples

PASSED, FAILED, DRIFTED, UNREVIEWED = "passed", "failed", "drifted", "not reviewed"


@dataclass(frozen=True)
class Verdict:
    """One rule of one table.

    ``rows`` is how many rows or cases it looked at, ``failing`` tells those that break it,
    ``known`` those that break it by a known fault of the source. Where ``told`` is a word, failing
    cases are told by it and do not stop the run.
    """

    table: str
    rule: str
    rows: int
    failing: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    told: str = ""

    @property
    def word(self) -> str:
        """The verdict itself."""
        return (self.told or FAILED) if self.failing else PASSED


def of_schemas(tables: dict[str, pd.DataFrame]) -> list[Verdict]:
    """Verdicts on the columns, ranges and keys of tables."""
    return [
        Verdict(table, rule, len(frame), cases)
        for table, frame in tables.items()
        for rule, cases in held(frame, table)
    ]


def of_counts(tables, reviewed: pd.DataFrame) -> list[Verdict]:
    """Verdicts on the number of rows by year, see :mod:`monotowns.panel.contracts.counts`.

    A table of which no count is listed, a new source's, is told as not reviewed.
    """
    listed = set(reviewed["table"])
    return [
        Verdict(
            table,
            "rows by year as reviewed",
            len(frame),
            count_cases(frame, reviewed[reviewed["table"] == table]),
            told="" if table in listed else UNREVIEWED,
        )
        for table, frame in tables.items()
    ]


def of_identities(identities, tables, before: list[Verdict]) -> list[Verdict]:
    """Verdicts on what must add up or be one to one.

    Parameters
    ----------
    identities : list of tuple
        Table, rule in words, and function of ``tables`` that returns how many cases it looked at
        and texts of those that break it.
    tables : dict of pandas.DataFrame
    before : list of Verdict
        On the tables' columns. Where one of these failed, an identity may not be computable; then
        it says so instead of hiding the other failures.
    """
    found, faulty = [], any(v.failing for v in before)
    for table, rule, cases in identities:
        try:
            rows, failing = cases(tables)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if not faulty:
                raise
            rows, failing = 0, [f"not computable: {type(error).__name__} {error}"]
        found.append(Verdict(table, rule, rows, failing))
    return found


def of_drifts(drifts: dict[str, pd.DataFrame]) -> list[Verdict]:
    """Verdicts on tables that were read anew and differ, see :mod:`monotowns.acquire.drift`.

    One that equals its snapshot has no line: the results of a run do not tell where it read.
    """
    return [
        Verdict(
            table,
            "read anew equals the snapshot",
            len(frame),
            [f"{r.key} {r.column}: {r.snapshot} -> {r.now}" for r in frame.itertuples()],
            told=DRIFTED,
        )
        for table, frame in drifts.items()
        if len(frame)
    ]


def excuse(verdicts: list[Verdict], known: pd.DataFrame) -> list[Verdict]:
    """Set known faults of the sources apart, and hold their list to what was found.

    Parameters
    ----------
    verdicts : list of Verdict
    known : pandas.DataFrame
        ``table``, ``rule`` and ``case``, word for word as the verdict tells it.

    Returns
    -------
    list of Verdict
        One more than given: a known fault that no rule finds any more fails, as a correction does.
    """
    listed = set(known[["table", "rule", "case"]].itertuples(index=False, name=None))
    found, met = [], set()
    for v in verdicts:
        excused = [case for case in v.failing if (v.table, v.rule, case) in listed]
        left = [case for case in v.failing if (v.table, v.rule, case) not in listed]
        met |= {(v.table, v.rule, case) for case in excused}
        found.append(Verdict(v.table, v.rule, v.rows, left, excused, v.told))
    idle = [": ".join(fault) for fault in sorted(listed - met)]
    return [*found, Verdict("known_faults", "every known fault is still found", len(listed), idle)]


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """Verdicts as a table: how many cases fail and are known, and examples of them."""
    rows = [
        (
            v.table,
            v.rule,
            v.rows,
            len(v.failing),
            len(v.known),
            examples(v.failing or v.known, 3),
            v.word,
        )
        for v in verdicts
    ]
    columns = ["table", "rule", "rows", "failing", "known", "examples", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def stop_if_failed(verdicts: list[Verdict]) -> None:
    """Raise one error with every contract that failed.

    Raises
    ------
    ContractError
    """
    failed = [v for v in verdicts if v.word == FAILED]
    if failed:
        lines = [
            f"{v.table}: {v.rule}: {len(v.failing)} cases, e.g. {examples(v.failing, 3)}"
            for v in failed
        ]
        raise ContractError(
            "contracts",
            f"{len(failed)} of {len(verdicts)} are broken",
            found="\n    " + "\n    ".join(lines),
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
