"""Many hypotheses at once: family-wise error (Romano and Wolf), false discoveries (q-values)."""

import numpy as np

from monotowns.run.errors import DesignError


def romano_wolf(statistics, draws) -> np.ndarray:
    """Stepdown p-values that control the family-wise error rate.

    Romano and Wolf (2005, 2016): hypotheses are taken in falling order of ``|t|``; each is compared
    with the largest bootstrap statistic among those not yet taken.

    Parameters
    ----------
    statistics : array_like, shape (S,)
        Observed t statistics.
    draws : array_like, shape (B, S)
        Bootstrap or permutation t statistics under the null, all hypotheses of a row from one
        resample (the same weights or permutation): that is what keeps their dependence.

    Returns
    -------
    numpy.ndarray, shape (S,)
        ``(b + 1) / (B + 1)``, made monotone down the order.

    Raises
    ------
    DesignError
        Shapes that do not fit, or values that are NaN (hypotheses named by position).
    """
    observed, drawn = np.abs(np.asarray(statistics, float)), np.abs(np.asarray(draws, float))
    if observed.ndim != 1 or drawn.ndim != 2 or drawn.shape[1] != len(observed):
        raise DesignError(
            "romano_wolf",
            "statistics and draws do not fit together",
            expected="(S,) and (B, S)",
            found=f"{observed.shape} and {drawn.shape}",
        )
    missing = np.isnan(observed) | np.isnan(drawn).any(axis=0)
    if missing.any():
        raise DesignError("romano_wolf", "a statistic is NaN", keys=np.flatnonzero(missing))
    order = np.argsort(-observed, kind="stable")
    # From the last to the first: the largest draw among the hypotheses still standing.
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    steps = ((largest >= observed[order]).sum(axis=0) + 1) / (len(drawn) + 1)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def q_values(p_values, method="bh") -> np.ndarray:
    """Least false-discovery rate at which each hypothesis is rejected.

    Parameters
    ----------
    p_values : array_like, shape (m,)
    method : {"bh", "sharpened"}
        Benjamini and Hochberg (1995), or the two-stage sharpened values of Anderson (2008), which
        invert Benjamini, Krieger and Yekutieli (2006, definition 6) and may be below the p-value.

    Returns
    -------
    numpy.ndarray, shape (m,)

    Raises
    ------
    DesignError
        Unknown method, or p-values outside [0, 1] (named by position).
    """
    p = np.asarray(p_values, float)
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        raise DesignError("q_values", "p-values are not within 0 and 1", keys=np.flatnonzero(bad))
    if method not in ("bh", "sharpened"):
        raise DesignError("q_values", "unknown method", expected="bh, sharpened", found=method)
    order = np.argsort(p, kind="stable")
    count = len(p)
    ratio = p[order] * count / np.arange(1, count + 1)
    adjusted = np.minimum.accumulate(ratio[::-1])[::-1]
    values = np.empty(count)
    values[order] = adjusted if method == "bh" else _sharpened(adjusted)
    return np.minimum(values, 1.0)


def _sharpened(adjusted):
    """Two-stage values from sorted Benjamini-Hochberg values (Anderson searches a grid instead).

    At rate ``q`` stage one rejects by Benjamini-Hochberg at ``q / (1 + q)``; with ``r`` rejections,
    stage two rejects at ``q / (1 + q) * m / (m - r)``. ``r`` jumps at the values themselves.
    """
    count = len(adjusted)
    least = np.full(count, np.inf)
    for stage in range(1, count + 1):
        # Stage one rejects exactly `stage` from this rate up to the next hypothesis' value.
        low, high = adjusted[stage - 1], adjusted[stage] if stage < count else np.inf
        rate = np.maximum(low, adjusted * (count - stage) / count)
        least = np.where(rate < high, np.minimum(least, rate), least)
    # A rate of one half is a false-discovery rate of one.
    least = np.minimum(least, 0.5)
    return least / (1 - least)
