"""Shift-share exposure of towns and regions to the national growth of industries.

The growth that a unit meets leaves out its own region, so that a town which makes the nation's
figure is not explained by itself (Borusyak, Hull and Jaravel 2022). Shares and shocks come back
with the exposure: its inference runs over shocks, not over units (Adao, Kolesar and Morales 2019).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from monotowns.measures.classification import (
    BREAK_YEAR,
    CLASSIFICATIONS,
    GROUP_OF,
    classification_steps,
    comparable_groups,
    refuse_doubled,
    refuse_missing,
)
from monotowns.measures.industry import real_gva
from monotowns.run.errors import DesignError


@dataclass(frozen=True)
class ShiftShare:
    """Exposure with what it is made of.

    Attributes
    ----------
    exposure : pandas.Series, shape (n,)
        Sum over industries of the unit's share times the growth outside its region.
    shares : pandas.DataFrame, shape (n, S)
        Units down, industries across; rows add up to 1.
    shocks : pandas.Series, shape (S,)
        Growth of each industry in all regions, log points.
    """

    exposure: pd.Series
    shares: pd.DataFrame
    shocks: pd.Series

    def effective_shocks(self, weights=None) -> float:
        """Inverse Herfindahl index of the industries' average shares.

        Parameters
        ----------
        weights : array_like, shape (n,), optional
            Of the units in the estimation; equal by default.

        Returns
        -------
        float
            From 1 to the number of industries: the sample size that counts (Borusyak, Hull and
            Jaravel 2022).
        """
        average = np.average(self.shares.to_numpy(), axis=0, weights=weights)
        return float(1 / (average**2).sum())


def industry_growth(gva, first, last, by="group", steps=None):
    """Growth of industries over a window, nationally and outside each region.

    Parameters
    ----------
    gva : pandas.DataFrame
        ``region``, ``year``, the column ``by`` and ``gva`` (constant roubles).
    first, last : int
        Window; regions that are observed in both years enter.
    by : str
        ``"group"``, or ``"section"`` where the window lies in one classification.
    steps : pandas.Series, optional
        See :func:`monotowns.measures.classification.classification_steps`;
        taken off the growth when the window spans 2016.

    Returns
    -------
    national : pandas.Series, shape (S,)
        Log growth, indexed by industry. Industries that are absent at either end (households'
        own production) are left out.
    outside : pandas.DataFrame, shape (regions, S)
        The same without the region; every region of ``gva`` has a row.

    Raises
    ------
    DesignError
        A year is absent, a row doubled, a value missing, sections are compared across 2016, or
        the window spans 2016 with ``by="group"`` and no steps.
    """
    where, keys = f"growth of industries {first}-{last}", ["region", "year", by]
    absent = sorted({first, last} - set(gva["year"]))
    if absent or first >= last:
        raise DesignError(where, "no such window", keys=absent, expected="two years in order")
    spans = first < BREAK_YEAR <= last
    if spans and (by == "section" or steps is None):
        raise DesignError(
            where,
            "the classification changes within the window",
            remedy="use comparable groups and their steps of 2016",
        )
    ends = gva[gva["year"].isin([first, last])]
    refuse_doubled(ends, keys, where)
    refuse_missing(ends, ["gva"], keys, where)
    wide = ends.pivot(index="region", columns=["year", by], values="gva")
    start, end = (wide[year].dropna(how="all").fillna(0.0) for year in (first, last))
    regions = start.index.intersection(end.index)
    industries = start.columns.intersection(end.columns)
    start, end = (part.loc[regions, industries] for part in (start, end))
    alive = (start.sum() > 0) & (end.sum() > 0)
    start, end = start.loc[:, alive], end.loc[:, alive]
    off = steps.reindex(start.columns).to_numpy() if spans else 0.0
    national = np.log(end.sum() / start.sum()) - off
    every = sorted(gva["region"].unique())
    own_start, own_end = (part.reindex(every).fillna(0.0) for part in (start, end))
    left = (start.sum() - own_start, end.sum() - own_end)
    single = (left[0] <= 0) | (left[1] <= 0)
    outside = np.log((left[1] / left[0]).mask(single)) - off
    return national.rename("growth"), outside


def shift_share(shares, region, national, outside) -> ShiftShare:
    """Exposure of units to the growth of industries outside their region.

    Parameters
    ----------
    shares : pandas.DataFrame, shape (n, S)
        Units down, industries across; not negative, rows add up to 1.
    region : pandas.Series, shape (n,)
        Region of each unit, same index.
    national, outside
        See :func:`industry_growth`.

    Returns
    -------
    ShiftShare
        Industries in which no unit has a share are left out.

    Raises
    ------
    DesignError
        Shares are negative or do not add up to 1, a unit stands twice, an industry has no growth,
        or a unit's region does: it is unknown, or alone in an industry that the unit has.
    """
    where = "shift-share"
    twice = shares.index.duplicated()
    if twice.any():
        raise DesignError(where, "a unit stands twice", keys=shares.index[twice])
    bad = (shares < 0).any(axis=1) | ~np.isclose(shares.sum(axis=1), 1)
    if bad.any():
        raise DesignError(
            where,
            "shares are no shares",
            keys=shares.index[bad],
            expected="not negative, adding up to 1",
        )
    shares = shares.loc[:, (shares > 0).any()]
    unknown = shares.columns.difference(national.index)
    if len(unknown):
        raise DesignError(where, "no growth of an industry", keys=unknown)
    growth = outside.reindex(index=region.loc[shares.index], columns=shares.columns).to_numpy()
    lost = (np.isnan(growth) & (shares.to_numpy() > 0)).any(axis=1)
    if lost.any():
        raise DesignError(where, "no growth outside the unit's region", keys=shares.index[lost])
    exposure = np.nansum(shares.to_numpy() * growth, axis=1)
    return ShiftShare(
        pd.Series(exposure, index=shares.index, name="exposure"),
        shares,
        national.loc[shares.columns],
    )


def town_shares(industries: pd.DataFrame, by="group") -> pd.DataFrame:
    """Industries of entities through the main industries of their monotowns.

    Parameters
    ----------
    industries : pandas.DataFrame
        ``entity``, ``town``, ``section`` (OKVED2 letter, missing where unknown); a town named with
        several industries counts in equal parts, and so do the towns of an entity.
    by : {"group", "section"}

    Returns
    -------
    pandas.DataFrame, shape (n, S)
        One row an entity that has a town of known industry; rows add up to 1.

    Raises
    ------
    DesignError
        A letter is no section.
    """
    rows = industries.dropna(subset=["entity", "section"])
    unit = rows["section"]
    known = [(CLASSIFICATIONS[1], letter) in GROUP_OF for letter in unit]
    if not all(known):
        raise DesignError(
            "main industries",
            "no section of OKVED2",
            keys=sorted(set(unit[[not k for k in known]])),
        )
    if by == "group":
        unit = unit.map(lambda letter: GROUP_OF[CLASSIFICATIONS[1], letter])
    counts = pd.crosstab([rows["entity"], rows["town"]], unit.rename(by))
    parts = counts.div(counts.sum(axis=1), axis=0).groupby("entity").mean()
    return parts.rename_axis(columns=by)


def region_shares(shares: pd.DataFrame, year: int, by="group") -> pd.DataFrame:
    """Industry shares of the regions in one year, rows adding up to 1.

    Parameters
    ----------
    shares : pandas.DataFrame
        ``region``, ``year``, the column ``by`` and ``share`` (per cent).

    Raises
    ------
    DesignError
        No region is observed in that year.
    """
    rows = shares[shares["year"] == year]
    if rows.empty:
        raise DesignError("regional shares", "no region in this year", keys=[year])
    wide = rows.pivot(index="region", columns=by, values="share").fillna(0.0)
    return wide.div(wide.sum(axis=1), axis=0)


def town_exposure(structure, grp, price, industries, first, last) -> ShiftShare:
    """Exposure of entities through the main industries of their monotowns.

    Sections where the window lies in OKVED2, comparable groups where it begins before 2016.

    Parameters
    ----------
    structure, grp, price
        See :func:`monotowns.measures.classification.comparable_groups` and
        :func:`monotowns.measures.industry.real_gva`.
    industries : pandas.DataFrame
        See :func:`town_shares`; also ``region``.
    first, last : int
        Window of growth.

    Returns
    -------
    ShiftShare
        Units are entities.
    """
    by = "section" if first >= BREAK_YEAR else "group"
    shares = town_shares(industries, by)
    gva = real_gva(structure if by == "section" else comparable_groups(structure), grp, price)
    steps = classification_steps(gva) if by == "group" else None
    growth = industry_growth(gva, first, last, by, steps)
    region = industries.drop_duplicates("entity").set_index("entity")["region"]
    return shift_share(shares, region, *growth)


def region_exposure(structure, grp, price, share_year, first, last) -> ShiftShare:
    """Exposure of regions through their structure of value added over comparable groups.

    Parameters
    ----------
    structure, grp, price, first, last
        See :func:`town_exposure`.
    share_year : int
        Year of the structure, not after ``first``.

    Returns
    -------
    ShiftShare
        Units are regions with GRP in ``share_year``.

    Raises
    ------
    DesignError
        The structure is of a year within the window.
    """
    if share_year > first:
        raise DesignError(
            "regional exposure",
            "the shares answer to the shocks",
            expected=f"{first} or before",
            found=share_year,
        )
    gva = real_gva(comparable_groups(structure), grp, price)
    growth = industry_growth(gva, first, last, steps=classification_steps(gva))
    shares = region_shares(gva, share_year)
    return shift_share(shares, pd.Series(shares.index, index=shares.index), *growth)
