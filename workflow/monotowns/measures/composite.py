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

#: The choices of which a rank band draws; the index itself takes the first of each.
NORMALISATIONS = ("z_score", "min_max", "rank")
WEIGHTS = ("equal", "pca", "entropy", "benefit_of_the_doubt")
AGGREGATIONS = ("linear", "geometric")
#: Mass between the bounds of a rank band.
LEVEL = 0.90


def normalise(values, method):
    """Bring columns to one scale; higher stays higher.

    Mean 0 and standard deviation 1 (``z_score``), 0 to 1 (``min_max``), or average ranks on 0 to 1.
    """
    values = np.asarray(values, float)
    if method == "z_score":
        return stats.zscore(values)
    if method == "rank":
        values = stats.rankdata(values, axis=0)
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / (high - low)


def dimension_scores(indicators, dimensions, directions, method) -> pd.DataFrame:
    """Scores of the dimensions on one scale.

    Parameters
    ----------
    indicators : pandas.DataFrame, shape (n, m)
        Units down, none missing.
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
    """
    signed = indicators * [directions[name] for name in indicators]
    _refuse_constant(signed, "an indicator does not vary")
    scores = pd.DataFrame(normalise(signed, method), indicators.index, indicators.columns)
    mean = scores.T.groupby(dimensions, sort=False).mean().T
    _refuse_constant(mean, "the indicators of a dimension cancel out")
    return pd.DataFrame(normalise(mean, method), mean.index, mean.columns)


def _refuse_constant(table, problem):
    constant = list(table.columns[table.nunique() < 2])
    if constant:
        raise DesignError("composite index", problem, keys=constant)


def aggregate(scores, weights, aggregation, method):
    """Combine dimensions into an index.

    Parameters
    ----------
    scores : array_like, shape (n, d)
        Normalised with ``method``. Where a positive scale is needed, z-scores count as 100 + 10 z
        (Mazziotta and Pareto 2016), the others as 1 to 100.
    weights : str or array_like, shape (d,)
        A scheme of :data:`WEIGHTS`, or numbers adding up to 1.
    aggregation : {"linear", "geometric"}
        Weighted sum, or weighted product of the positive scores. Benefit of the doubt is applied
        to the positive scores or to their logarithms (Zhou, Ang and Zhou 2010).
    """
    scores = np.asarray(scores, float)
    above = 100 + 10 * scores if method == "z_score" else 1 + 99 * scores
    geometric = aggregation == "geometric"
    if isinstance(weights, str):
        if weights == "benefit_of_the_doubt":
            return benefit_of_the_doubt(np.log(above) if geometric else above)
        weights = {
            "equal": lambda: np.full(scores.shape[1], 1 / scores.shape[1]),
            "pca": lambda: pca_weights(scores),
            "entropy": lambda: entropy_weights(above),
        }[weights]()
    return np.exp(np.log(above) @ weights) if geometric else scores @ weights


def index(indicators, dimensions, directions) -> pd.DataFrame:
    """Composite index of z-scores, equal weights, linear, of :func:`dimension_scores`.

    One row a unit: the dimensions' scores, ``index`` and ``rank`` (1 = highest; ties share the mean
    rank).
    """
    scores = dimension_scores(indicators, dimensions, directions, NORMALISATIONS[0])
    value = aggregate(scores, WEIGHTS[0], AGGREGATIONS[0], NORMALISATIONS[0])
    return scores.assign(index=value, rank=ranks(value))


def rank_bands(indicators, dimensions, directions, draws, seed) -> pd.DataFrame:
    """Ranks under choices drawn at random (Saisana, Saltelli and Tarantola 2005).

    Each draw takes a normalisation, a weighting (those of :data:`WEIGHTS` or one uniform on the
    simplex), an aggregation, and leaves out one indicator or none; all equally likely. At least
    two dimensions must survive any omission. One row a unit: ``rank_median``, ``rank_low``,
    ``rank_high``; 1 = highest.
    """
    rng = np.random.default_rng(seed)
    left_out = [None, *indicators.columns]
    choices = list(product(NORMALISATIONS, (*WEIGHTS, "random"), AGGREGATIONS, left_out))
    scores, fixed, drawn = {}, {}, []
    for pick in rng.integers(len(choices), size=draws):
        method, weights, aggregation, omitted = choices[pick]
        if (method, omitted) not in scores:
            kept = indicators.drop(columns=[omitted] if omitted else [])
            scores[method, omitted] = dimension_scores(kept, dimensions, directions, method)
        table = scores[method, omitted]
        if weights == "random":
            weights = rng.dirichlet(np.ones(table.shape[1]))
            drawn.append(ranks(aggregate(table, weights, aggregation, method)))
        else:
            if pick not in fixed:
                fixed[pick] = ranks(aggregate(table, weights, aggregation, method))
            drawn.append(fixed[pick])
    tail = 50 * (1 - LEVEL)
    low, median, high = np.percentile(drawn, [tail, 50, 100 - tail], axis=0)
    bands = {"rank_median": median, "rank_low": low, "rank_high": high}
    return pd.DataFrame(bands, index=indicators.index)


def ranks(value):
    """Ranks from the highest down; values that differ by rounding alone are ties."""
    return stats.rankdata(-np.round(value, 12))
