"""The two classifications of activities: comparable groups and the step of 2016.

Shares are per cent of a region's gross value added at current basic prices, as published.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError

#: Activities that both classifications cover: group -> (OKVED-2007 letters, OKVED2 letters).
#: The letters are those of NACE Rev. 1.1 and Rev. 2, which the classifications follow; the pairs
#: are the broad correspondence of sections in Eurostat (2008), NACE Rev. 2, KS-RA-07-015. What
#: crosses them (publishing and recycling leave manufacturing, repair of machines enters it) makes
#: the step of 2016, see :func:`common_step`.
GROUPS = {
    "agriculture": ("AB", "A"),
    "mining": ("C", "B"),
    "manufacturing": ("D", "C"),
    "utilities": ("E", "DE"),
    "construction": ("F", "F"),
    "trade": ("G", "G"),
    "hotels": ("H", "I"),
    "transport_communication": ("I", "HJ"),
    "finance": ("J", "K"),
    "business_services": ("K", "LMN"),
    "public_administration": ("L", "O"),
    "education": ("M", "P"),
    "health": ("N", "Q"),
    "other_services": ("OP", "RSTU"),
}
CLASSIFICATIONS = ("OKVED-2007", "OKVED2")
#: (classification, letter) -> group.
GROUP_OF = {
    (system, letter): group
    for group, letters in GROUPS.items()
    for system, part in zip(CLASSIFICATIONS, letters, strict=True)
    for letter in part
}
#: First year of the structure in OKVED2.
BREAK_YEAR = 2016
#: Published shares are rounded to .1 and are 20 at most: their sum is off 100 by 1 at the worst.
SUM_TOLERANCE = 1.0


def comparable_groups(structure: pd.DataFrame) -> pd.DataFrame:
    """Sum the sections of both classifications to the activities that both cover.

    Parameters
    ----------
    structure : pandas.DataFrame
        ``region``, ``year``, ``classification``, ``section``, ``share`` (per cent of GVA).

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``group`` (see :data:`GROUPS`), ``share``, sorted.

    Raises
    ------
    DesignError
        A section is unknown, missing or doubled, a region-year mixes classifications, or its
        shares do not add up to 100.
    """
    where, keys = "structure of GVA", ["region", "year"]
    pairs = list(zip(structure["classification"], structure["section"], strict=True))
    unknown = sorted({p for p in pairs if p not in GROUP_OF})
    if unknown:
        raise DesignError(where, "unknown section", keys=unknown, expected=sorted(GROUP_OF))
    refuse_missing(structure, ["share"], keys, where)
    refuse_doubled(structure, [*keys, "section"], where)
    mixed = structure.groupby(keys)["classification"].nunique() > 1
    if mixed.any():
        raise DesignError(where, "two classifications in one year", keys=mixed[mixed].index)
    total = structure.groupby(keys)["share"].sum()
    off = (total - 100).abs() > SUM_TOLERANCE
    if off.any():
        raise DesignError(
            where,
            "the shares do not add up",
            keys=total[off].index,
            expected=100,
            found=total[off].round(2).tolist()[:5],
        )
    frame = structure.assign(group=[GROUP_OF[pair] for pair in pairs])
    return frame.groupby([*keys, "group"], as_index=False)["share"].sum()


@dataclass(frozen=True)
class Step:
    """A level shift common to all regions.

    Attributes
    ----------
    estimate : float
        Log points or, on the level scale, the series' units.
    standard_error : float
        Spread over the regions; says nothing of what moved all of them in that year.
    placebos : pandas.Series
        The same statistic at every other year: the yardstick for the common part.
    year : int
        First year on the new level.
    scale : str
        ``"log"`` or ``"level"``.
    """

    estimate: float
    standard_error: float
    placebos: pd.Series
    year: int
    scale: str


def common_step(series, year=BREAK_YEAR, window=None, scale="log", statistic="median"):
    """Step that a change of classification makes in all regions alike.

    With ``d`` the first differences, the statistic over regions of ``d[year]`` minus the region's
    mean difference in the ``window`` years on either side. With all years and the mean this is
    least squares of the differences on region effects (trends) and the year.

    Parameters
    ----------
    series : pandas.DataFrame
        Regions down, consecutive years across.
    year : int
        First year on the new level.
    window : int, optional
        Years on either side that say how the region moves; all by default.
    scale : {"log", "level"}
        A step in proportion to the level or of one size. Reclassified establishments leave in
        proportion: a region without manufacturing loses none.
    statistic : {"median", "mean"}

    Returns
    -------
    Step

    Raises
    ------
    DesignError
        Years are not consecutive, the step's year is absent or at the edge, a value is not
        positive on the log scale, or fewer than two regions are observed around the step.
    """
    where, years = f"common step {year}", list(series.columns)
    if years != list(range(years[0], years[-1] + 1)):
        raise DesignError(where, "years are not consecutive", found=years)
    if year - 1 not in years or len(years) < 3:
        raise DesignError(where, "no year before the step or none to compare with", found=years)
    bad = (series <= 0).any(axis=1) if scale == "log" else series.isna().all(axis=1)
    if bad.any():
        raise DesignError(where, f"values unfit for the {scale} scale", keys=series.index[bad])
    step = (np.log(series) if scale == "log" else series).diff(axis=1)
    reach = window or len(years)

    def beyond(at):
        around = [y for y in years[1:] if 0 < abs(y - at) <= reach and y != year]
        return (step[at] - step[around].mean(axis=1)).dropna()

    excess = beyond(year)
    if len(excess) < 2:
        raise DesignError(where, "fewer than two regions observed", found=len(excess))
    placebos = {y: getattr(beyond(y), statistic)() for y in years[1:] if y != year}
    spread = excess.std() / np.sqrt(len(excess))
    # The median's large-sample error under normality is sqrt(pi / 2) times the mean's.
    spread *= np.sqrt(np.pi / 2) if statistic == "median" else 1.0
    estimate = float(getattr(excess, statistic)())
    return Step(estimate, float(spread), pd.Series(placebos, name="placebo"), year, scale)


def adjust(series: pd.DataFrame, step: Step) -> pd.DataFrame:
    """Bring the years before a step onto the level after it; later years stay as published."""
    early = [y for y in series.columns if y < step.year]
    moved = series.astype(float)
    if step.scale == "log":
        moved[early] *= np.exp(step.estimate)
    else:
        moved[early] += step.estimate
    return moved


def classification_steps(groups: pd.DataFrame, **options) -> pd.Series:
    """Step of each group's share that the classification of 2016 makes, log points.

    Parameters
    ----------
    groups : pandas.DataFrame
        See :func:`comparable_groups`.
    options
        Passed to :func:`common_step`.

    Returns
    -------
    pandas.Series
        Indexed by ``group``; regions without a group in some year do not speak for it.
    """
    steps = {}
    for group, part in groups.groupby("group"):
        wide = part.pivot(index="region", columns="year", values="share")
        wide = wide[~(wide <= 0).any(axis=1)]
        steps[group] = common_step(wide, BREAK_YEAR, scale="log", **options).estimate
    return pd.Series(steps, name="step").rename_axis("group")


def _keys(frame, columns):
    return list(frame[columns].itertuples(index=False, name=None))


def refuse_missing(frame, columns, keys, where):
    """Raise :class:`DesignError` naming the rows (by ``keys``) that lack a value."""
    missing = frame[columns].isna().any(axis=1)
    if missing.any():
        raise DesignError(where, "a value is missing", keys=_keys(frame[missing], keys))


def refuse_doubled(frame, keys, where):
    """Raise :class:`DesignError` naming the rows whose ``keys`` occur twice."""
    doubled = frame.duplicated(keys)
    if doubled.any():
        raise DesignError(where, "a row stands twice", keys=_keys(frame[doubled], keys))
