"""Randomization inference over adoption years: the law of any estimate under the sharp null.

Fisher's exact test; MacKinnon and Winkler (2020) and Athey and Imbens (2022) for adoption dates.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from monotowns.estimate import absorb as fixed
from monotowns.run.errors import DesignError

#: Relative difference of two statistics that are equal but for rounding.
TIE = 1e-10


@dataclass(frozen=True)
class RandomizationTest:
    """What permuting adoption years found.

    Attributes
    ----------
    statistic : float
        With the adoption years as they were.
    p_value : float
        Two-sided ``(b + 1) / (m + 1)``, with ``b`` of the ``m`` draws at least as large in absolute
        value; exact under the sharp null that no entity's outcome depends on its adoption year.
    draws : numpy.ndarray, shape (m,)
        The statistic under permuted adoption years.
    """

    statistic: float
    p_value: float
    draws: np.ndarray = field(repr=False)


def randomization_test(statistic: Callable, cohort, strata=None, draws=999, seed=0):
    """Permute adoption years between the entities of a stratum and estimate anew.

    Parameters
    ----------
    statistic : callable
        Takes adoption years, shape (entities,), and returns one number, e.g.
        :func:`twoway_statistic`.
    cohort : array_like, shape (entities,)
        Adoption year of each entity, 0 if never.
    strata : array_like, shape (entities,), optional
        Entities are exchangeable within these; None is one stratum.
    draws : int
    seed : int

    Returns
    -------
    RandomizationTest

    Raises
    ------
    DesignError
        Adoption years missing, or alike within every stratum (nothing to permute); a statistic
        that is not finite.
    """
    where = "randomization_test"
    cohort = np.asarray(cohort)
    stratum = np.zeros(len(cohort), int)
    if strata is not None:
        stratum = fixed.codes(strata, f"{where}: strata")[0]
    fixed.require_finite(where, cohort=cohort, strata=stratum)
    first = np.unique(stratum, return_index=True)[1]
    if (cohort == cohort[first][stratum]).all():
        raise DesignError(
            where, "adoption years do not vary within any stratum", remedy="use coarser strata"
        )
    place = np.argsort(stratum, kind="stable")
    rng = np.random.default_rng(seed)
    observed, drawn, permuted = float(statistic(cohort)), np.empty(draws), cohort.copy()
    for draw in range(draws):
        permuted[place] = cohort[np.argsort(stratum + rng.random(len(cohort)))]
        drawn[draw] = statistic(permuted)
    bad = ~np.isfinite(np.r_[observed, drawn])
    if bad.any():
        raise DesignError(
            where, "the statistic is not finite (draw 0 is the observed)", keys=np.flatnonzero(bad)
        )
    extreme = int((np.abs(drawn) >= (1 - TIE) * abs(observed)).sum())
    return RandomizationTest(observed, (extreme + 1) / (draws + 1), drawn)


def _cells(where, y, entity, time):
    """Outcome, codes of entity and period, the periods, and which cells are seen (0/1)."""
    y = np.asarray(y, float)
    fixed.require_finite(where, y=y, time=time)
    unit, entities = fixed.codes(entity, f"{where}: entity")
    period, times = fixed.codes(time, f"{where}: time")
    cells = unit * len(times) + period
    _, kept = np.unique(cells, return_index=True)
    if len(kept) < len(cells):
        twice = np.setdiff1d(np.arange(len(cells)), kept)
        raise DesignError(where, "an entity stands twice in a period", keys=twice)
    seen = np.zeros((len(entities), len(times)))
    seen[unit, period] = 1.0
    return y, unit, period, times, seen


def twoway_statistic(y, entity, time) -> Callable:
    """Two-way fixed-effects coefficient of an adoption dummy, as a function of adoption years.

    The outcome is demeaned once (Frisch and Waugh): a coefficient then costs one pass over the
    cells. The panel may be unbalanced.

    Parameters
    ----------
    y : array_like, shape (n,)
    entity, time : array_like, shape (n,)
        Entities in sorted order are the order of ``cohort``.

    Returns
    -------
    callable
        ``cohort -> float``; ``cohort`` has shape (entities,), the dummy is 1 from that period on,
        0 means never. NaN if the dummy does not vary within entities and periods.

    Raises
    ------
    DesignError
        Values missing or an entity twice in a period (rows named by position).
    """
    where = "twoway_statistic"
    y, unit, period, times, seen = _cells(where, y, entity, time)
    outcome = np.zeros(seen.shape)
    outcome[unit, period] = fixed.demean(y, [unit, period])
    # Sums over an entity's periods from the k-th on; k = len(times) is the never adopted.
    after, gain = (
        np.hstack([np.cumsum(a[:, ::-1], axis=1)[:, ::-1], np.zeros((len(seen), 1))])
        for a in (seen, outcome)
    )
    share = after / seen.sum(axis=1, keepdims=True)
    gram = np.diag(seen.sum(axis=0)) - (seen / seen.sum(axis=1, keepdims=True)).T @ seen
    inverse = np.linalg.pinv(gram, hermitian=True, rcond=1e-10)
    rows = np.arange(len(seen))

    def coefficient(cohort) -> float:
        cohort = np.asarray(cohort)
        if cohort.shape != rows.shape:
            raise DesignError(
                where,
                "one adoption year an entity is needed",
                expected=len(rows),
                found=cohort.shape,
            )
        start = np.where(cohort == 0, len(times), np.searchsorted(times, cohort))
        own = share[rows, start]
        # Dummy less its entity mean, by period: the part that the period effects can still explain.
        dates = np.flatnonzero(np.bincount(start))
        *adopters, means = np.vstack([dates[:, None] == start, own]) @ seen
        rest = ((dates[:, None] <= np.arange(len(times))) * adopters).sum(axis=0) - means
        square = (after[rows, start] * (1 - own)).sum() - rest @ inverse @ rest
        if square <= 1e-10 * after[rows, start].sum():
            return np.nan
        return float(gain[rows, start].sum() / square)

    return coefficient


def imputation_statistic(y, entity, time) -> Callable:
    """Average effect on the treated by imputation, as a function of adoption years.

    Entity and period effects of the untreated cells (Borusyak, Jaravel and Spiess 2024), entities
    partialled out: a draw costs a few passes over the cells and one small system.

    Parameters
    ----------
    y : array_like, shape (n,)
    entity, time : array_like, shape (n,)
        Entities in sorted order are the order of ``cohort``.

    Returns
    -------
    callable
        ``cohort -> float``, see :func:`twoway_statistic`. Cells of an entity or a period without
        an untreated cell cannot be imputed and do not count; NaN if none is left.

    Raises
    ------
    DesignError
        As :func:`twoway_statistic`.
    """
    where = "imputation_statistic"
    y, unit, period, times, seen = _cells(where, y, entity, time)
    outcome, order = np.zeros(seen.shape), np.arange(len(times))
    outcome[unit, period] = y

    def effect(cohort) -> float:
        cohort = np.asarray(cohort)
        if cohort.shape != (len(seen),):
            raise DesignError(
                where,
                "one adoption year an entity is needed",
                expected=len(seen),
                found=cohort.shape,
            )
        start = np.where(cohort == 0, len(times), np.searchsorted(times, cohort))
        base = seen * (order < start[:, None])
        size = base.sum(axis=1)
        share = base / np.maximum(size, 1)[:, None]
        mean = (share * outcome).sum(axis=1)
        gram = np.diag(base.sum(axis=0)) - share.T @ base
        right = (base * outcome).sum(axis=0) - base.T @ mean
        year = np.linalg.pinv(gram, hermitian=True, rcond=1e-10) @ right
        left = outcome - (mean - share @ year)[:, None] - year
        on = (seen - base) * (size > 0)[:, None] * (base.sum(axis=0) > 0)
        return float((on * left).sum() / on.sum()) if on.any() else np.nan

    return effect
