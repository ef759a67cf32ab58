"""The main industries of towns, brought to the panel's entities."""

import pandas as pd

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
    """
    key = ["region", "stem"]
    place = towns.assign(stem=towns["town"].map(stem)).dropna(subset=["entity"])
    place = place.loc[place["stem"] != "", [*key, "entity"]].drop_duplicates(key)
    table = industries.assign(stem=industries["town"].map(stem)).merge(place, on=key)
    table = table.drop(columns=key).merge(entities[["entity", "region"]], on="entity")
    if table.empty:
        raise DesignError("main industries", "no town is in the panel")
    return table
