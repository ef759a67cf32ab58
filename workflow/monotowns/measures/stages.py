"""Stages of a region's industry: level against the peak so far, and sustained turns.

De-industrialisation is a fall of manufacturing's share from its peak (Rowthorn and Ramaswamy 1997;
Rodrik 2016); whether its volume falls too is another matter (Tregenna 2009). Re-industrialisation
needs a turn that lasts, in the manner of the growth accelerations of Hausmann, Pritchett and
Rodrik (2005).
"""

from itertools import product

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
    levels = np.asarray(levels, float)
    years = np.zeros(levels.shape, int)
    top = levels.copy()
    for t in range(levels.shape[1] - 2, -1, -1):
        rises = levels[:, t + 1] > levels[:, t]
        years[:, t] = np.where(rises, years[:, t + 1] + 1, 0)
        top[:, t] = np.where(rises, top[:, t + 1], levels[:, t])
    least = threshold - EXACT
    peak = np.fmax.accumulate(levels, axis=1)
    return (years >= k) & (top - levels >= least) & (peak - levels >= least)


def stage_series(levels, k=3, threshold=1.0, floor=10.0):
    """Stage of one series in each year.

    - ``not industrialised``: the peak so far is below ``floor``;
    - ``industrialised``: less than ``threshold`` below the peak so far;
    - ``re-industrialising``: from the year after a turn (:func:`turns`) until the level falls
      ``threshold`` or more from its highest since, or comes back to the peak;
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
    starts = turns(levels[None], k, threshold)[0]
    least = threshold - EXACT
    stage, reference = [None] * len(levels), [None] * len(levels)
    peak = start = None  # positions
    for t, level in enumerate(levels):
        if np.isnan(level):
            continue
        peak = t if peak is None or level >= levels[peak] else peak
        gap = levels[peak] - level
        if start is not None and (gap < least or np.nanmax(levels[start : t + 1]) - level >= least):
            start = None
        if levels[peak] < floor:
            stage[t] = STAGES[0]
        elif start is not None:
            stage[t] = STAGES[3]
        else:
            stage[t] = STAGES[1] if gap < least else STAGES[2]
        reference[t] = peak if start is None else start
        if start is None and starts[t]:
            start = t
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


def turn_grid(shares, ks, thresholds, draws, seed, floor=10.0, together=True) -> pd.DataFrame:
    """Count the regions that turn under each rule, and how many would by chance.

    Under the null the yearly changes come in any order: they are permuted within the region, which
    keeps the start, the end and the size of every change.

    Parameters
    ----------
    shares : pandas.DataFrame
        Regions down, consecutive years across; NaN where unobserved (a change over a gap counts
        as one change).
    ks, thresholds : sequence
        See :func:`turns`.
    draws, seed : int
        Permutations of all regions; the same ones for every rule.
    floor : float
        Regions whose highest share is below it are left out.
    together : bool
        One order of years for all regions, which keeps the shocks that they share; False draws one
        for each region, as if they were independent.

    Returns
    -------
    pandas.DataFrame
        ``k``, ``threshold``, ``regions``, ``turned``, ``expected`` (mean number under
        permutation), ``low``, ``high`` (5th and 95th percentile), ``false_positive_rate``
        (expected over regions) and ``p_value`` (of as many or more; the data count as a draw).
    """
    values = shares[shares.max(axis=1) >= floor].to_numpy(float)
    if not len(values):
        raise DesignError("grid of turns", "no region reaches the floor", expected=floor)
    rng = np.random.default_rng(seed)
    permuted = np.full((len(values), draws, values.shape[1]), np.nan)
    key = rng.random((draws, values.shape[1]))
    for i, row in enumerate(values):
        seen = np.flatnonzero(~np.isnan(row))
        key = key if together else rng.random(key.shape)
        change = np.diff(row[seen])[np.argsort(key[:, seen[1:]], axis=1)]
        # The rule knows falls and rises, not the level they start from.
        permuted[i][:, seen] = np.cumsum(np.c_[np.zeros(draws), change], axis=1)
    rows = []
    for k, threshold in product(ks, thresholds):
        turned = int(turns(values, k, threshold).any(axis=1).sum())
        chance = turns(permuted.reshape(-1, values.shape[1]), k, threshold).any(axis=1)
        chance = chance.reshape(len(values), draws).sum(axis=0)
        low, high = np.percentile(chance, [5, 95])
        rule = {
            "k": k,
            "threshold": threshold,
            "regions": len(values),
            "turned": turned,
            "expected": chance.mean(),
            "low": low,
            "high": high,
            "false_positive_rate": chance.mean() / len(values),
            "p_value": (1 + (chance >= turned).sum()) / (1 + draws),
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
