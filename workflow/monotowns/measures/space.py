"""All spatial measures of the panel: masses, market potential by decay and scale, cores, rings."""

import numpy as np
import pandas as pd

from monotowns.measures import scales
from monotowns.measures.agglomeration import DECAYS, distance_to_core, market_potential, ring

#: Regions that are one city each: in no panel, but part of every market.
FEDERAL_CITIES = ("Москва", "Санкт-Петербург", "Севастополь")


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
        ``place`` (entity or city), ``region``, ``lat``, ``lon``.
    mass : pandas.DataFrame
        Persons, one row a place and one column a year. A gap in one series is interpolated and
        its ends are held, so that it moves no neighbour's potential.
    """
    mass = panel.pivot(index="entity", columns="year", values="population")
    place = panel.drop_duplicates("entity").set_index("entity").loc[mass.index]
    known = place["lat"].notna()
    city = towns[towns["town"].isin(FEDERAL_CITIES)].assign(region=lambda f: f["town"])
    people = region_population.pivot(index="region", columns="year", values="population")
    mass = pd.concat([mass[known], people.reindex(index=city["town"], columns=mass.columns)])
    mass = mass.interpolate(axis=1, limit_direction="both")
    columns = ["region", "lat", "lon"]
    places = pd.concat([place.loc[known, columns], city.set_index("town")[columns]])
    return places.rename_axis("place").reset_index(), mass


def measure(panel, towns, region_population, settings, countries=None):
    """Spatial measures of every entity and year.

    Parameters
    ----------
    panel, towns, region_population : pandas.DataFrame
        See :func:`masses`; ``towns`` with ``population`` (persons) gives the cores.
    settings : dict
        ``kappa_km``, ``min_distance_km``, ``local_km`` (see :mod:`.agglomeration` and
        :mod:`.scales`), ``cores`` (least population, one distance column each) and ``rings_km``
        (bounds of the rings around cores of the second size); ``home``, the country's ISO code.
    countries : pandas.DataFrame, optional
        Foreign masses; GeoNames' without.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year``; ``log_mp_<decay>`` (log persons per km, per km squared, persons);
        ``log_mp_local``, ``log_mp_national``, ``log_mp_foreign`` (log of 1 + persons per km: a
        place may have no neighbour within the local distance); ``log_mp_instrument``;
        ``core_<thousands>_km`` and ``ring``.
    """
    places, mass = masses(panel, towns, region_population)
    lat, lon, people = places["lat"].to_numpy(), places["lon"].to_numpy(), mass.to_numpy()
    floor = settings["min_distance_km"]
    columns = {
        f"log_mp_{decay}": np.log(
            market_potential(lat, lon, people, decay, settings["kappa_km"], floor)
        )
        for decay in DECAYS
    }
    countries = scales.foreign_countries(settings["home"]) if countries is None else countries
    local, national, foreign = scales.potential_by_scale(
        lat, lon, people, countries, settings["local_km"], floor
    )
    columns |= {
        "log_mp_local": np.log1p(local),
        "log_mp_national": np.log1p(national),
        "log_mp_foreign": np.log1p(np.broadcast_to(foreign[:, None], people.shape)),
        "log_mp_instrument": np.log(scales.instrument(lat, lon, people, places["region"], floor)),
    }
    index = pd.MultiIndex.from_product([places["place"], mass.columns], names=["entity", "year"])
    table = pd.DataFrame({k: v.ravel() for k, v in columns.items()}, index=index)
    distance = pd.DataFrame(index=places["place"].rename("entity"))
    for least in settings["cores"]:
        core = towns[towns["population"] >= least]
        distance[f"core_{least // 1000}_km"] = distance_to_core(
            lat, lon, core["lat"].to_numpy(), core["lon"].to_numpy()
        )
    second = f"core_{settings['cores'][1] // 1000}_km"
    distance["ring"] = ring(distance[second], tuple(settings["rings_km"])).astype(str)
    keys = pd.MultiIndex.from_frame(panel[["entity", "year"]])
    table = table.join(distance, on="entity")
    return table[table.index.isin(keys)].reset_index()
