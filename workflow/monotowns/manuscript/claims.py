"""Sentences of the manuscript that the results must support.

A sentence that claims a sign, a size or a comparison is written ``#claim("id")[...]`` in the
Typst source; ``paper/claims.yaml`` states what must hold for it. When data or code change a result
so that the sentence is no longer true, the build stops and quotes it.
"""

import math

import pandas as pd

from monotowns.manuscript.text import claimed, prose, typed_digits, unguarded
from monotowns.run.errors import InputError

WHERE = "paper/claims.yaml"
COLUMNS = ["claim", "assertion", "estimate", "ci_low", "ci_high", "sentence"]


def check_guards(sections: dict[str, str], literals) -> None:
    """Refuse sections (file -> source) with a number typed by hand or a claim without a guard."""
    for path, source in sections.items():
        if typed := typed_digits(source, literals):
            remedy = "read it from results/numbers.json with #n"
            raise InputError(path, "a number is typed by hand", keys=typed, remedy=remedy)
        if loose := unguarded(source):
            problem = "a sentence claims something and nothing checks it"
            remedy = "write it as #claim, its assertion in claims.yaml"
            raise InputError(path, problem, keys=loose, remedy=remedy)


def facts_of(groups) -> dict[str, float]:
    """The numbers among facts (name -> [value, kind]), unrounded, by name."""
    facts = [fact for group in groups for fact in group.items()]
    return {name: float(value) for name, (value, kind) in facts if kind != "text"}


def result_of(records, facts, key):
    """The record that a key names, or its fact as a record without an interval; else None."""
    if "fact" in key:
        fact = {"estimate": facts.get(key["fact"]), "ci_low": math.nan, "ci_high": math.nan}
        return None if fact["estimate"] is None else fact
    rows = records[records["specification"] == key["specification"]]
    rows = rows[rows["term"] == str(key["term"])]
    rows = rows[rows["variance"].str.startswith(key.get("variance", ""))]
    return None if rows.empty else rows.iloc[0].to_dict()


def _name(key):
    """A result's name, as messages and tables print it."""
    if not isinstance(key, dict):
        return str(key)
    if "fact" in key:
        return key["fact"]
    variance = f" ({key['variance']})" if "variance" in key else ""
    return f"{key['specification']} {key['term']}{variance}"


def _check_assertion(name, claim):
    """Refuse an assertion that the schema allows and that asks for nothing."""
    compared, wrong = claim["holds"] in ("below", "above"), []
    if "fact" not in claim:
        wrong += [f"missing: {key}" for key in ("specification", "term") if key not in claim]
    elif not compared or "by" in claim or "specification" in claim:
        wrong.append("a fact has no interval: it is below or above something")
    if compared != ("than" in claim):
        wrong.append("below and above need than, and nothing else does")
    if wrong:
        remedy = "see workflow/schemas/claims.schema.json"
        raise InputError(WHERE, "; ".join(wrong), keys=[name], remedy=remedy)


def _holds(claim, row, records, facts, text) -> bool:
    """Whether the result supports the assertion; ``text`` is the claim's Typst source."""
    kind, low, high = claim["holds"], row["ci_low"], row["ci_high"]
    if kind == "negative":
        return row["estimate"] < 0 and high < 0
    if kind == "positive":
        return row["estimate"] > 0 and low > 0
    if kind == "null":
        # A null is claimed only beside the effect that could have been detected.
        return low <= 0 <= high and f"{row['specification']}.{row['term']}.mde" in text
    than = claim["than"]
    if isinstance(than, dict):
        other = result_of(records, facts, than)
        # A comparison with a missing result never holds.
        than = math.nan if other is None else other["estimate"]
    of_interval = claim.get("by") == "interval"
    if kind == "below":
        return (high if of_interval else row["estimate"]) < than
    return (low if of_interval else row["estimate"]) > than


def check_claims(claims: dict, source: str, records, facts: dict, left_out="", stop=True):
    """Check every claim of a source against the results.

    Parameters
    ----------
    claims : dict
        Identifier -> one assertion or a list of them, see ``claims.schema.json``.
    source, left_out : str
        Typst sources that the paper shows, and those that it leaves out with their claims.
    records : pandas.DataFrame
        Result records.
    facts : dict of float
        Numbers that analyses report beside their records.
    stop : bool
        Whether a claim that fails is an error.

    Returns
    -------
    table : pandas.DataFrame
        :data:`COLUMNS`; facts have no interval, claims without a result no row.
    failed : dict
        Claim -> its sentence with what it needs and what was found, or the result that is missing.

    Raises
    ------
    InputError
        Claims and assertions do not pair; with ``stop``, claims that fail, each with its sentence.
    """
    text = claimed(source)
    claims = {name: claim for name, claim in claims.items() if name not in claimed(left_out)}
    if loose := sorted(set(text) ^ set(claims)):
        expected = "every #claim of the text and no other"
        raise InputError(WHERE, "claim and assertion do not pair", keys=loose, expected=expected)
    rows, failed = [], {}
    for name, assertions in claims.items():
        sentence = " ".join(prose(text[name]).split())
        for claim in assertions if isinstance(assertions, list) else [assertions]:
            _check_assertion(name, claim)
            row = result_of(records, facts, claim)
            if row is None:
                failed[name] = f"no result {_name(claim)}"
                continue
            assertion = f"{_name(claim)} {claim['holds']}"
            assertion += f" {_name(claim['than'])}" if "than" in claim else ""
            rows.append((name, assertion, row["estimate"], row["ci_low"], row["ci_high"], sentence))
            if not _holds(claim, row, records, facts, text[name]):
                failed.setdefault(name, f'"{sentence}"')
                failed[name] += f"\n      needs {assertion}; found {row['estimate']:.4f}"
                if "fact" not in claim:
                    failed[name] += f" [{row['ci_low']:.4f}, {row['ci_high']:.4f}]"
    if failed and stop:
        raise InputError(
            "manuscript",
            f"{len(failed)} claims do not hold on these results",
            keys=failed,
            found="\n    " + "\n    ".join(failed.values()),
            remedy="rewrite the sentence or find out why it moved",
        )
    return pd.DataFrame(rows, columns=COLUMNS), failed
