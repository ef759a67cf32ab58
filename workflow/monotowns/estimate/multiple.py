"""Family-wise error over dependent hypotheses (Romano and Wolf).

statsmodels 0.15 has no test that keeps the dependence of the draws; pyfixest's (0.60) is private.
"""

import numpy as np


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
    """
    observed, drawn = np.abs(np.asarray(statistics, float)), np.abs(np.asarray(draws, float))
    order = np.argsort(-observed, kind="stable")
    # From the last to the first: the largest draw among the hypotheses still standing.
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    steps = ((largest >= observed[order]).sum(axis=0) + 1) / (len(drawn) + 1)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted
