"""Sentences of the manuscript held to the results.

A sentence that claims a sign, a size or a comparison is written ``#claim("id")[...]`` in the
Typst source; ``paper/claims.yaml`` says what must hold for it. When data or code change a result
so that the sentence is no longer true, the build stops and quotes it.
"""

import math

import pandas as pd

from monotowns.manuscript.text import claimed, prose
from monotowns.run.errors import InputError

HOLDS = ("negative", "positive", "null", "below", "above")
COLUMNS = ["claim", "assertion", "estimate", "ci_low", "ci_high", "sentence"]


def facts_of(groups) -> dict[str, float]:
    """The numbers among facts, by name, as they were computed and not as they are printed.

    Parameters
    ----------
    groups : iterable of dict
        Name -> [value, kind], see :func:`monotowns.manuscript.numbers.of_facts`.
    """
    return {
        name: float(value)
        for group in groups
        for name, (value, kind) in group.items()
        if kind != "text"
    }


#: How a claim without a result is told.
MISSING = "no result"


def _result(records, facts, key):
    """The record that a key names, or its fact as a record without an interval; none where none."""
    if "fact" in key:
        value = facts.get(key["fact"])
        return (
            None if value is None else {"estimate": value, "ci_low": math.nan, "ci_high": math.nan}
        )
    rows = records[records["specification"] == key["specification"]]
    rows = rows[rows["term"] == str(key["term"])]
    if "variance" in key:
        rows = rows[rows["variance"].str.startswith(key["variance"])]
    return None if rows.empty else rows.iloc[0].to_dict()


def _told(key):
    """A result's name, as messages and tables tell it."""
    if not isinstance(key, dict):
        return str(key)
    if "fact" in key:
        return key["fact"]
    return f"{key['specification']} {key['term']}" + (
        f" ({key['variance']})" if "variance" in key else ""
    )


def _refuse_senseless(name, claim):
    """Refuse an assertion that its words allow and that asks for nothing."""
    compared, wrong = claim["holds"] in ("below", "above"), []
    if "fact" not in claim:
        wrong += [f"missing: {key}" for key in ("specification", "term") if key not in claim]
    elif not compared or "by" in claim or "specification" in claim:
        wrong.append("a fact has no interval: it is below or above something")
    if compared != ("than" in claim):
        wrong.append("below and above need than, and nothing else does")
    if wrong:
        raise InputError(
            "paper/claims.yaml",
            "; ".join(wrong),
            keys=[name],
            remedy="see workflow/schemas/claims.schema.json",
        )


def _verdict(claim, row, records, facts, source):
    kind = claim["holds"]
    if kind == "negative":
        return row["estimate"] < 0 and row["ci_high"] < 0
    if kind == "positive":
        return row["estimate"] > 0 and row["ci_low"] > 0
    if kind == "null":
        # A null is told only with what could have been seen.
        printed = f"{row['specification']}.{row['term']}.mde" in source
        return row["ci_low"] <= 0 <= row["ci_high"] and printed
    other = claim["than"]
    if isinstance(other, dict):
        found = _result(records, facts, other)
        # Beside a result that is not there nothing holds.
        other = math.nan if found is None else found["estimate"]
    if claim.get("by") == "interval":
        return row["ci_high"] < other if kind == "below" else row["ci_low"] > other
    return row["estimate"] < other if kind == "below" else row["estimate"] > other


def check_claims(
    claims: dict, source: str, records: pd.DataFrame, untold="", facts=None
) -> pd.DataFrame:
    """Hold every claim of a source to the results.

    Parameters
    ----------
    claims : dict
        Identifier -> one assertion or a list of them: ``specification``, ``term``, optional
        ``variance`` (its first words), ``holds`` (one of :data:`HOLDS`) and for ``below`` and
        ``above`` also ``than`` (a number or another result) and optional ``by: interval``; or a
        ``fact`` that is ``below`` or ``above`` a number, a result or another fact.
        ``negative`` and ``positive`` need the interval on that side of nought, ``null`` needs it
        to cover nought and the minimum detectable effect to be printed in the same claim.
    source : str
        All Typst sources, joined.
    records : pandas.DataFrame
        Result records.
    untold : str
        Sources that are left out of the paper; their claims are held to nothing.
    facts : dict of float, optional
        Numbers that analyses give beside their records, by name.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS`; a fact stands under ``estimate`` and has no interval.

    Raises
    ------
    InputError
        A claim without an assertion or an assertion without a claim; or claims that do not hold,
        each with its sentence.
    """
    table, failed = report_claims(claims, source, records, untold, facts)
    missing = {name: why for name, why in failed.items() if why.startswith(MISSING)}
    if missing:
        raise InputError(
            "claims.yaml", "no such result", keys=missing, expected=", ".join(missing.values())
        )
    if failed:
        raise InputError(
            "manuscript",
            f"{len(failed)} claims do not hold on these results",
            found="\n    " + "\n    ".join(failed.values()),
            remedy="rewrite the sentence or find out why it moved",
        )
    return table


def report_claims(claims: dict, source: str, records: pd.DataFrame, untold="", facts=None):
    """Hold every claim to the results, as :func:`check_claims`, and stop at none.

    Returns
    -------
    table : pandas.DataFrame
        As :func:`check_claims`; claims without a result have no row.
    failed : dict
        Claim -> its sentence with what it needs and what was found, or the result that is missing.

    Raises
    ------
    InputError
        A claim without an assertion or an assertion without a claim.
    """
    text = claimed(source)
    claims = {name: claim for name, claim in claims.items() if name not in claimed(untold)}
    loose = sorted(set(text) ^ set(claims))
    if loose:
        raise InputError(
            "paper/claims.yaml",
            "claim and assertion do not pair",
            keys=loose,
            expected="every #claim of the text and no other",
        )
    rows, failed = [], {}
    for name, assertions in claims.items():
        sentence = " ".join(prose(text[name]).split())
        for claim in assertions if isinstance(assertions, list) else [assertions]:
            if claim["holds"] not in HOLDS:
                raise InputError(
                    "paper/claims.yaml",
                    f"unknown assertion '{claim['holds']}'",
                    keys=[name],
                    expected=", ".join(HOLDS),
                )
            _refuse_senseless(name, claim)
            row = _result(records, facts or {}, claim)
            if row is None:
                failed[name] = f"{MISSING} {_told(claim)}"
                continue
            told = f"{_told(claim)} {claim['holds']}"
            told += f" {_told(claim['than'])}" if "than" in claim else ""
            rows.append((name, told, row["estimate"], row["ci_low"], row["ci_high"], sentence))
            if not _verdict(claim, row, records, facts or {}, text[name]):
                failed.setdefault(name, f'"{sentence}"')
                failed[name] += f"\n      needs {told}; found {row['estimate']:.4f}"
                if "fact" not in claim:
                    failed[name] += f" [{row['ci_low']:.4f}, {row['ci_high']:.4f}]"
    return pd.DataFrame(rows, columns=COLUMNS), failed
