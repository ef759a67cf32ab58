"""Composite indices: normalisation, weights, aggregation, and the rank bands over all choices.

After OECD and JRC (2008), *Handbook on Constructing Composite Indicators*. The indicators of a
dimension are averaged; the dimensions are brought to one scale again and weighted, so that equal
weights give every dimension an equal say however many indicators it has.
"""

from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from monotowns.measures.weighting import benefit_of_the_doubt, entropy_weights, pca_weights
from monotowns.run.errors import DesignError

NORMALISATIONS = ("z_score", "min_max", "rank")
WEIGHTS = ("equal", "pca", "entropy", "benefit_of_the_doubt")
AGGREGATIONS = ("linear", "geometric")


def normalise(values, method):
    """Bring columns to one scale; higher stays higher.

    Parameters
    ----------
    values : array_like, shape (n, d)
        No column constant.
    method : {"z_score", "min_max", "rank"}
        Mean 0 and standard deviation 1; 0 to 1; average ranks on 0 to 1.

    Returns
    -------
    numpy.ndarray, shape (n, d)
    """
    values = np.asarray(values, float)
    if method == "z_score":
        return (values - values.mean(axis=0)) / values.std(axis=0)
    if method == "rank":
        values = stats.rankdata(values, axis=0)
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / (high - low)


def positive(scores, method):
    """Give normalised scores the positive scale that products, entropy and ratios need.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, d)
        From :func:`normalise` with ``method``.

    Returns
    -------
    numpy.ndarray, shape (n, d)
        z-scores as 100 + 10 z (Mazziotta and Pareto 2016), the others as 1 to 100.
    """
    return 100 + 10 * scores if method == "z_score" else 1 + 99 * scores


def dimension_scores(indicators, dimensions, directions, method) -> pd.DataFrame:
    """Scores of the dimensions on one scale.

    Parameters
    ----------
    indicators : pandas.DataFrame, shape (n, m)
        Units down.
    dimensions : dict
        Indicator -> dimension.
    directions : dict
        Indicator -> +1 (more is better) or -1.
    method : str
        See :func:`normalise`.

    Returns
    -------
    pandas.DataFrame, shape (n, d)
        In the order in which the dimensions first appear.

    Raises
    ------
    DesignError
        Fewer than three units; a value is missing or infinite; an indicator is constant, its
        dimension or direction unknown; or a dimension is constant.
    """
    where = "composite index"
    if len(indicators) < 3 or indicators.index.has_duplicates:
        raise DesignError(where, "needs three units or more, each once", found=len(indicators))
    unknown = [c for c in indicators if c not in dimensions or directions.get(c) not in (1, -1)]
    if unknown:
        raise DesignError(where, "no dimension or no direction of +1 or -1", keys=unknown)
    bad = ~np.isfinite(indicators.astype(float)).all(axis=1)
    if bad.any():
        raise DesignError(
            where,
            "a value is missing",
            keys=indicators.index[bad],
            remedy="leave the unit out or the indicator",
        )
    constant = [c for c in indicators if indicators[c].nunique() < 2]
    if constant:
        raise DesignError(where, "an indicator does not vary", keys=constant)
    signed = indicators.to_numpy(float) * [directions[c] for c in indicators]
    scores = pd.DataFrame(normalise(signed, method), indicators.index, indicators.columns)
    mean = scores.T.groupby([dimensions[c] for c in indicators], sort=False).mean().T
    constant = [c for c in mean if np.ptp(mean[c]) == 0]
    if constant:
        raise DesignError(where, "the indicators of a dimension cancel out", keys=constant)
    return pd.DataFrame(normalise(mean, method), mean.index, mean.columns)


def aggregate(scores, weights, aggregation, method):
    """Combine dimensions into an index.

    Parameters
    ----------
    scores : array_like, shape (n, d)
        Normalised with ``method``.
    weights : str or array_like, shape (d,)
        A scheme of :data:`WEIGHTS`, or numbers adding up to 1.
    aggregation : {"linear", "geometric"}
        Weighted sum, or weighted product of the positive scores. Benefit of the doubt is applied
        to the positive scores or to their logarithms (Zhou, Ang and Zhou 2010).

    Returns
    -------
    numpy.ndarray, shape (n,)
        Higher is better; the units are those of the choice and only their order is comparable.
    """
    scores = np.asarray(scores, float)
    above = positive(scores, method)
    if isinstance(weights, str):
        if weights == "benefit_of_the_doubt":
            return benefit_of_the_doubt(np.log(above) if aggregation == "geometric" else above)[0]
        weights = {
            "equal": lambda: np.full(scores.shape[1], 1 / scores.shape[1]),
            "pca": lambda: pca_weights(scores),
            "entropy": lambda: entropy_weights(above),
        }[weights]()
    weights = np.asarray(weights, float)
    return np.exp(np.log(above) @ weights) if aggregation == "geometric" else scores @ weights


def index(
    indicators,
    dimensions,
    directions,
    normalisation="z_score",
    weights="equal",
    aggregation="linear",
) -> pd.DataFrame:
    """Composite index under one choice.

    Parameters
    ----------
    indicators, dimensions, directions
        See :func:`dimension_scores`.
    normalisation, aggregation : str
        Of :data:`NORMALISATIONS` and :data:`AGGREGATIONS`.
    weights : str or array_like
        Of :data:`WEIGHTS`, or one number a dimension.

    Returns
    -------
    pandas.DataFrame
        One row a unit: the dimensions' scores, ``index`` and ``rank`` (1 = highest; ties share
        the mean rank).

    Raises
    ------
    DesignError
        An unknown choice, or see :func:`dimension_scores`.
    """
    choices = ((normalisation, NORMALISATIONS), (aggregation, AGGREGATIONS))
    choices += ((weights, WEIGHTS),) if isinstance(weights, str) else ()
    for choice, known in choices:
        if choice not in known:
            raise DesignError(
                "composite index", "unknown choice", keys=[choice], expected=", ".join(known)
            )
    scores = dimension_scores(indicators, dimensions, directions, normalisation)
    value = aggregate(scores, weights, aggregation, normalisation)
    return scores.assign(index=value, rank=_ranks(value))


def rank_bands(indicators, dimensions, directions, draws, seed, level=0.90) -> pd.DataFrame:
    """Ranks under choices drawn at random (Saisana, Saltelli and Tarantola 2005).

    Each draw takes a normalisation, a weighting (those of :data:`WEIGHTS` or one uniform on the
    simplex), an aggregation, and leaves out one indicator or none; all equally likely.

    Parameters
    ----------
    indicators, dimensions, directions
        See :func:`dimension_scores`; at least two dimensions must survive any omission.
    draws, seed : int
    level : float
        Mass between the bounds of the band.

    Returns
    -------
    pandas.DataFrame
        One row a unit: ``rank_median``, ``rank_low``, ``rank_high``; 1 = highest.
    """
    rng = np.random.default_rng(seed)
    left_out = [None, *indicators.columns]
    choices = list(product(NORMALISATIONS, (*WEIGHTS, "random"), AGGREGATIONS, left_out))
    scores, fixed, ranks = {}, {}, np.empty((draws, len(indicators)))
    for draw, pick in enumerate(rng.integers(len(choices), size=draws)):
        method, weights, aggregation, omitted = choices[pick]
        if (method, omitted) not in scores:
            kept = indicators.drop(columns=[omitted] if omitted else [])
            scores[method, omitted] = dimension_scores(kept, dimensions, directions, method)
        table = scores[method, omitted]
        if weights == "random":
            weights = rng.dirichlet(np.ones(table.shape[1]))
            ranks[draw] = _ranks(aggregate(table, weights, aggregation, method))
            continue
        if pick not in fixed:
            fixed[pick] = _ranks(aggregate(table, weights, aggregation, method))
        ranks[draw] = fixed[pick]
    tail = 50 * (1 - level)
    low, median, high = np.percentile(ranks, [tail, 50, 100 - tail], axis=0)
    return pd.DataFrame(
        {"rank_median": median, "rank_low": low, "rank_high": high}, index=indicators.index
    )


def _ranks(value):
    # Values that differ by rounding alone are ties, whatever order the sums were taken in.
    return stats.rankdata(-np.round(value, 12))
