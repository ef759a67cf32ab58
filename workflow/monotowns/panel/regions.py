"""The layer of regions: volume and shipments of industry, work, investment, trade, 2001 to 2024."""

import numpy as np
import pandas as pd

from monotowns.acquire.readers.regions import RUSSIA
from monotowns.panel.build import correct, log_prices
from monotowns.panel.volume import SHIPMENTS_SINCE, chained
from monotowns.run.errors import ContractError

#: First year by OKVED2 at which the volume is chained: the two overlap in 2015-2016 and agree badly
#: there, so that both ends are carried.
CHAINED_AT = (2015, 2017)
#: Column of the layer -> indicators of the tables, the first of which has a year's figure is taken.
LEVELS = {
    "shipments": ("manufacturing_shipments_okved2", "manufacturing_shipments_okved2007"),
    "shipments_mining": ("mining_shipments_okved2", "mining_shipments_okved2007"),
    "investment": ("investment",),
    "employment": ("employment",),
    "unemployment_rate": ("unemployment_rate",),
    "grp": ("grp",),
    "assets": ("assets_all_okved2", "assets_all_okved2007"),
    "assets_manufacturing": ("assets_manufacturing_okved2",),
}
#: Column -> the parts that it is the sum of; missing where one is.
SUMS = {
    "exports": ("exports_cis", "exports_far_abroad"),
    "imports": ("imports_cis", "imports_far_abroad"),
}


def build(tables, deflator: dict, corrections: list[dict], where: str) -> pd.DataFrame:
    """Join the regional tables, one row a region and year, and correct them.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        ``indicator``, ``region``, ``year``, ``value`` each; the first is regional production.
    deflator : dict
        Year -> December-to-December inflation, per cent, for investment.
    corrections : list of dict
        See :func:`.build.correct`, of the layer's columns by ``region``; ``where`` is their file.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``volume_<year of chaining>`` (manufacturing, 2014 = 100), the columns
        of :data:`LEVELS` and :data:`SUMS` in the units of the tables (million roubles, thousand
        people, per cent, million dollars), ``okved2`` (1 from the year of the new
        classification), ``log_volume``, ``log_employment`` and ``log_investment`` (roubles of the
        last year). The row of Russia is left out.
    """
    long = pd.concat(tables)
    wide = long.pivot(index=["region", "year"], columns="indicator", values="value")
    if absent := sorted({i for of in (*LEVELS.values(), *SUMS.values()) for i in of} - {*wide}):
        raise ContractError("regional tables", "no such indicator", keys=absent)
    frame = pd.DataFrame(index=wide.index)
    for year in CHAINED_AT:
        volume = chained(tables[0], year).set_index(["region", "year"])["volume"]
        frame = frame.join(volume.rename(f"volume_{year}"), how="outer")
    for column, indicators in LEVELS.items():
        frame[column] = wide[list(indicators)].bfill(axis=1).iloc[:, 0]
    for column, parts in SUMS.items():
        frame[column] = wide[list(parts)].sum(axis=1, min_count=len(parts))
    frame = frame.drop(index=RUSSIA, level="region").reset_index()
    frame = correct(frame, corrections, where, place="region")
    frame["okved2"] = (frame["year"] >= SHIPMENTS_SINCE).astype(int)
    frame["log_volume"] = np.log(frame[f"volume_{CHAINED_AT[0]}"])
    frame["log_employment"] = np.log(frame["employment"])
    frame["log_investment"] = np.log(frame["investment"] * 1e6)
    frame["log_investment"] -= log_prices(frame["year"], deflator)
    return frame.sort_values(["region", "year"], ignore_index=True)
