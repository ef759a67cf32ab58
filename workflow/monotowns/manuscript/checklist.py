"""The referees' checklist: every item an artefact that exists or a check that can fail."""

import operator

import pandas as pd

from monotowns.manuscript.claims import result_of
from monotowns.run.errors import InputError

WHERE = "paper/checklist.yaml"
COMPARE = {"above": operator.gt, "below": operator.lt}


def _compare(check, records, facts):
    """Verdict of a check, and what was compared."""
    column = "estimate" if "fact" in check else check.get("column", "p_value")
    name = check.get("fact") or f"{check['specification']} {check['term']} {column}"
    row = result_of(records, facts, check)
    if row is None:
        return "absent", f"no such result: {name}"
    word = next(word for word in COMPARE if word in check)
    value, bound = row[column], check[word]
    verdict = "passed" if COMPARE[word](value, bound) else "failed"
    return verdict, f"{name} = {value:.3g}, needs {word} {bound:g}"


def verdicts(items: list[dict], records, facts: dict, present, acknowledged: dict, stop=True):
    """Give every item its verdict.

    Parameters
    ----------
    items : list of dict
        ``id``, ``item``, ``artefact`` (path) and, for a check, ``check``: a ``fact`` or a
        ``specification`` and ``term`` (with ``column``, p_value without), and ``above`` or
        ``below`` a number; ``headline`` names what a failure would invalidate.
    records, facts
        As in :func:`monotowns.manuscript.claims.check_claims`.
    present : collection of str
        Paths that exist.
    acknowledged : dict
        Item's id -> reason why the study stands although its check failed.
    stop : bool
        Whether a fault stops the build.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``item``, ``artefact``, ``verdict`` (``shown``, ``passed``, ``failed``, ``absent``),
        ``told`` (what was compared) and ``reason``.

    Raises
    ------
    InputError
        With ``stop``: an artefact or a result does not exist; a check that invalidates a headline
        failed and is not acknowledged; a reason is given for a check that did not fail.
    """
    rows = []
    for item in items:
        verdict, compared = "shown", ""
        if item["artefact"] not in present:
            verdict, compared = "absent", f"no such artefact: {item['artefact']}"
        elif "check" in item:
            verdict, compared = _compare(item["check"], records, facts)
        reason = acknowledged.get(item["id"], "") if verdict == "failed" else ""
        rows.append((item["id"], item["item"], item["artefact"], verdict, compared, reason))
    table = pd.DataFrame(rows, columns=["id", "item", "artefact", "verdict", "told", "reason"])
    if not stop:
        return table
    absent, failed = table["verdict"] == "absent", table["verdict"] == "failed"
    if absent.any():
        keys = table.loc[absent, "id"] + ": " + table.loc[absent, "told"]
        raise InputError(WHERE, "what an item shows does not exist", keys=keys)
    headlines = table["id"].isin([item["id"] for item in items if "headline" in item])
    unexplained = table[failed & headlines & (table["reason"] == "")]
    if len(unexplained):
        raise InputError(
            WHERE,
            "a check that a headline rests on failed",
            keys=unexplained["id"] + ": " + unexplained["told"],
            remedy="find out why, or acknowledge it with a reason in config.yaml, "
            "which the paper then prints",
        )
    if idle := sorted(set(acknowledged) - set(table.loc[failed, "id"])):
        problem = "a reason for a check that did not fail"
        raise InputError("config.yaml, acknowledged", problem, keys=idle)
    return table
