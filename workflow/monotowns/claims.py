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
    r"no detectable|cannot be told from|significant\w*|falls? behind|caught up|"
    r"упал\w*|вырос\w*|выше|ниже|больше|меньше|не обнаруж\w+|отста\w+|снизил\w*)\b",
    re.IGNORECASE,
)
CLAIM = re.compile(r'#claim\("([^"]+)"\)\[')
NUMBER = re.compile(r'#(?:n|interval)\("([^"]+)"\)')
HOLDS = ("negative", "positive", "null", "below", "above")


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
    text = re.sub(r"#(?:figure|result_figure|table)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
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


#: How a claim without a result is told.
MISSING = "no result"


def _record(records, key):
    rows = records[records["specification"] == key["specification"]]
    rows = rows[rows["term"] == str(key["term"])]
    if "variance" in key:
        rows = rows[rows["variance"].str.startswith(key["variance"])]
    return None if rows.empty else rows.iloc[0]


def _verdict(claim, row, records, source):
    kind = claim["holds"]
    if kind == "negative":
        return row["estimate"] < 0 and row["ci_high"] < 0
    if kind == "positive":
        return row["estimate"] > 0 and row["ci_low"] > 0
    if kind == "null":
        # A null is told only with what could have been seen.
        printed = f"{row['specification']}.{row['term']}.mde" in source
        return row["ci_low"] <= 0 <= row["ci_high"] and printed
    than = claim["than"]
    if isinstance(than, dict):
        found = _record(records, than)
        # Beside a result that is not there nothing holds.
        than = math.nan if found is None else found["estimate"]
    other = than
    if claim.get("by") == "interval":
        return row["ci_high"] < other if kind == "below" else row["ci_low"] > other
    return row["estimate"] < other if kind == "below" else row["estimate"] > other


def check_claims(claims: dict, source: str, records: pd.DataFrame, untold="") -> pd.DataFrame:
    """Hold every claim of a source to the results.

    Parameters
    ----------
    claims : dict
        Identifier -> one assertion or a list of them: ``specification``, ``term``, optional
        ``variance`` (its first words), ``holds`` (one of :data:`HOLDS`) and for ``below`` and
        ``above`` also ``than`` (a number or another result) and optional ``by: interval``.
        ``negative`` and ``positive`` need the interval on that side of nought, ``null`` needs it
        to cover nought and the minimum detectable effect to be printed in the same claim.
    source : str
        All Typst sources, joined.
    records : pandas.DataFrame
        Result records.
    untold : str
        Sources that are left out of the paper; their claims are held to nothing.

    Returns
    -------
    pandas.DataFrame
        ``claim``, ``assertion``, ``estimate``, ``ci_low``, ``ci_high``, ``sentence``.

    Raises
    ------
    InputError
        A claim without an assertion or an assertion without a claim; or claims that do not hold,
        each with its sentence.
    """
    table, failed = report_claims(claims, source, records, untold)
    missing = {name: why for name, why in failed.items() if why.startswith(MISSING)}
    if missing:
        raise InputError("claims.yaml", "no such result", keys=missing,
                         expected=", ".join(missing.values()))  # fmt: skip
    if failed:
        raise InputError("manuscript", f"{len(failed)} claims do not hold on these results",
                         found="\n    " + "\n    ".join(failed.values()),
                         remedy="rewrite the sentence or find out why it moved")  # fmt: skip
    return table


def report_claims(claims: dict, source: str, records: pd.DataFrame, untold=""):
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
            row = _record(records, claim)
            if row is None:
                failed[name] = f"{MISSING} {claim['specification']} {claim['term']}"
                continue
            told = f"{claim['specification']} {claim['term']}"
            told += f" ({claim['variance']})" if "variance" in claim else ""
            told += f" {claim['holds']}"
            told += f" {claim['than']}" if "than" in claim else ""
            rows.append((name, told, row["estimate"], row["ci_low"], row["ci_high"], sentence))
            if not _verdict(claim, row, records, text[name]):
                failed.setdefault(name, f'"{sentence}"')
                failed[name] += (f"\n      needs {told}; found {row['estimate']:.4f} "
                                 f"[{row['ci_low']:.4f}, {row['ci_high']:.4f}]")  # fmt: skip
    columns = ["claim", "assertion", "estimate", "ci_low", "ci_high", "sentence"]
    return pd.DataFrame(rows, columns=columns), failed


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
