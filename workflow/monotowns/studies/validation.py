"""Does the index of 2016 order what happened from 2017 on? It never predicts its own inputs."""

import numpy as np
import pandas as pd
from scipy import stats

from monotowns.estimate.record import Fit
from monotowns.measures.composite import index
from monotowns.measures.potential import (
    DIMENSIONS,
    DIRECTIONS,
    INCOME,
    INDICATORS,
    RESIDENTS,
    Measured,
    indicators,
)
from monotowns.run.errors import DesignError

OUTCOMES = {
    "log_taxable_pc": Measured(INCOME, 2017, 2021),
    "log_population": Measured(RESIDENTS, 2017, 2021),
}


def check_no_circularity(measured: dict, outcome: Measured) -> list[str]:
    """Refuse an index that would be tested on its own inputs.

    A year apart is not enough where the source is shared: an error or a passing shock in the last
    indicator year that has not died out by the base year raises the index and lowers the growth
    that follows (mean reversion). Such indicators are left out of the strict test.

    Parameters
    ----------
    measured : dict
        Name -> :class:`Measured`.
    outcome : Measured
        Growth from its first to its last year.

    Returns
    -------
    list of str
        The indicators that share no source with the outcome, in order.

    Raises
    ------
    DesignError
        An indicator looks at the outcome's base year or later, or none is independent.
    """
    late = [name for name, of in measured.items() if of.last_year >= outcome.first_year]
    if late:
        raise DesignError(
            "development potential",
            "an indicator overlaps with the outcome",
            keys=late,
            expected=f"measured before {outcome.first_year}",
        )
    apart = [name for name, of in measured.items() if not of.sources & outcome.sources]
    if not apart:
        raise DesignError(
            "development potential",
            "every indicator shares the outcome's source",
            keys=sorted(outcome.sources),
        )
    return apart


def growth(panel: pd.DataFrame, column: str) -> pd.Series:
    """Change of a logged outcome over the years of :data:`OUTCOMES`, indexed by ``entity``."""
    of = OUTCOMES[column]
    wide = panel.pivot(index="entity", columns="year", values=column)
    return (wide[of.last_year] - wide[of.first_year]).dropna().rename(column)


def validate(score, outcome, region, draws, seed, level=0.95) -> Fit:
    """Rank correlation of an index with what happened later.

    Parameters
    ----------
    score : pandas.Series, shape (n,)
        Index; higher is meant to be better.
    outcome : pandas.Series
        Later growth; units in both enter.
    region : pandas.Series
        Cluster of each unit: drawn whole, with replacement.
    draws, seed : int
    level : float
        Coverage of the percentile interval.

    Returns
    -------
    Fit
        One term, ``spearman``; the p-value inverts the percentile interval.

    Raises
    ------
    DesignError
        Fewer than two clusters or four units, or one side does not vary.
    """
    frame = pd.DataFrame({"score": score, "outcome": outcome}).dropna()
    cluster, names = pd.factorize(region.reindex(frame.index))
    varies = frame.nunique().min() > 1
    if len(frame) < 4 or len(names) < 2 or (cluster < 0).any() or not varies:
        raise DesignError(
            "validation",
            "too few units or clusters, or no variation",
            found=f"{len(frame)} units, {len(names)} clusters",
        )
    x, y = frame.to_numpy().T
    members = [np.flatnonzero(cluster == c) for c in range(len(names))]
    rng = np.random.default_rng(seed)
    estimate, drawn = _spearman(x, y), np.empty(draws)
    for b in range(draws):
        rows = np.concatenate([members[c] for c in rng.integers(len(names), size=len(names))])
        drawn[b] = _spearman(x[rows], y[rows])
    # A draw of clusters within which one side is constant has no correlation.
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [50 * (1 - level), 50 * (1 + level)])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    terms = pd.DataFrame(
        {
            "term": ["spearman"],
            "estimate": [estimate],
            "standard_error": [drawn.std(ddof=1)],
            "ci_low": [low],
            "ci_high": [high],
            "p_value": [min(1.0, 2 * (1 + tail) / (1 + len(drawn)))],
        }
    )
    return Fit(
        terms,
        "rank correlation",
        f"cluster bootstrap (region), {draws} draws, percentile",
        len(frame),
        len(frame),
        len(names),
        details={"draws": drawn},
    )


def _spearman(x, y):
    x, y = (stats.rankdata(v) for v in (x, y))
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    return x @ y / scale if scale > 0 else np.nan


def build_validation(panel, measures, manufacturing, draws, seed) -> dict:
    """Validate the index on every outcome, with all indicators and with independent ones only.

    Both versions speak of the same units: those with every indicator.

    Parameters
    ----------
    panel, measures, manufacturing
        See :func:`monotowns.measures.potential.indicators`.
    draws, seed : int
        See :func:`validate`.

    Returns
    -------
    dict
        (outcome, ``"all"`` or ``"independent"``) -> :class:`monotowns.estimate.record.Fit`.
    """
    table = indicators(panel, measures, manufacturing).dropna()
    region = panel.drop_duplicates("entity").set_index("entity")["region"]
    fits = {}
    for outcome, of in OUTCOMES.items():
        apart = check_no_circularity(INDICATORS, of)
        for version, names in (("all", list(INDICATORS)), ("independent", apart)):
            score = index(table[names], DIMENSIONS, DIRECTIONS)["index"]
            fits[outcome, version] = validate(score, growth(panel, outcome), region, draws, seed)
    return fits
