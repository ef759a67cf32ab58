"""Samples on which a staggered status is estimated anew: placebo dates, groups, clean rings."""

import numpy as np
import pandas as pd

from monotowns.estimate import staggered
from monotowns.estimate.record import Fit
from monotowns.measures.agglomeration import great_circle_km


def moved_back(rows: pd.DataFrame, cohort: str, years: int) -> pd.DataFrame:
    """Untreated rows with the status dated some years too early: an effect that cannot be.

    Entities without a row before the moved date are left out.
    """
    untreated = rows[(rows[cohort] == 0) | (rows["year"] < rows[cohort])].copy()
    untreated[cohort] = np.where(untreated[cohort] > 0, untreated[cohort] - years, 0)
    start = untreated.groupby("entity")["year"].transform("min")
    return untreated[(untreated[cohort] == 0) | (start < untreated[cohort])]


def away_from_unknown(frame: pd.DataFrame, rows: pd.DataFrame, cohort: str, km: float):
    """Leave out entities near a holder of the status that is not among the rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        All entity-years with ``lat``, ``lon`` and ``cohort`` (0 = never, missing = undated).
    rows : pandas.DataFrame
        The part of them that is to be estimated on.

    Returns
    -------
    pandas.DataFrame
        Rows with coordinates, of entities seen before the first cohort, further than ``km`` from
        every holder outside of them.
    """
    place = frame.dropna(subset=["lat", "lon"]).drop_duplicates("entity")
    holders = place[place[cohort] != 0]
    unknown = holders[~holders["entity"].isin(rows["entity"])]
    known = rows.dropna(subset=["lat", "lon"])
    start = known.groupby("entity")["year"].transform("min")
    known = known[start < known.loc[known[cohort] > 0, cohort].min()]
    mine = known.drop_duplicates("entity")
    distance = great_circle_km(
        *(mine[c].to_numpy()[:, None] for c in ("lat", "lon")),
        *(unknown[c].to_numpy() for c in ("lat", "lon")),
    )
    near = mine.loc[(distance <= km).any(axis=1), "entity"]
    return known[~known["entity"].isin(near)]


def in_turn(parts: dict, outcome: str, cohort: str) -> Fit:
    """Imputation's average effect on each of several samples (term -> rows), as one result."""
    fits = {name: staggered.imputation(rows, outcome, cohort) for name, rows in parts.items()}
    terms = pd.concat([fit.terms[fit.terms["term"] == "att"] for fit in fits.values()])
    whole = pd.concat(list(parts.values())).drop_duplicates(["entity", "year"])
    entities = whole["entity"].nunique()
    return Fit(
        terms.assign(term=list(fits)).reset_index(drop=True),
        "imputation",
        next(iter(fits.values())).variance.split(";")[0],
        len(whole),
        entities,
        entities,
    )


def conditional(rows: pd.DataFrame, outcome: str, cohort: str, group: str, year: int, seed: int):
    """Callaway and Sant'Anna given the group and the outcome's level of one early year."""
    level = rows[rows["year"] == year].set_index("entity")[outcome]
    values = sorted(rows[group].dropna().unique())[:-1]
    dummies = {f"{group}_{value:g}": (rows[group] == value).astype(float) for value in values}
    given = rows.assign(level=rows["entity"].map(level), **dummies).dropna(subset=["level"])
    return staggered.callaway_santanna(
        given, outcome, cohort, seed=seed, covariates=["level", *dummies]
    )
