"""The two classifications of activities: comparable groups and the step of 2016.

Shares are per cent of a region's gross value added at current basic prices, as published.
"""

from typing import NamedTuple

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


def comparable_groups(structure: pd.DataFrame) -> pd.DataFrame:
    """Sum the sections of both classifications to the activities that both cover.

    Parameters
    ----------
    structure : pandas.DataFrame
        ``region``, ``year``, ``classification``, ``section``, ``share`` (per cent of GVA).

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``industry`` (see :data:`GROUPS`), ``share``, sorted.
    """
    pairs = pd.MultiIndex.from_frame(structure[["classification", "section"]])
    unknown = pairs.difference(list(GROUP_OF))
    if len(unknown):
        raise DesignError("structure of GVA", "unknown section", keys=unknown)
    frame = structure.assign(industry=pairs.map(GROUP_OF))
    return frame.groupby(["region", "year", "industry"], as_index=False)["share"].sum()


class Step(NamedTuple):
    """A shift of levels in 2016 that all regions share, log points.

    The standard error is the spread over the regions and says nothing of what moved all of them
    in that year; the yardstick for that are the placebos, the same statistic at every other year.
    """

    estimate: float
    standard_error: float
    placebos: pd.Series


def common_step(series: pd.DataFrame) -> Step:
    """Step that the change of classification makes in all regions alike.

    With ``d`` the first differences of logs, the median over regions of ``d[2016]`` minus the
    region's mean difference in the other years. Reclassified establishments leave in proportion:
    a region without manufacturing loses none. Regions stand down, consecutive years across.
    """
    years = list(series.columns)
    if years != list(range(years[0], years[-1] + 1)) or not years[0] < BREAK_YEAR < years[-1]:
        expected = f"consecutive years around {BREAK_YEAR}"
        raise DesignError("common step", "unfit years", expected=expected, found=years)
    bad = (series <= 0).any(axis=1)
    if bad.any():
        raise DesignError("common step", "a share is not positive", keys=series.index[bad])
    change = np.log(series).diff(axis=1).iloc[:, 1:]
    steady = change.drop(columns=BREAK_YEAR)
    excess = (change[BREAK_YEAR] - steady.mean(axis=1)).dropna()
    placebos = {y: (steady[y] - steady.drop(columns=y).mean(axis=1)).median() for y in steady}
    # The median's large-sample error under normality is sqrt(pi / 2) times the mean's.
    error = excess.std() * np.sqrt(np.pi / 2 / len(excess))
    return Step(excess.median(), error, pd.Series(placebos, name="placebo"))


def adjust(series: pd.DataFrame, step: Step) -> pd.DataFrame:
    """Bring the years before the step onto the level after it; later years stay as published."""
    return series.mul(np.where(series.columns < BREAK_YEAR, np.exp(step.estimate), 1.0), axis=1)


def classification_steps(groups: pd.DataFrame) -> pd.Series:
    """Step of each industry's share, indexed by ``industry``.

    Regions that lack the industry in some year do not count. ``groups`` is as from
    :func:`comparable_groups`.
    """
    steps = {}
    for industry, part in groups.groupby("industry"):
        wide = part.pivot(index="region", columns="year", values="share")
        steps[industry] = common_step(wide[~(wide <= 0).any(axis=1)]).estimate
    return pd.Series(steps)
