"""What is measured for towns and regions, carried to the panel's entities."""

import numpy as np
import pandas as pd

from monotowns.measures.classification import comparable_groups
from monotowns.measures.industry import real_gva, specialisation
from monotowns.panel.territories import stem
from monotowns.run.errors import DesignError


def locate_industries(industries, towns, entities) -> pd.DataFrame:
    """Give the main industry of every town its entity, by region and name.

    Parameters
    ----------
    industries : pandas.DataFrame
        ``region``, ``town``, ``section``, ``strength``.
    towns : pandas.DataFrame
        Located rows of the lists: ``region``, ``town``, ``entity``.
    entities : pandas.DataFrame
        ``entity``, ``region``.

    Returns
    -------
    pandas.DataFrame
        ``industries`` with ``entity`` and the entity's ``region``; rows without an entity of the
        panel are left out.

    Raises
    ------
    DesignError
        No town is found.
    """
    key = towns["region"] + " " + towns["town"].map(stem)
    place = towns.assign(key=key).dropna(subset=["entity"])
    place = place[place["town"].map(stem) != ""].drop_duplicates("key").set_index("key")["entity"]
    found = (industries["region"] + " " + industries["town"].map(stem)).map(place)
    table = industries.assign(entity=found)
    table = table[table["entity"].isin(entities["entity"])]
    if table.empty:
        raise DesignError("main industries", "no town is found in the panel")
    region = entities.set_index("entity")["region"]
    return table.assign(region=table["entity"].map(region)).reset_index(drop=True)


def entity_table(parts, entities, tables, base) -> pd.DataFrame:
    """Exposures and regional industry of every entity.

    Parameters
    ----------
    parts : dict
        ``town``, ``firm_town`` (by entity) and ``region`` (by region):
        :class:`monotowns.measures.exposure.ShiftShare`.
    entities : pandas.DataFrame
        ``entity``, ``region``.
    tables : (structure, grp, price)
        See :func:`monotowns.measures.exposure.town_exposure`.
    base : int
        Year of the regional structure.

    Returns
    -------
    pandas.DataFrame
        ``entity``; ``town_exposure``, ``firm_town_exposure`` (missing where no monotown has a
        known industry), ``region_exposure`` (log points of growth); ``manufacturing_base`` (share
        of GVA, 0 to 1), ``specialisation_base`` (Krugman index) of the region in the base year.
    """
    structure, grp, price = tables
    groups = real_gva(comparable_groups(structure), grp, price)
    at_base = groups[groups["year"] == base]
    if at_base.empty:
        raise DesignError("exposure", "no regional structure in the base year", keys=[base])
    share = at_base[at_base["group"] == "manufacturing"].set_index("region")["share"] / 100
    krugman = specialisation(at_base).set_index("region")["krugman"]
    table = entities[["entity", "region"]].sort_values("entity", ignore_index=True)
    for name in ("town", "firm_town"):
        table[f"{name}_exposure"] = table["entity"].map(parts[name].exposure)
    table["region_exposure"] = table["region"].map(parts["region"].exposure)
    table["manufacturing_base"] = table["region"].map(share).astype(np.float64)
    table["specialisation_base"] = table["region"].map(krugman)
    return table.drop(columns="region")
