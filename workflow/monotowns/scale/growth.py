"""How time and memory of the stages grow with the panel: exponents of fitted power laws."""

import numpy as np
import pandas as pd


def exponent(sizes, values) -> float:
    """Slope of log values on log sizes by least squares; missing with fewer than two sizes.

    Parameters
    ----------
    sizes, values : array_like, shape (k,)
        Positive.
    """
    sizes, values = np.log(np.asarray(sizes, float)), np.log(np.asarray(values, float))
    if len(np.unique(sizes)) < 2:
        return float("nan")
    return float(np.polyfit(sizes, values, 1)[0])


def growth_table(records: list[dict], limits: dict) -> pd.DataFrame:
    """One row a stage and size, with the exponents of the stage.

    Parameters
    ----------
    records : list of dict
        ``stage``, ``copies``, ``rows`` and ``entities`` (used), ``seconds`` (of the processor)
        and ``peak_mb`` of one job. Jobs of one stage and size are added up: seconds by their sum,
        memory by the largest.
    limits : dict
        Stage -> ``copies`` that it is carried to, where not to all, and ``reason``.

    Returns
    -------
    pandas.DataFrame
        ``stage``, ``copies``, ``entities``, ``rows``, ``jobs``, ``seconds``, ``peak_mb``; in the
        copies, ``time_exponent`` and ``memory_exponent`` over all sizes and
        ``time_exponent_last`` over the two largest, where what does not grow weighs least;
        ``note``.
    """
    table = pd.DataFrame(records)
    keys = ["stage", "copies"]
    table = table.groupby(keys, sort=False, as_index=False).agg(
        entities=("entities", "max"), rows=("rows", "max"), jobs=("seconds", "size"),
        seconds=("seconds", "sum"), peak_mb=("peak_mb", "max"),
    )  # fmt: skip
    order = {stage: place for place, stage in enumerate(table["stage"].unique())}
    table = table.sort_values(keys, key=lambda c: c.map(order) if c.name == "stage" else c)
    fitted = {}
    for stage, part in table.groupby("stage"):
        last = part.tail(2)
        fitted[stage] = {
            "time_exponent": exponent(part["copies"], part["seconds"]),
            "time_exponent_last": exponent(last["copies"], last["seconds"]),
            "memory_exponent": exponent(part["copies"], part["peak_mb"]),
        }
    for column in ("time_exponent", "time_exponent_last", "memory_exponent"):
        table[column] = table["stage"].map({s: of[column] for s, of in fitted.items()})
    note = {stage: f"up to {of['copies']} copies: {of['reason']}" for stage, of in limits.items()}
    return table.assign(note=table["stage"].map(note).fillna("")).reset_index(drop=True)
