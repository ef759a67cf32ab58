"""Samples, dummies and products, and the conditions that the rows of a specification satisfy."""

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError
from monotowns.run.schema import nearest


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
    """Make a column of columns of the panel: ``of``, over ``per``, its ``log``, ``less`` a number.

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
    values = np.log(values.where(values > 0)) if rule.get("log") else values
    return values - rule.get("less", 0)


def columns_of(spec: dict) -> list[str]:
    """Columns that a specification uses, products as they are written."""
    treatment = spec["treatment"]
    found = [spec["outcome"], *([treatment] if isinstance(treatment, str) else treatment)]
    for key in ("instruments", "controls", "fixed_effects"):
        found += spec.get(key, [])
    return [*found, spec["cluster"], *([spec["weights"]] if "weights" in spec else [])]


def needed(spec: dict) -> set[str]:
    """Columns of the panel from which a specification's sample, dummies and products are made."""
    derived = spec.get("derived", {})
    found = {part for column in columns_of(spec) for part in column.split(":")}
    for conditions in (spec["rows"], *spec["dummies"].values()):
        found |= set(conditions)
    for rule in derived.values():
        found |= {rule["of"], rule.get("per", rule["of"])}
    place = {"lat", "lon"} if spec.get("variances") else set()
    return (found - set(derived) - set(spec["dummies"])) | place | {"entity", "year"}


def prepare(panel: pd.DataFrame, *tables: pd.DataFrame, joined=(), places=None) -> pd.DataFrame:
    """Join tables to the panel of a layer and write the TOSER cohort as the estimators want it.

    ``toser_cohort`` is the first year of the status, 0 for never; an undated status is neither
    treated nor a control, so its cohort is missing.

    Parameters
    ----------
    panel : pandas.DataFrame
        In the layer of cities the city is the unit: it becomes ``entity``, and the entity in which
        it lies ``place``.
    *tables : pandas.DataFrame
        By ``entity`` and ``year``, or by ``entity`` alone.
    places : pandas.DataFrame, optional
        What an entity is; columns that the panel has already are the panel's own.
    joined : sequence of (str, pandas.DataFrame, list of str)
        Further tables: name, rows, key columns.

    Raises
    ------
    DesignError
        A further table lacks a key, repeats one, or has a column that the panel has already.
    """
    frame = panel
    for table in tables:
        keys = ["entity", "year"] if "year" in table else ["entity"]
        frame = frame.merge(table, on=keys, how="left", validate="m:1")
    for name, table, keys in joined:
        frame = join(frame, name, table, keys)
    if places is not None:
        key = "entity"
        if "city" in frame:
            key = "place"
            frame = frame.rename(columns={"entity": key, "city": "entity"})
            places = places.rename(columns={"entity": key})
        new = [column for column in places if column not in frame]
        frame = frame.merge(places[[key, *new]], on=key, how="left", validate="m:1")
    cohort = frame["toser"].fillna(0).where(frame["toser"] != 0)
    return frame.assign(toser_cohort=cohort)


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
        if column in spec.get("fixed_effects", []) and ":" in column:
            # A level is a combination of levels; where one is missing, so is the combination.
            frame[column] = (
                frame.groupby(column.split(":"), sort=False).ngroup().replace(-1, np.nan)
            )
        elif ":" in column:
            frame[column] = frame[column.split(":")].astype(float).prod(axis=1, skipna=False)
    return frame


def draw(frame: pd.DataFrame, spec: dict, where: str, beside=()) -> tuple:
    """Draw the sample of a specification, with the columns it needs and those named beside.

    Returns
    -------
    panel, drawn, rows : pandas.DataFrame
        All rows; those of its sample and window; those of them in which it misses no value.
    """
    columns = needed(spec) | set(beside)
    panel = with_columns(frame[[c for c in frame if c in columns]], spec, where)
    years = spec.get("years", {})
    drawn = panel[holds(panel, spec["rows"])]
    drawn = drawn[drawn["year"].between(years.get("first", 0), years.get("last", 9999))]
    return panel, drawn, drawn.dropna(subset=columns_of(spec))


def not_empty(rows: pd.DataFrame, spec: dict) -> None:
    """Refuse a sample without rows."""
    if rows.empty:
        raise DesignError("sample", "the sample is empty", keys=[spec["sample"]])


def keys_are_unique(rows: pd.DataFrame, spec: dict) -> None:
    """Refuse an entity that stands twice in a year."""
    doubled = rows.loc[rows.duplicated(["entity", "year"]), ["entity", "year"]]
    if len(doubled):
        keys = doubled.itertuples(index=False, name=None)
        raise DesignError("sample", "an entity-year stands twice", keys=keys)


def two_clusters(rows: pd.DataFrame, spec: dict) -> None:
    """Refuse a sample whose errors fall into one cluster."""
    if rows[spec["cluster"]].nunique() < 2:
        raise DesignError("sample", "fewer than two clusters", keys=[spec["cluster"]])


#: Conditions on the rows of every estimator.
ALWAYS = (not_empty, keys_are_unique, two_clusters)


def treatment_varies(rows: pd.DataFrame, spec: dict) -> None:
    """Refuse a treatment that does not vary, or a dummy that a single entity has or lacks."""
    treatments = spec["treatment"]
    for treatment in [treatments] if isinstance(treatments, str) else treatments:
        values = rows[treatment].unique()
        if len(values) < 2:
            raise DesignError("sample", "the treatment does not vary", keys=[treatment])
        counts = rows.groupby(treatment)["entity"].nunique()
        if len(values) == 2 and counts.min() < 2:
            entity = rows.loc[rows[treatment] == counts.idxmin(), "entity"].iloc[0]
            raise DesignError(
                "sample",
                f"{treatment} is {counts.idxmin():g} for a single entity",
                keys=[entity],
                expected="at least two entities on each side: one has no spread to learn from",
            )


def base_year_is_seen(rows: pd.DataFrame, spec: dict) -> None:
    """Refuse an event study whose base year is missing for a value of the treatment."""
    base, treatment = spec["base"], spec["treatment"]
    seen = rows[rows["year"] == base]
    if seen.empty:
        span = f"{rows['year'].min()} to {rows['year'].max()}"
        raise DesignError(
            "sample", "the base year is not in the sample", keys=[base], expected=span
        )
    if seen[treatment].nunique() < 2:
        problem = f"no row of {base} with another {treatment} than {seen[treatment].iloc[0]:g}"
        raise DesignError("sample", problem, keys=[base], expected="both sides in the base year")
