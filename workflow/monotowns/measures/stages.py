"""Stages of a region's industry: level against the peak so far, and sustained turns.

De-industrialisation is a fall of manufacturing's share from its peak (Rowthorn and Ramaswamy 1997;
Rodrik 2016); whether its volume falls too is another matter (Tregenna 2009). Re-industrialisation
needs a turn that lasts, in the manner of the growth accelerations of Hausmann, Pritchett and
Rodrik (2005).
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from monotowns.measures.breaks import break_dates
from monotowns.measures.classification import adjust, common_step, comparable_groups
from monotowns.measures.industry import real_gva
from monotowns.run.errors import DesignError

STAGES = ("not industrialised", "industrialised", "de-industrialising", "re-industrialising")
#: Shares are published to .1 of a per cent; a fall of exactly the threshold counts in spite of
#: binary fractions.
EXACT = 1e-9
#: A fall is a turn of the level with its sign changed: the same rule, and the same chance.
DIRECTIONS = {"turn": 1, "fall": -1}


def turns(levels, k=3, threshold=1.0):
    """Find sustained upturns.

    A turn starts at a year whose level is ``threshold`` or more below the peak so far and from
    which the level rises in at least ``k`` consecutive years, by ``threshold`` or more in all.
    A missing year ends a rise; the peak is remembered across it.

    Parameters
    ----------
    levels : array_like, shape (n, T)
        One series a row, consecutive years; NaN where unobserved.

    Returns
    -------
    numpy.ndarray of bool, shape (n, T)
        True at the start of a turn (its local trough) and at later years of the same rise that
        meet the rule by themselves.
    """
    # One year after the other, each contiguous: many permutations pass through here.
    levels = np.ascontiguousarray(np.asarray(levels, float).T)
    years, top = np.zeros(levels.shape, np.int16), levels.copy()
    for t in range(len(levels) - 2, -1, -1):
        rises = levels[t + 1] > levels[t]
        years[t] = np.where(rises, years[t + 1] + 1, 0)
        top[t] = np.where(rises, top[t + 1], levels[t])
    least = threshold - EXACT
    peak = np.fmax.accumulate(levels, axis=0)
    return ((years >= k) & (top - levels >= least) & (peak - levels >= least)).T


class Spells(NamedTuple):
    """Where each series stands in each year; arrays of shape (n, T), positions of years or -1."""

    peak: np.ndarray
    """The peak so far; of equal ones the last."""
    start: np.ndarray
    """The trough of the turn that holds."""
    begins: np.ndarray
    """True at the trough of a turn while none holds."""


def spells(levels, k=3, threshold=1.0) -> Spells:
    """Follow each series through its turns (:func:`turns`), one after the other.

    A turn holds from the year after its trough until the level falls ``threshold`` or more from
    its highest since, or comes back to less than ``threshold`` below the peak; only then can the
    next begin. In a missing year there is no state.
    """
    levels = np.ascontiguousarray(np.asarray(levels, float).T)
    found, least = turns(levels.T, k, threshold).T, threshold - EXACT
    peaks, starts = np.full((2, *levels.shape), -1, np.int16)
    begins = np.zeros(levels.shape, bool)
    peak, start = np.full((2, levels.shape[1]), -1, np.int16)
    top, since = np.full((2, levels.shape[1]), -np.inf)
    for t, level in enumerate(levels):
        # Comparisons with a missing level are false: nothing changes in its year.
        peak[level >= top] = t
        top, since = np.fmax(top, level), np.fmax(since, level)
        start[(top - level < least) | (since - level >= least)] = -1
        seen = level == level
        peaks[t], starts[t] = np.where(seen, peak, -1), np.where(seen, start, -1)
        begins[t] = (start < 0) & found[t]
        start[begins[t]], since = t, np.where(begins[t], level, since)
    return Spells(peaks.T, starts.T, begins.T)


def first_years(levels, k=3, threshold=1.0, direction="turn"):
    """True in the first rising (falling) year of every turn (fall), the year after its trough.

    ``levels`` is a frame of regions by consecutive years; so is the result.
    """
    values = DIRECTIONS[direction] * levels
    began = spells(values.to_numpy(float), k, threshold).begins
    moved = np.c_[np.zeros(len(began), bool), began[:, :-1]]
    return pd.DataFrame(moved, levels.index, levels.columns)


def stage_series(levels, k=3, threshold=1.0, floor=10.0):
    """Stage of one series in each year.

    - ``not industrialised``: the peak so far is below ``floor``;
    - ``industrialised``: less than ``threshold`` below the peak so far;
    - ``re-industrialising``: while a turn holds (:func:`spells`);
    - ``de-industrialising``: otherwise.

    The peak is that of the years observed: a region already past it in the first year starts as
    industrialised. A rise is known to last only ``k`` years on, so the last turn that data to
    year ``T`` can show starts at ``T - k``.

    Returns
    -------
    stage : list of str or None, length T
    reference : list of int or None, length T
        Position of the year to compare with: the peak, or the turn's start while
        re-industrialising.
    """
    levels = np.asarray(levels, float)
    peaks, starts, _ = (rows[0] for rows in spells(levels[None], k, threshold))
    stage, reference = [None] * len(levels), [None] * len(levels)
    for t, (level, peak, start) in enumerate(zip(levels, peaks, starts, strict=True)):
        if peak < 0:
            continue
        reference[t] = int(peak if start < 0 else start)
        if levels[peak] < floor:
            stage[t] = STAGES[0]
        elif start >= 0:
            stage[t] = STAGES[3]
        else:
            fell = levels[peak] - level >= threshold - EXACT
            stage[t] = STAGES[2] if fell else STAGES[1]
    return stage, reference


def stage_table(frame: pd.DataFrame, k=3, threshold=1.0, floor=10.0) -> pd.DataFrame:
    """Stage of each region and year, with what its volume did.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``region``, ``year``, ``share_adjusted`` (per cent of GVA), ``gva`` (constant roubles).

    Returns
    -------
    pandas.DataFrame
        ``frame`` sorted, with ``stage``; ``kind`` (Tregenna 2009): ``share only`` or ``share and
        volume`` as real value added fell below its level at the share's peak too (or, while
        re-industrialising, rose above that at the turn), missing in other stages; ``turn_year``:
        the low from which the region's first turn started, missing without one.
    """
    years = range(frame["year"].min(), frame["year"].max() + 1)
    parts = []
    for _, part in frame.sort_values("year").groupby("region"):
        share, volume = (
            part.set_index("year")[["share_adjusted", "gva"]].reindex(years).T.to_numpy()
        )
        stage, reference = stage_series(share, k, threshold, floor)
        turned = turns(share[None], k, threshold)[0] & (np.nanmax(share) >= floor)
        kind = [None] * len(years)
        for t, (now, then) in enumerate(zip(stage, reference, strict=True)):
            if now in STAGES[2:]:
                moved = (volume[t] - volume[then]) * (1 if now == STAGES[3] else -1)
                kind[t] = "share and volume" if moved > 0 else "share only"
        table = pd.DataFrame({"year": years, "stage": stage, "kind": kind})
        table["turn_year"] = years[turned.argmax()] if turned.any() else pd.NA
        parts.append(part.merge(table, on="year"))
    return pd.concat(parts, ignore_index=True).astype({"turn_year": "Int64"})


def permuted_levels(values, draws, seed, together=True) -> np.ndarray:
    """Series whose yearly changes come in random order, each from 0 on: (n, draws, T).

    The start, the end and the size of every change are kept; a change over missing years counts
    as one. ``together`` is one order of years for all series, which keeps the shocks that they
    share.
    """
    rng = np.random.default_rng(seed)
    permuted = np.full((len(values), draws, values.shape[1]), np.nan)
    key = rng.random((draws, values.shape[1]))
    for i, row in enumerate(values):
        seen = np.flatnonzero(~np.isnan(row))
        key = key if together else rng.random(key.shape)
        change = np.diff(row[seen])[np.argsort(key[:, seen[1:]], axis=1)]
        # The rule knows falls and rises, not the level they start from.
        permuted[i][:, seen] = np.cumsum(np.c_[np.zeros(draws), change], axis=1)
    return permuted


def turn_grid(
    shares,
    ks,
    thresholds,
    draws,
    seed,
    floor=10.0,
    together=True,
    *,
    directions=("turn",),
    weights=None,
    window=None,
) -> pd.DataFrame:
    """Count the regions that turn under each rule, and how many would by chance.

    Under the null the yearly changes come in any order: they are permuted within the region
    (:func:`permuted_levels`).

    Parameters
    ----------
    shares : pandas.DataFrame
        Regions down, consecutive years across; NaN where unobserved.
    ks, thresholds : sequence
        See :func:`turns`.
    draws, seed : int
        Permutations of all regions; the same ones for every rule and direction.
    floor : float
        Regions whose highest share is below it are left out.
    together : bool
        One order of years for all regions; False draws one for each region, as if they were
        independent.
    directions : sequence of str
        Of :data:`DIRECTIONS`.
    weights : dict, optional
        Name -> pandas.Series by region that is summed over the regions that turned; by default
        they are counted. Regions without a weight have none.
    window : tuple of int, optional
        First and last year in which a turn may begin (its first rising year); by default all.

    Returns
    -------
    pandas.DataFrame
        ``direction``, ``weight``, ``k``, ``threshold``, ``regions`` (the sum of all weights),
        ``turned``, ``expected`` (mean under permutation), ``low``, ``high`` (5th and 95th
        percentile), ``false_positive_rate`` (expected over all) and ``p_value`` (of as many or
        more; the data count as a draw).
    """
    kept = shares[shares.max(axis=1) >= floor]
    if not len(kept):
        raise DesignError("grid of turns", "no region reaches the floor", expected=floor)
    values, years = kept.to_numpy(float), kept.columns
    permuted = permuted_levels(values, draws, seed, together).reshape(-1, values.shape[1])
    weights = {"regions": pd.Series(1.0, kept.index)} if weights is None else weights
    weights = {name: of.reindex(kept.index).fillna(0).to_numpy() for name, of in weights.items()}
    # The first rising year is the one after the trough.
    inside = None if window is None else (years + 1 >= window[0]) & (years + 1 <= window[1])

    def ever(levels, k, threshold):
        if inside is None:
            return turns(levels, k, threshold).any(axis=1)
        return spells(levels, k, threshold).begins[:, inside].any(axis=1)

    rows = []
    for direction, k, threshold in product(directions, ks, thresholds):
        sign = DIRECTIONS[direction]
        own = ever(sign * values, k, threshold)
        drawn = ever(sign * permuted, k, threshold).reshape(len(values), draws)
        for name, weight in weights.items():
            turned, chance = weight @ own, weight @ drawn
            low, high = np.percentile(chance, [5, 95])
            # Sums of weights in another order differ by rounding.
            least = turned - EXACT * weight.sum()
            rule = {
                "direction": direction,
                "weight": name,
                "k": k,
                "threshold": threshold,
                "regions": weight.sum(),
                "turned": turned,
                "expected": chance.mean(),
                "low": low,
                "high": high,
                "false_positive_rate": chance.mean() / weight.sum(),
                "p_value": (1 + (chance >= least).sum()) / (1 + draws),
            }
            rows.append(rule)
    return pd.DataFrame(rows)


def build_stages(structure, grp, price, draws, seed, k=3, threshold=1.0, floor=10.0):
    """Stages of the regions from the published tables.

    Parameters
    ----------
    structure, grp, price
        See :func:`.comparable_groups` and :func:`.real_gva`.
    draws, seed : int
        See :func:`.break_dates`.

    Returns
    -------
    table : pandas.DataFrame
        ``region``, ``year``, ``share`` (as published, per cent), ``share_adjusted`` (before 2016
        on the level of OKVED2), ``gva`` (manufacturing, adjusted, million constant roubles),
        ``stage``, ``kind``, ``turn_year``; ``break_year``, ``break_low``, ``break_high``,
        ``break_p`` of the adjusted share's growth.
    step : monotowns.measures.classification.Step
        The common step of 2016.
    """
    groups = comparable_groups(structure)
    share = groups[groups["industry"] == "manufacturing"].drop(columns="industry")
    # Drops the region-years whose structure is a composite's before the step is estimated.
    table = real_gva(share, grp, price)
    wide = table.pivot(index="region", columns="year", values="share")
    step = common_step(wide)
    adjusted = adjust(wide, step)
    long = adjusted.stack().rename("share_adjusted").reset_index()
    table = table.merge(long, on=["region", "year"], validate="1:1")
    table["gva"] *= table["share_adjusted"] / table["share"]
    order = ["region", "year", "share", "share_adjusted", "gva"]
    table = stage_table(table[order], k, threshold, floor)
    return table.merge(break_dates(np.log(adjusted), draws, seed), on="region", how="left"), step
