"""Simulated panels of the study's shape: its entities drawn anew, a block for every copy."""

import numpy as np
import pandas as pd

from monotowns.errors import InputError
from monotowns.measures.agglomeration import EARTH_KM

#: A drawn entity lies anywhere within this distance, km, of the one that it was drawn from.
JITTER_KM = 30.0
#: Standard deviations, log points: of an entity's size, and of its taxable income in a year.
SIZE_NOISE, INCOME_NOISE = 0.05, 0.02
#: Columns of the panel as it is before its outcomes are computed.
RAW = ["entity", "year", "taxable", "social", "total", "population", "members", "listed_2014",
       "listed_2024", "category", "town_share", "toser", "region", "kind", "lat", "lon",
       "territory_id", "name"]  # fmt: skip


def draw_copy(panel: pd.DataFrame, copy: int, seed: int) -> pd.DataFrame:
    """Draw one copy of all entities, with replacement within every region.

    An entity keeps its whole history and status, so that the joint distribution is the panel's.
    Every copy has regions of its own: the clusters grow in number with the panel, not in size. The
    country does not grow: places lie closer, as settlements do beside municipalities.

    Parameters
    ----------
    panel : pandas.DataFrame
        Sorted by entity and year; the columns :data:`RAW` and those beginning with ``monotown``.
    copy : int
        From 0. It is drawn from (``seed``, ``copy``) alone: a small panel is the first part of a
        larger one.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The same columns; codes of eight digits of their own, in rising order over the copies.
        Population and incomes are off by a common factor an entity, taxable income by a further
        one a year; coordinates are moved by up to :data:`JITTER_KM`.

    Raises
    ------
    InputError
        The panel is not sorted, or there are more copies than codes.
    """
    columns = [c for c in panel if c in RAW or c.startswith("monotown")]
    same = (panel["entity"] == panel["entity"].shift()).to_numpy()
    if not panel["entity"].is_monotonic_increasing:
        raise InputError("simulated panel", "the panel is not sorted by entity")
    first = np.flatnonzero(~same)
    years = np.diff(np.append(first, len(panel)))
    last_code = (copy + 1) * len(first)
    if last_code >= 10**8:
        raise InputError("simulated panel", "more entities than codes of eight digits",
                         keys=[copy], found=last_code)  # fmt: skip
    rng = np.random.default_rng([seed, copy])
    drawn = _within(pd.factorize(panel["region"].to_numpy()[first])[0], rng)
    row = np.repeat(first[drawn] - np.cumsum(years[drawn]) + years[drawn], years[drawn])
    row += np.arange(len(row))
    new = np.repeat(np.arange(len(drawn)), years[drawn])
    frame = panel[columns].iloc[row].reset_index(drop=True)
    code = copy * len(first) + new
    size = np.exp(SIZE_NOISE * rng.standard_normal(len(drawn)))[new]
    money = size * np.exp(INCOME_NOISE * rng.standard_normal(len(frame)))
    lat, lon = _moved(*(frame[c].to_numpy() for c in ("lat", "lon")), new, rng)
    return frame.assign(
        entity=pd.Series(code).astype(str).str.zfill(8), territory_id=code, lat=lat, lon=lon,
        region=frame["region"] + f" ({copy + 1})", population=frame["population"] * size,
        taxable=frame["taxable"] * money, social=frame["social"] * size,
        total=frame["taxable"] * money + frame["social"] * size,
    )  # fmt: skip


def _within(group, rng):
    """As many draws with replacement from every group as it has members, in the groups' order."""
    order = np.argsort(group, kind="stable")
    size = np.bincount(group)
    start = np.cumsum(size) - size
    home = np.repeat(np.arange(len(size)), size)
    return order[start[home] + (rng.random(len(group)) * size[home]).astype(int)]


def _moved(lat, lon, entity, rng):
    """Coordinates moved by the same way in all years of an entity, evenly over a disk."""
    count = entity.max() + 1
    way = JITTER_KM * np.sqrt(rng.random(count))[entity] / EARTH_KM
    towards = 2 * np.pi * rng.random(count)[entity]
    north, east = np.degrees(way * np.cos(towards)), np.degrees(way * np.sin(towards))
    new_lon = lon + east / np.cos(np.radians(lat))
    return lat + north, (new_lon + 180) % 360 - 180
