"""The layer of cities: the office's yearly book, 2000 to 2019, and what a city is an entity of."""

import numpy as np
import pandas as pd

from monotowns.panel.build import correct, log_prices
from monotowns.panel.territories import components
from monotowns.panel.volume import SHIPMENTS_SINCE
from monotowns.run.errors import ContractError

#: A city stands for its entity where at least this share of the entity's residents live in it.
WHOLE = 0.8
#: First year of the layer. The years before are kept in the source table, for description.
FIRST = 2000
#: First year of columns whose coverage changed: all organisations without the small ones from 2006
#: on (in some cities 40 per cent fewer workers); retail trade of the large ones until 2010.
SINCE = {"workers": 2006, "shipments_manufacturing": 2005, "shipments_mining": 2005, "retail": 2011}
#: Log outcome -> numerator, unit of the numerator in roubles or persons, denominator or none.
OUTCOMES = {
    "log_population": ("population", 1e3, None),
    "log_workers": ("workers", 1e3, None),
    "log_wage": ("wage", 1.0, None),
    "log_shipments": ("shipments_manufacturing", 1e6, None),
    "log_shipments_mining": ("shipments_mining", 1e6, None),
    "log_shipments_per_worker": ("shipments_manufacturing", 1e3, "workers"),
    "log_investment": ("investment", 1e6, None),
    "log_firms_pc": ("firms", 1e-3, "population"),
    "log_housing_pc": ("new_housing", 1.0, "population"),
}
#: Outcomes in money: they are brought to roubles of the last year.
MONEY = ("wage", "shipments_manufacturing", "shipments_mining", "investment")


def entity_of(codes: pd.Series, versions: pd.DataFrame, overrides: pd.DataFrame) -> pd.Series:
    """Find the entity of printed city codes.

    A town that has no territory of its own (its code ends in 101) lies in the district whose code
    has the same first five digits; a code that the dictionary no longer has is placed by hand.

    Raises
    ------
    ContractError
        A city has no entity.
    """
    entity = components(versions)
    hand = overrides.set_index("code")["target"]
    place = codes.map(hand).fillna(codes)
    found = place.map(entity).fillna((place.str[:5] + "000").map(entity))
    if found.isna().any():
        raise ContractError(
            "table cities",
            "a city has no entity",
            keys=codes[found.isna()].unique(),
            remedy="place its code in data/corrections/crosswalk.csv",
        )
    return found


def build(cities, versions, overrides, panel, corrections, deflator, where) -> pd.DataFrame:
    """Correct the book, place its cities and add the outcomes.

    Parameters
    ----------
    cities, versions, overrides : pandas.DataFrame
        Table of the cities, dictionary of municipalities, codes placed by hand.
    panel : pandas.DataFrame
        Entities and years with ``population`` (persons), for the share of the city.
    corrections : list of dict
        See :func:`.build.correct`; ``where`` is their file.
    deflator : dict
        Year -> December-to-December inflation, per cent.

    Returns
    -------
    pandas.DataFrame
        One row a city and year from :data:`FIRST` on: ``city`` (code), ``town``, ``entity``,
        ``city_share`` (residents of the city over those of its entity, the median of the years
        that have both), ``alone`` (1: the figures speak of the town, not of its entity),
        ``okved2`` (1 from the year of the new classification), the corrected columns of the
        book and the logs of :data:`OUTCOMES`.
    """
    frame = correct(cities, corrections, where)
    for column, first in SINCE.items():
        frame.loc[frame["year"] < first, column] = np.nan
    frame["entity"] = entity_of(frame["code"], versions, overrides)
    residents = frame.merge(panel[["entity", "year", "population"]], on=["entity", "year"])
    share = residents["population_x"] * 1e3 / residents["population_y"]
    frame["city_share"] = frame["code"].map(share.groupby(residents["code"]).median())
    # A city whose entity is not in the panel has no share, and speaks for nobody else.
    frame["alone"] = (~(frame["city_share"] >= WHOLE)).astype(int)
    frame = frame[frame["year"] >= FIRST].rename(columns={"code": "city"})
    frame["okved2"] = (frame["year"] >= SHIPMENTS_SINCE).astype(int)
    frame = frame.drop(columns=["region", *(c for c in frame if c.endswith("_municipal"))])
    frame = frame.sort_values(["city", "year"], ignore_index=True)
    return frame.assign(**outcomes(frame, deflator))


def outcomes(frame: pd.DataFrame, deflator: dict) -> dict:
    """Logs of :data:`OUTCOMES`; a figure of zero has none."""
    price = log_prices(frame["year"], deflator)
    found = {}
    for name, (numerator, unit, denominator) in OUTCOMES.items():
        value = frame[numerator] * unit / (1 if denominator is None else frame[denominator])
        found[name] = np.log(value.where(value > 0)) - (price if numerator in MONEY else 0)
    return found
