"""Shift-share exposure of towns and regions to the national growth of industries.

The growth that a unit meets leaves out its own region, so that a town which makes the nation's
figure is not explained by itself (Borusyak, Hull and Jaravel 2022). Shares and shocks come back
with the exposure: its inference runs over shocks, not over units (Adao, Kolesar and Morales 2019).
"""

import numpy as np
import pandas as pd

from monotowns.measures.classification import (
    BREAK_YEAR,
    GROUP_OF,
    classification_steps,
    comparable_groups,
)
from monotowns.measures.industry import krugman, real_gva
from monotowns.run.errors import DesignError

#: Which evidence for a town's industry counts. The section that it names is safe throughout, the
#: group of divisions less so: the two narrower sets show what rests on the weaker evidence.
EVIDENCE = {
    "all": ("town-forming", "main", "located", "dated", "weak"),
    "evidenced": ("town-forming", "main", "located"),
    "strong": ("town-forming", "main"),
}
#: In the table of growth, the row of all regions: nobody's is left out.
NONE = "none"


def of_year(gva, year):
    """Rows of a table of value added in a year of the settings, which must be there."""
    rows = gva[gva["year"] == year]
    if rows.empty:
        raise DesignError("exposure", "no structure of value added in this year", keys=[year])
    return rows


def industry_growth(gva, first, last):
    """Growth of industries over a window, nationally and outside each region.

    Parameters
    ----------
    gva : pandas.DataFrame
        ``region``, ``year``, ``industry``, ``share`` and ``gva`` (constant roubles). Comparable
        groups if the window spans 2016: their steps are then taken off the growth.
    first, last : int
        Window; regions that are observed in both years enter.

    Returns
    -------
    national : pandas.Series, shape (S,)
        Log growth, indexed by industry. Industries that are absent at either end (households'
        own production) are left out.
    outside : pandas.DataFrame, shape (regions, S)
        The same without the region; every region of ``gva`` has a row.
    """
    ends = (
        of_year(gva, year).pivot(index="region", columns="industry", values="gva")
        for year in (first, last)
    )
    start, end = (part.fillna(0.0) for part in next(ends).align(next(ends), join="inner"))
    alive = (start.sum() > 0) & (end.sum() > 0)
    start, end = start.loc[:, alive], end.loc[:, alive]
    step = classification_steps(gva)[start.columns] if first < BREAK_YEAR <= last else 0.0
    national = np.log(end.sum() / start.sum()) - step
    regions = sorted(gva["region"].unique())
    rest = [part.sum() - part.reindex(regions).fillna(0.0) for part in (start, end)]
    ratio = (rest[1] / rest[0]).where((rest[0] > 0) & (rest[1] > 0))
    return national.rename("growth"), np.log(ratio) - step


def shift_share(shares, region, national, outside):
    """Exposure of units to the growth of industries outside their region.

    Parameters
    ----------
    shares : pandas.DataFrame, shape (n, S)
        Units down, industries across; rows add up to 1.
    region : pandas.Series, shape (n,)
        Region of each unit, same index.
    national, outside
        See :func:`industry_growth`.

    Returns
    -------
    exposure : pandas.Series, shape (n,)
        Sum over industries of the unit's share times the growth outside its region, log points.
    shares, shocks : pandas.DataFrame, pandas.Series
        Of the industries in which a unit has a share; the growth of these in all regions.

    Raises
    ------
    DesignError
        A unit has an industry without growth outside its region: the industry or the region is
        unknown, or the region is alone in it.
    """
    growth = outside.reindex(index=region[shares.index], columns=shares.columns).to_numpy()
    lost = (np.isnan(growth) & (shares > 0)).any(axis=1)
    if lost.any():
        raise DesignError(
            "shift-share", "no growth outside the unit's region", keys=shares.index[lost]
        )
    exposure = pd.Series(np.nansum(shares * growth, axis=1), shares.index)
    used = shares.loc[:, (shares > 0).any()]
    return exposure, used, national[used.columns]


def town_shares(industries: pd.DataFrame) -> pd.DataFrame:
    """Shares of industries in the entities whose monotowns' main industries are known.

    Of the columns ``entity``, ``town`` and ``industry`` (missing where unknown): a town named with
    several industries counts in equal parts, and so do the towns of an entity.
    """
    rows = industries.dropna(subset=["entity", "industry"])
    counts = pd.crosstab([rows["entity"], rows["town"]], rows["industry"])
    return counts.div(counts.sum(axis=1), axis=0).groupby("entity").mean()


def town_exposure(structure, grp, price, industries, first, last):
    """Exposure of entities through the main industries of their monotowns, see :func:`shift_share`.

    Sections where the window lies in OKVED2, comparable groups where it begins before 2016.
    """
    activities = structure.rename(columns={"section": "industry"})
    industry = industries["section"]
    if first < BREAK_YEAR:
        activities = comparable_groups(structure)
        industry = industry.map({x: g for (system, x), g in GROUP_OF.items() if system == "OKVED2"})
    shares = town_shares(industries.assign(industry=industry))
    region = industries.drop_duplicates("entity").set_index("entity")["region"]
    growth = industry_growth(real_gva(activities, grp, price), first, last)
    return shift_share(shares, region, *growth)


def region_exposure(groups, share_year, first, last):
    """Exposure of regions through their structure of value added in a year before the growth."""
    if share_year > first:
        raise DesignError(
            "exposure.share_year",
            "the shares answer to the shocks",
            expected=f"{first} or before",
            found=share_year,
        )
    wide = of_year(groups, share_year).pivot(index="region", columns="industry", values="share")
    shares = wide.fillna(0.0).div(wide.sum(axis=1), axis=0)
    region = pd.Series(shares.index, index=shares.index)
    return shift_share(shares, region, *industry_growth(groups, first, last))


def build_exposure(structure, grp, price, industries, entities, window):
    """Exposures and regional industry of every entity, with their shares and shocks.

    Parameters
    ----------
    structure, grp, price
        See :func:`.comparable_groups` and :func:`.real_gva`.
    industries : pandas.DataFrame
        From :func:`monotowns.measures.entities.locate_industries`.
    entities : pandas.DataFrame
        ``entity``, ``region``.
    window : dict
        ``share_year``, ``base``, ``last``.

    Returns
    -------
    table : pandas.DataFrame
        ``entity``; ``town_exposure``, ``firm_town_exposure`` (missing where no monotown has a
        known industry), ``region_exposure`` (log points of growth); ``manufacturing_base`` (share
        of GVA, 0 to 1), ``specialisation_base`` (Krugman index) of the region in the base year.
    shares : pandas.DataFrame
        ``unit`` (``town``, ``firm_town`` or ``region``), ``key`` (entity or region), ``industry``,
        ``share``.
    shocks : pandas.DataFrame
        ``unit``, ``industry``, ``growth``.
    """
    span = (window["base"], window["last"])
    firm = industries[~industries["strength"].isin(["dated", "weak"])]
    groups = real_gva(comparable_groups(structure), grp, price)
    parts = {
        "town": town_exposure(structure, grp, price, industries, *span),
        "firm_town": town_exposure(structure, grp, price, firm, *span),
        "region": region_exposure(groups, window["share_year"], *span),
    }
    table = entities[["entity", "region"]].sort_values("entity", ignore_index=True)
    for unit, (exposure, _, _) in parts.items():
        key = table["region" if unit == "region" else "entity"]
        table[f"{unit}_exposure"] = key.map(exposure)
    base = of_year(groups, window["base"])
    manufacturing = base[base["industry"] == "manufacturing"].set_index("region")["share"]
    table["manufacturing_base"] = table["region"].map(manufacturing) / 100
    table["specialisation_base"] = table["region"].map(krugman(base))
    long = {
        unit: shares.rename_axis("key").stack().rename("share")
        for unit, (_, shares, _) in parts.items()
    }
    shares = pd.concat(long, names=["unit", "key", "industry"]).reset_index()
    growth = {unit: shocks for unit, (_, _, shocks) in parts.items()}
    shocks = pd.concat(growth, names=["unit", "industry"]).reset_index()
    return table.drop(columns="region"), shares, shocks


def group_growth(shipments, first, last, jump=np.inf):
    """Growth of the shipments of groups of divisions, nationally and outside each region.

    The sum runs over the regions that are published in both years: of metal ores the regions add
    up to 76 per cent of Russia in 2022 and to 93 in 2024, so that the plain sums would grow by what
    was disclosed. Shipments are roubles of each year. A common price level moves all groups alike
    and an exposure not at all; prices that differ are part of the shock, as wages are paid out of
    what is sold: coal fell by its price, not by its tonnes.

    Parameters
    ----------
    shipments : pandas.DataFrame
        ``group``, ``region`` (no row of the country), ``year``, ``shipments`` (million roubles).
    first, last : int
    jump : float
        Regions whose log growth in a group is further from zero are left out of the group: a
        holding's registration has moved, or one plant was opened.

    Returns
    -------
    national, outside
        As :func:`industry_growth`.
    """
    rows = shipments[shipments["year"].isin([first, last]) & (shipments["shipments"] > 0)]
    wide = rows.pivot(index=["group", "region"], columns="year", values="shipments")
    absent = [year for year in (first, last) if year not in wide]
    if absent:
        raise DesignError("group exposure", "no shipments of groups in this year", keys=absent)
    wide = wide.dropna()
    steady = wide[np.log(wide[last] / wide[first]).abs() <= jump]
    rows = steady.stack().rename("gva").reset_index().rename(columns={"group": "industry"})
    return industry_growth(rows, first, last)


def build_group_exposure(shipments, industries, window):
    """Exposure of entities to the growth of the groups of divisions that their towns live on.

    Groups are published for mining and manufacturing alone. Towns of other sections (power,
    railways, research, logging) have no shock in these tables and no exposure, and so have towns
    whose division the evidence does not name.

    Parameters
    ----------
    shipments
        See :func:`group_growth`.
    industries : pandas.DataFrame
        From :func:`monotowns.measures.entities.locate_industries`, with ``group`` (missing where
        not known).
    window : dict
        ``first``, ``last``, ``jump`` (see :func:`group_growth`).

    Returns
    -------
    table : pandas.DataFrame
        ``entity`` and, in log points, ``exposure`` (own region left out, all evidence),
        ``exposure_evidenced``, ``exposure_strong`` (narrower evidence, see :data:`EVIDENCE`),
        ``exposure_steady`` (regions that jump left out) and ``exposure_national`` (own region in).
    shares : pandas.DataFrame
        ``evidence``, ``entity``, ``group``, ``share``.
    shocks : pandas.DataFrame
        ``cells`` (``all`` or ``steady``), ``left_out`` (region, or :data:`NONE`), ``group``,
        ``growth``.
    """
    span = window["first"], window["last"]
    growth = {
        "all": group_growth(shipments, *span),
        "steady": group_growth(shipments, *span, window["jump"]),
    }
    region = industries.drop_duplicates("entity").set_index("entity")["region"]
    rows = industries.assign(industry=industries["group"])
    shares = {
        name: town_shares(rows[rows["strength"].isin(words)]) for name, words in EVIDENCE.items()
    }
    columns = {
        "exposure": shift_share(shares["all"], region, *growth["all"])[0],
        "exposure_evidenced": shift_share(shares["evidenced"], region, *growth["all"])[0],
        "exposure_strong": shift_share(shares["strong"], region, *growth["all"])[0],
        "exposure_steady": shift_share(shares["all"], region, *growth["steady"])[0],
        "exposure_national": shares["all"] @ growth["all"][0][shares["all"].columns],
    }
    table = pd.DataFrame(columns).rename_axis("entity").reset_index()
    long = {name: part.rename_axis(columns="group").stack() for name, part in shares.items()}
    shares = pd.concat(long, names=["evidence"]).rename("share").reset_index()
    tables = {
        name: pd.concat([national.to_frame(NONE).T, outside]).rename_axis("left_out").stack()
        for name, (national, outside) in growth.items()
    }
    shocks = pd.concat(tables, names=["cells", "left_out", "group"]).rename("growth").reset_index()
    return table, shares, shocks
