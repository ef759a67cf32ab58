"""The numbers that the manuscript may print: named in one place, formatted in one place."""

import math

import numpy as np

from monotowns.estimate.power import minimum_detectable_effect
from monotowns.run.errors import InputError

#: Kind of number -> decimals.
DECIMALS = {"count": 0, "estimate": 3, "share": 1, "correlation": 2, "km": 0, "ratio": 2}


def written(value, kind: str) -> str:
    """Write a number as the manuscript prints it, with a true minus.

    Parameters
    ----------
    value : float, int or str
    kind : str
        A key of :data:`DECIMALS`; ``percent`` (log points as a signed percentage change), ``p``
        (with its relation sign), ``year`` or ``text``.

    Raises
    ------
    InputError
        When the value is not finite or the kind unknown: neither may reach the text.
    """
    if kind in ("text", "year"):
        return str(value)
    if not math.isfinite(value):
        raise InputError("numbers of the text", "a number is not finite", found=value)
    if kind == "percent":
        text = f"{100 * np.expm1(value):+.1f}"
    elif kind == "p":
        text = "< 0.001" if value < 0.001 else f"= {value:.3f}"
    elif kind in DECIMALS:
        text = f"{value:,.{DECIMALS[kind]}f}"
    else:
        raise InputError("numbers of the text", "unknown kind", keys=[kind], expected=DECIMALS)
    if kind != "p" and not text.strip("+-0.,"):
        # A negative number that rounds to zero has no sign.
        return text.lstrip("-")
    return text.replace("-", "−")


def detectable(standard_error, clusters) -> float:
    """Minimum detectable effect at 80 per cent power; without clusters by the normal."""
    df = clusters - 1 if clusters > 1 else math.inf
    return float(minimum_detectable_effect(standard_error, df=df))


def of_records(records) -> dict[str, str]:
    """Numbers of the result records.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records. A specification's first row of a term is its own; further rows of the same
        term under another variance are known by the first word of that variance.

    Returns
    -------
    dict
        ``<specification>.n``, ``.entities``, ``.clusters``, and by term
        ``<specification>.<term>[.<variance>].estimate``, ``.se``, ``.low``, ``.high``, ``.p``,
        ``.percent`` and ``.mde``.
    """
    return {name: text for name, (text, _) in _by_name(records).items()}


def rows_of(records) -> dict[str, int]:
    """The row of the result records, by position, that every number of them is read from."""
    return {name: row for name, (_, row) in _by_name(records).items()}


def _by_name(records):
    """Name -> the number as it is printed, and the position of its row."""
    found = {}
    for place, row in enumerate(records.itertuples(index=False)):
        key = f"{row.specification}.{row.term}"
        if f"{key}.estimate" in found:
            key = f"{key}.{row.variance.split('(')[0].split(',')[0].strip().lower()}"
        texts = {f"{key}.estimate": written(row.estimate, "estimate")}
        sizes = {"n": row.n_obs, "entities": row.n_entities, "clusters": row.n_clusters}
        for name, size in sizes.items():
            if f"{row.specification}.{name}" not in found:
                texts[f"{row.specification}.{name}"] = written(size, "count")
        bounds = {"se": row.standard_error, "low": row.ci_low, "high": row.ci_high}
        texts |= {f"{key}.{k}": _bound(v) for k, v in bounds.items() if not math.isnan(v)}
        if not math.isnan(row.p_value):
            texts[f"{key}.p"] = written(row.p_value, "p")
        if not math.isnan(row.standard_error):
            texts[f"{key}.percent"] = written(row.estimate, "percent")
            texts[f"{key}.mde"] = written(
                detectable(row.standard_error, row.n_clusters), "estimate"
            )
        found |= {name: (text, place) for name, text in texts.items()}
    return found


def _bound(value) -> str:
    """A bound of an interval; a confidence set may have none."""
    return written(value, "estimate") if math.isfinite(value) else "∞" if value > 0 else "−∞"


def of_facts(*groups: dict) -> dict[str, str]:
    """Numbers that analyses report beside their records: groups of name -> [value, kind].

    Raises
    ------
    InputError
        Two groups have the same name.
    """
    found = {}
    for group in groups:
        if twice := sorted(set(found) & set(group)):
            raise InputError("numbers of the text", "a name is given twice", keys=twice)
        found |= {name: written(*fact) for name, fact in group.items()}
    return found
