"""Sentences of the manuscript held to the results.

A sentence that claims a sign, a size or a comparison is written ``#claim("id")[...]`` in the
Typst source; ``paper/claims.yaml`` says what must hold for it. When data or code change a result
so that the sentence is no longer true, the build stops and quotes it.
"""

import math
import re
from pathlib import Path

import pandas as pd

from monotowns.errors import InputError

#: Words that claim a sign, a size or a comparison; a sentence with one of them needs a guard.
CLAIMING = re.compile(
    r"\b(?:fell|fall(?:s|en)?|rose|rise[ns]?|grew|grow[ns]?|gain(?:s|ed)?|los(?:t|es)|declin\w+|"
    r"increas\w+|decreas\w+|higher|lower|larger|smaller|stronger|weaker|exceed\w*|outperform\w*|"
    r"no detectable|cannot be told from|significant\w*|falls? behind|caught up|fewer|by chance|"
    r"chance (?:gives|alone|would)|reject\w*|not different|hangs? on one|does not foresee|"
    r"упал\w*|вырос\w*|выше|ниже|больше|меньше|не обнаруж\w+|отста\w+|снизил\w*|случайно|"
    r"не предсказыва\w*)\b",
    re.IGNORECASE,
)
CLAIM = re.compile(r'#claim\("([^"]+)"\)\[')
NUMBER = re.compile(r'#(?:n|interval)\("([^"]+)"\)')
HOLDS = ("negative", "positive", "null", "below", "above")
COLUMNS = ["claim", "assertion", "estimate", "ci_low", "ci_high", "sentence"]


def claimed(source: str) -> dict[str, str]:
    """Collect the claims of a Typst source: identifier -> what stands in its brackets.

    Raises
    ------
    InputError
        A bracket is not closed or an identifier is used twice.
    """
    found = {}
    for match in CLAIM.finditer(source):
        depth, place = 1, match.end()
        while depth and place < len(source):
            depth += {"[": 1, "]": -1}.get(source[place], 0)
            place += 1
        if depth:
            raise InputError("manuscript", "a claim is not closed", keys=[match[1]])
        if match[1] in found:
            raise InputError("manuscript", "a claim's name is used twice", keys=[match[1]])
        found[match[1]] = source[match.end() : place - 1]
    return found


def prose(source: str) -> str:
    """Return the running text of a Typst source: no code lines, figures, comments or references.

    Numbers read from the results stand as ``{name}``, so that a digit left over was typed.
    """
    text = re.sub(r"//[^\n]*", "", source)
    text = re.sub(r"^#(?:import|include|let|set|show)[^\n]*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"#(?:(?:result_)?(?:figure|table))\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
                  r"(?:\[[^\]]*\])?(?:\s*<[\w-]+>)?", "", text)  # fmt: skip
    # A heading is no part of the sentence after it.
    text = re.sub(r"^=+ (.*)$", r"\n\1\n", text, flags=re.MULTILINE)
    text = NUMBER.sub(r"{\1}", text)
    # lib.typ's names for the ends of the window are numbers too.
    text = re.sub(r"#(first|last)\b", r"{year.\1}", text)
    text = CLAIM.sub("[", text)
    return re.sub(r"\$[^$]*\$|@[\w-]+|<[\w-]+>|#(?:set )?\w+(?:\([^)]*\))?", "", text)


def sentences(text: str) -> list[str]:
    """Split running text into sentences at a full stop, question or exclamation mark or break."""
    parts = re.split(r"(?<=[.!?])[\])]*\s+(?=[A-ZА-ЯЁ\[{*])|\n\s*\n", text)
    return [" ".join(part.split()) for part in parts if part.strip()]


def filled(sentence: str, numbers: dict[str, str]) -> str:
    """Write the numbers of a sentence of :func:`prose` as they are printed, intervals with "to"."""

    def text(match):
        name = match[1]
        ends = [numbers.get(f"{name}.{end}", "?") for end in ("low", "high")]
        return numbers.get(name) or " to ".join(ends)

    return re.sub(r"\{([^}]*)\}", text, sentence).replace(" ()", "").strip("*_[] ")


def typed_digits(source: str, allowed) -> list[str]:
    """List sentences with a digit that is neither read from the results nor allowed.

    Parameters
    ----------
    source : str
        Typst source.
    allowed : collection of str
        Literals that may be typed: years, levels.
    """
    found = []
    for sentence in sentences(prose(source)):
        bare = re.sub(r"\{[^}]*\}", "", sentence)
        digits = [d for d in re.findall(r"\d+(?:[.,]\d+)*", bare) if d not in set(allowed)]
        if digits:
            found.append(f"{', '.join(digits)} in: {sentence}")
    return found


def unguarded(source: str) -> list[str]:
    """List sentences that claim something and stand in no ``#claim``."""
    for name, inside in claimed(source).items():
        source = source.replace(f'#claim("{name}")[{inside}]', "")
    # The names of numbers are no words of the text.
    return [s for s in sentences(prose(source)) if CLAIMING.search(re.sub(r"\{[^}]*\}", "", s))]


def facts_of(groups) -> dict[str, float]:
    """The numbers among facts, by name, as they were computed and not as they are printed.

    Parameters
    ----------
    groups : iterable of dict
        Name -> [value, kind], see :func:`monotowns.manuscript.of_facts`.
    """
    return {name: float(value) for group in groups for name, (value, kind) in group.items()
            if kind != "text"}  # fmt: skip


#: How a claim without a result is told.
MISSING = "no result"


def _result(records, facts, key):
    """The record that a key names, or its fact as a record without an interval; none where none."""
    if "fact" in key:
        value = facts.get(key["fact"])
        return None if value is None else {"estimate": value, "ci_low": math.nan,
                                           "ci_high": math.nan}  # fmt: skip
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
    of = "fact" if "fact" in claim else "specification"
    needed = {"fact": ("fact",), "specification": ("specification", "term")}[of]
    compared = claim["holds"] in ("below", "above")
    wrong = [f"missing: {key}" for key in needed if key not in claim]
    if of == "fact" and (not compared or "by" in claim or "specification" in claim):
        wrong.append("a fact has no interval: it is below or above something")
    if compared != ("than" in claim):
        wrong.append("below and above need than, and nothing else does")
    if wrong:
        raise InputError("paper/claims.yaml", "; ".join(wrong), keys=[name],
                         remedy="see workflow/schemas/claims.schema.json")  # fmt: skip


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
        raise InputError("claims.yaml", "no such result", keys=missing,
                         expected=", ".join(missing.values()))  # fmt: skip
    if failed:
        raise InputError("manuscript", f"{len(failed)} claims do not hold on these results",
                         found="\n    " + "\n    ".join(failed.values()),
                         remedy="rewrite the sentence or find out why it moved")  # fmt: skip
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
        raise InputError("paper/claims.yaml", "claim and assertion do not pair", keys=loose,
                         expected="every #claim of the text and no other")  # fmt: skip
    rows, failed = [], {}
    for name, assertions in claims.items():
        sentence = " ".join(prose(text[name]).split())
        for claim in assertions if isinstance(assertions, list) else [assertions]:
            if claim["holds"] not in HOLDS:
                raise InputError("paper/claims.yaml", f"unknown assertion '{claim['holds']}'",
                                 keys=[name], expected=", ".join(HOLDS))  # fmt: skip
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


#: What a source shows: a number or interval of the results, a figure, a table.
SHOWN = {
    "number": re.compile(r'#n\("([^"]+)"\)'),
    "figure": re.compile(r'#result_figure\(\s*"([^"]+)"'),
    "table": re.compile(r'#result_table\(\s*"/([^"]+)"'),
}
INTERVAL = re.compile(r'#interval\("([^"]+)"\)')


def without_result(source: str, numbers, present) -> dict[str, dict[str, str]]:
    """Say what a source shows and these results do not have.

    Parameters
    ----------
    source : str
        Typst sources, joined.
    numbers : collection of str
        Names of the numbers at hand.
    present : collection of str
        Paths of the figures and tables at hand.

    Returns
    -------
    dict
        ``number``, ``figure``, ``table`` -> name -> why it is not shown.
    """
    names = {kind: set(pattern.findall(source)) for kind, pattern in SHOWN.items()}
    names["number"] |= {f"{i}.{end}" for i in INTERVAL.findall(source) for end in ("low", "high")}
    figures = {Path(path).stem for path in present if Path(path).parent.name == "figures"}
    at_hand = {"number": set(numbers), "table": set(present), "figure": figures}
    return {kind: dict.fromkeys(sorted(found - at_hand[kind]), "no such result")
            for kind, found in names.items()}  # fmt: skip
