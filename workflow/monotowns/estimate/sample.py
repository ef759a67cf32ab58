"""Samples, dummies and products, and the checks that every specification passes."""

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError
from monotowns.run.schema import nearest
from monotowns.run.settings import columns_of


def holds(frame: pd.DataFrame, conditions: dict) -> np.ndarray:
    """Say on which rows all conditions hold.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``year``; the words ``first`` and ``last`` stand for its ends.
    conditions : dict
        Column -> list of values, or a mapping with ``min``, ``max`` (ends included), ``not``
        (list; a missing value is none of them) or ``known`` (true or false). A missing value
        fails a list and a range.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    ends = {"first": frame["year"].min(), "last": frame["year"].max()}

    def value(word):
        return ends.get(word, word) if isinstance(word, str) else word

    good = np.ones(len(frame), dtype=bool)
    for column, condition in conditions.items():
        if column not in frame:
            raise DesignError(
                f"condition on {column}",
                "no such column in the panel",
                remedy=nearest(column, frame.columns),
            )
        values = frame[column]
        if isinstance(condition, list):
            good &= values.isin([value(v) for v in condition]).to_numpy()
            continue
        if "min" in condition:
            good &= (values >= value(condition["min"])).to_numpy()
        if "max" in condition:
            good &= (values <= value(condition["max"])).to_numpy()
        if "not" in condition:
            good &= ~values.isin([value(v) for v in condition["not"]]).to_numpy()
        if "known" in condition:
            good &= (values.notna() == condition["known"]).to_numpy()
    return good


def join(frame: pd.DataFrame, name: str, table: pd.DataFrame, keys: list) -> pd.DataFrame:
    """Join a table to the panel by its key columns; rows that it lacks are missing.

    Raises
    ------
    DesignError
        A key column is missing on a side or repeats, or another column is in the panel already.
    """
    where = f"joined table {name}"
    absent = [k for k in keys if k not in table or k not in frame]
    if absent:
        raise DesignError(
            where,
            "no such key column",
            keys=absent,
            expected=f"columns of both: {', '.join(table.columns)}",
        )
    again = table[table.duplicated(keys)]
    if len(again):
        raise DesignError(
            where, "a key stands twice", keys=again[keys].itertuples(index=False, name=None)
        )
    known = [c for c in table if c in frame and c not in keys]
    if known:
        raise DesignError(
            where,
            "the panel has these columns already",
            keys=known,
            remedy="rename them in the reader",
        )
    return frame.merge(table, on=keys, how="left", validate="m:1")


def derive(frame: pd.DataFrame, name: str, rule: dict, where: str) -> pd.Series:
    """Make an outcome of columns of the panel: ``of``, over ``per``, its ``log``.

    A value of which there is no logarithm is missing.
    """
    for column in (rule["of"], rule.get("per", rule["of"])):
        if column not in frame:
            raise DesignError(
                where,
                f"'{name}' is made of a column that is not in the panel",
                keys=[column],
                remedy=nearest(column, frame.columns),
            )
    values = frame[rule["of"]].astype(float)
    if "per" in rule:
        values = values / frame[rule["per"]]
    return np.log(values.where(values > 0)) if rule.get("log") else values


def with_columns(frame: pd.DataFrame, spec: dict, where: str) -> pd.DataFrame:
    """Add the derived columns, dummies and products (``a:b``) that a specification names.

    Raises
    ------
    DesignError
        When a column does not exist, with the nearest that does.
    """
    made = {k: derive(frame, k, v, where) for k, v in spec.get("derived", {}).items()}
    frame = frame.assign(**made)
    frame = frame.assign(**{k: holds(frame, v).astype(float) for k, v in spec["dummies"].items()})
    for column in columns_of(spec):
        for part in column.split(":"):
            if part not in frame:
                raise DesignError(
                    where,
                    "no such column in the panel",
                    keys=[part],
                    remedy=nearest(part, frame.columns),
                )
        if ":" in column:
            frame[column] = frame[column.split(":")].astype(float).prod(axis=1, skipna=False)
    return frame


def check(frame: pd.DataFrame, name: str, spec: dict) -> pd.DataFrame:
    """Refuse what cannot be estimated; return the rows with all columns present.

    Raises
    ------
    DesignError
        The sample is empty, a key is doubled, there are fewer than two clusters, the base year of
        an event study is not in the sample, or a treatment does not vary.
    """
    where = f"specification {name}"
    rows = frame.dropna(subset=columns_of(spec))
    if rows.empty:
        raise DesignError(where, "the sample is empty", keys=[spec["sample"]])
    doubled = rows.duplicated(["entity", "year"])
    if doubled.any():
        keys = rows.loc[doubled, ["entity", "year"]].itertuples(index=False, name=None)
        raise DesignError(where, "an entity-year stands twice", keys=keys)
    if rows[spec["cluster"]].nunique() < 2:
        raise DesignError(where, "fewer than two clusters", keys=[spec["cluster"]])
    if "base" in spec and spec["base"] not in set(rows["year"]):
        raise DesignError(
            where,
            "the base year is not in the sample",
            keys=[spec["base"]],
            expected=f"{rows['year'].min()} to {rows['year'].max()}",
        )
    treatments = spec["treatment"]
    for treatment in [treatments] if isinstance(treatments, str) else treatments:
        if rows[treatment].nunique() < 2:
            raise DesignError(where, "the treatment does not vary", keys=[treatment])
    return rows
