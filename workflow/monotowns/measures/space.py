"""All spatial measures of the panel: masses, market potential by decay and scale, cores, rings."""

import numpy as np
import pandas as pd

from monotowns.measures.agglomeration import (
    distance_to_core,
    great_circle_km,
    market_potential,
    ring,
)

#: Regions that are one city each: in no panel, but part of every market.
FEDERAL_CITIES = ("Москва", "Санкт-Петербург", "Севастополь")


def foreign_countries(countries, home) -> pd.DataFrame:
    """Countries but ``home`` (ISO code): ``iso``, ``population`` (persons), ``lat``, ``lon``."""
    table = countries.loc[countries["iso"] != home, ["iso", "population", "lat", "lon"]]
    return table.sort_values("iso", ignore_index=True)


def masses(panel, towns, region_population):
    """Places and their residents in every year, the federal cities last.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``population``, ``region``, ``lat``, ``lon``.
    towns : pandas.DataFrame
        Towns with ``town``, ``lat``, ``lon``.
    region_population : pandas.DataFrame
        ``region``, ``year``, ``population``; a federal city has its region's at its town's place.

    Returns
    -------
    places : pandas.DataFrame
        Indexed by entity or city: ``region``, ``lat``, ``lon``.
    mass : pandas.DataFrame
        Persons, one row a place and one column a year. A gap in one series is interpolated and
        its ends are held, so that it moves no neighbour's potential.
    """
    columns = ["region", "lat", "lon"]
    place = panel.dropna(subset=["lat"]).drop_duplicates("entity").set_index("entity")[columns]
    place = place.sort_index()
    city = towns[towns["town"].isin(FEDERAL_CITIES)].assign(region=lambda f: f["town"])
    wide = panel.pivot(index="entity", columns="year", values="population")
    people = region_population.pivot(index="region", columns="year", values="population")
    people = people.reindex(index=city["town"], columns=wide.columns)
    mass = pd.concat([wide.loc[place.index], people]).interpolate(axis=1, limit_direction="both")
    return pd.concat([place, city.set_index("town")[columns]]), mass


def measure(panel, towns, region_population, settings, countries):
    """Spatial measures of every entity and year.

    Parameters
    ----------
    panel, towns, region_population : pandas.DataFrame
        See :func:`masses`; ``towns`` with ``population`` (persons) gives the cores.
    settings : dict
        ``kappa_km``, ``min_distance_km``, ``local_km`` (see :func:`.market_potential`), ``cores``
        (least population, one distance column each) and ``rings_km`` (bounds of the rings around
        cores of the second size).
    countries : pandas.DataFrame
        Foreign masses, see :func:`foreign_countries`.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year``; ``log_mp_<decay>`` (log persons per km, per km squared, persons);
        ``log_mp_local``, ``log_mp_national``, ``log_mp_foreign`` (log of 1 + persons per km: a
        place may have no neighbour within the local distance); ``log_mp_instrument``;
        ``core_<thousands>_km`` and ``ring``.
    """
    places, mass = masses(panel, towns, region_population)
    lat, lon = places["lat"].to_numpy(), places["lon"].to_numpy()
    scales = {name: settings[name] for name in ("kappa_km", "min_distance_km", "local_km")}
    sums = market_potential(lat, lon, mass, places["region"], **scales)
    capital = great_circle_km(lat[:, None], lon[:, None], countries["lat"], countries["lon"])
    abroad = (1 / np.maximum(capital, scales["min_distance_km"])) @ countries["population"]
    sums["foreign"] = np.broadcast_to(abroad[:, None], mass.shape)
    sums["instrument"] = sums.pop("instrument")  # the last column
    # A place may have nobody within the local distance.
    log = dict.fromkeys(("local", "national", "foreign"), np.log1p)
    columns = {f"log_mp_{name}": log.get(name, np.log)(v).ravel() for name, v in sums.items()}
    index = pd.MultiIndex.from_product([places.index, mass.columns], names=["entity", "year"])
    distance = pd.DataFrame(index=places.index.rename("entity"))
    for least in settings["cores"]:
        core = towns[towns["population"] >= least]
        distance[f"core_{least // 1000}_km"] = distance_to_core(lat, lon, core["lat"], core["lon"])
    distance["ring"] = ring(distance.iloc[:, 1], settings["rings_km"]).astype(str)
    table = pd.DataFrame(columns, index=index).join(distance, on="entity")
    return table[
        table.index.isin(pd.MultiIndex.from_frame(panel[["entity", "year"]]))
    ].reset_index()
