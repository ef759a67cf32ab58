"""The referees' checklist: every item an artefact that exists or a check that can fail."""

import operator

import pandas as pd

from monotowns.run.errors import InputError

COMPARE = {"above": operator.gt, "below": operator.lt}


def _value(check, records, facts, where):
    """The number that a check looks at, and how it is told."""
    if "fact" in check:
        if check["fact"] not in facts:
            raise InputError(where, "no such fact", keys=[check["fact"]])
        return float(facts[check["fact"]][0]), check["fact"]
    rows = records[
        (records["specification"] == check["specification"])
        & (records["term"] == str(check["term"]))
    ]
    if rows.empty:
        raise InputError(where, "no such result", keys=[check["specification"], check["term"]])
    column = check.get("column", "p_value")
    return float(rows.iloc[0][column]), f"{check['specification']} {check['term']} {column}"


def walk(items: list[dict], records, facts: dict, present, acknowledged: dict, stop=True):
    """Give every item its verdict.

    Parameters
    ----------
    items : list of dict
        ``id``, ``item``, ``artefact`` (path) and, for a check, ``check``: a ``fact`` or a
        ``specification`` and ``term`` (with ``column``, p_value without), and ``above`` or
        ``below`` a number; ``headline`` names what a failure would invalidate.
    records : pandas.DataFrame
        Result records.
    facts : dict
        Name -> [value, kind].
    present : collection of str
        Paths that exist.
    acknowledged : dict
        Item's id -> reason why the study stands although its check failed.
    stop : bool
        Whether a fault stops the build; without, it is a verdict: ``absent`` for an artefact or a
        result that is not there.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``item``, ``artefact``, ``verdict`` (``shown``, ``passed``, ``failed``, ``absent``),
        ``told`` (what was compared) and ``reason``.

    Raises
    ------
    InputError
        With ``stop``: an artefact does not exist; a check that invalidates a headline failed and is
        not acknowledged; a reason is given for a check that did not fail, or for no item.
    """
    where = "paper/checklist.yaml"
    missing = [i["artefact"] for i in items if i["artefact"] not in present]
    if missing and stop:
        raise InputError(where, "an artefact does not exist", keys=missing)
    rows = []
    for item in items:
        verdict, told = "shown" if item["artefact"] in present else "absent", ""
        if "check" in item and verdict == "shown":
            try:
                value, name = _value(item["check"], records, facts, where)
            except InputError as error:
                if stop:
                    raise
                rows.append(
                    (item["id"], item["item"], item["artefact"], "absent", error.problem, "")
                )
                continue
            word = next(w for w in COMPARE if w in item["check"])
            bound = item["check"][word]
            verdict = "passed" if COMPARE[word](value, bound) else "failed"
            told = f"{name} = {value:.3g}, needs {word} {bound:g}"
        rows.append(
            (
                item["id"],
                item["item"],
                item["artefact"],
                verdict,
                told,
                acknowledged.get(item["id"], ""),
            )
        )
    table = pd.DataFrame(rows, columns=["id", "item", "artefact", "verdict", "told", "reason"])
    failed = table["verdict"] == "failed"
    if not stop:
        return table.assign(reason=table["reason"].where(failed, ""))
    stops = failed & table["id"].isin([i["id"] for i in items if "headline" in i])
    if (stops & (table["reason"] == "")).any():
        keys = table.loc[stops & (table["reason"] == ""), ["id", "told"]].agg(": ".join, axis=1)
        raise InputError(
            where,
            "a check that a headline rests on failed",
            keys=keys,
            remedy="find out why, or acknowledge it with a reason in config.yaml, "
            "which the paper then prints",
        )
    idle = sorted(set(acknowledged) - set(table.loc[failed, "id"]))
    if idle:
        raise InputError(
            "config.yaml, acknowledged", "a reason for a check that did not fail", keys=idle
        )
    return table
