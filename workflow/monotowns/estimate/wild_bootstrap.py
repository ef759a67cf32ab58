"""Wild cluster bootstrap of one coefficient, from cluster-level sums of products only.

Cameron, Gelbach and Miller (2008); fast algorithm of Roodman, MacKinnon, Nielsen and Webb (2019,
"Fast and wild", section 5) and MacKinnon (2023, "Fast cluster bootstrap methods").
"""

from dataclasses import dataclass, field

import numpy as np

from monotowns.estimate import clustered_fit
from monotowns.run.errors import DesignError

#: Six-point weights of Webb (2023); Rademacher weights give few distinct draws with few clusters.
WEIGHTS = {
    "webb": np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]) * [-1, -1, -1, 1, 1, 1],
    "rademacher": np.array([-1.0, 1.0]),
}

#: Weights held in memory at a time (8 bytes each, a few arrays of that size).
BLOCK = 500_000

#: Relative difference of two t statistics that are equal but for rounding.
TIE = 1e-10

#: Residuals below this share of the outcome's norm are rounding error of the demeaning.
ROUNDING = 1e-12

#: Standard errors from the estimate beyond which a confidence set is called unbounded.
UNBOUNDED = 1e6


@dataclass(frozen=True)
class WildBootstrap:
    """What the wild cluster bootstrap found about one coefficient.

    Attributes
    ----------
    estimate, standard_error, t : float
        Least squares with CRV1 (fixest's small-sample correction) and the t statistic of zero.
    p_value : float
        Symmetric two-sided: ``(b + 1) / (draws + 1)`` with ``b`` the draws whose absolute t
        statistic is at least the observed one.
    confidence_set : tuple of (float, float)
        Disjoint closed intervals in rising order: every value that the test does not reject at
        ``1 - level``. Usually one; ends are infinite where the set has no bound.
    level : float
    draws : int
        Bootstrap samples; if ``enumerated``, all distinct ones besides the observed.
    enumerated : bool
        All Rademacher weights were used: there is no simulation error.
    n_clusters : int
    statistics : numpy.ndarray, shape (draws,)
        Bootstrap t statistics under the null of zero (around the estimate if the null is not
        imposed), for tests of several hypotheses at once: same clusters and seed, same weights.
    """

    estimate: float
    standard_error: float
    t: float
    p_value: float
    confidence_set: tuple
    level: float
    draws: int
    enumerated: bool
    n_clusters: int
    statistics: np.ndarray = field(repr=False)


def wild_cluster_bootstrap(
    y,
    X,
    cluster,
    absorb=(),
    param=0,
    draws=9999,
    weights="webb",
    impose_null=True,
    seed=0,
    level=0.95,
):
    """Test that a coefficient is zero, and invert the test, with few or unequal clusters.

    The bootstrap samples are fitted with every absorbed effect estimated anew, as with dummies.
    Variance: CRV1 in each draw (type "11"). Symmetric two-sided p-value. The confidence set is
    exact for the draws made: for a null ``r`` the condition ``|t*(r)| >= |t(r)|`` of a draw is a
    polynomial of fourth degree in ``r``, so its roots tell where the p-value jumps.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, p)
        Regressors; a constant belongs here if nothing is absorbed.
    cluster : array_like, shape (n,)
        Ids of the clusters, at least two.
    absorb : sequence of array_like, each shape (n,)
        One id array a fixed effect. Drop singletons first: they count as rows.
    param : int
        Column of ``X``.
    draws : int
        Choose it so that ``(1 - level) * (draws + 1)`` is whole: the test is then exact if the
        t statistic is pivotal.
    weights : {"webb", "rademacher"}
        Rademacher weights are enumerated when there are no more distinct draws than asked for
        (``2**(G - 1) <= draws + 1``: a draw and its negative have the same absolute t statistic).
    impose_null : bool
        Residuals of the restricted fit (WCR) rather than of the unrestricted one (WCU).
    seed : int
    level : float
        Coverage of the confidence set.

    Returns
    -------
    WildBootstrap

    Raises
    ------
    DesignError
        See :func:`monotowns.estimate.clustered_fit.fit`; unknown weights or column; draws or level
        out of range; a variance of zero (perfect fit, or one cluster alone moves the regressor).
    """
    where = "wild_cluster_bootstrap"
    if weights not in WEIGHTS:
        raise DesignError(where, "unknown weights", expected=sorted(WEIGHTS), found=weights)
    if draws < 1 or not 0 < level < 1:
        raise DesignError(
            where,
            "draws or level out of range",
            found=f"{draws}, {level}",
            expected="draws of at least 1, a level between 0 and 1",
        )
    fit = clustered_fit.fit(y, X, cluster, absorb, where)
    if not 0 <= param < len(fit.estimate):
        raise DesignError(
            where, "no such column of X", found=param, expected=f"0 to {len(fit.estimate) - 1}"
        )
    scores, columns, left = _products(fit, param)
    # The standard error without small-sample factor: it is the unit of everything below.
    unit = np.sqrt((scores[0] ** 2).sum())
    perfect = np.linalg.norm(fit.residuals) <= ROUNDING * np.linalg.norm(y)
    if perfect or unit <= TIE * np.abs(fit.estimate[param]):
        raise DesignError(
            where,
            "the cluster-robust variance is zero",
            expected="residuals; a regressor that several clusters move",
        )
    scores[0] /= unit
    columns[0] /= unit
    if not impose_null:
        scores[1], columns[1] = 0.0, 0.0
    clusters = len(fit.labels)
    enumerated = weights == "rademacher" and 2 ** (clusters - 1) <= draws + 1
    if enumerated:
        draws = 2 ** (clusters - 1) - 1
    numerator, square = _simulate(scores, columns, left, draws, weights, enumerated, seed)
    estimate, t = fit.estimate[param], fit.estimate[param] / unit
    # In units of `unit`, the null of zero lies at -t.
    null = -t if impose_null else 0.0
    drawn = numerator[0] - null * numerator[1]
    spread = np.sqrt(np.maximum(square[0] - 2 * null * square[1] + null**2 * square[2], 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = drawn / spread / np.sqrt(fit.scale)
    as_extreme = np.abs(drawn) >= (1 - TIE) * np.abs(t) * spread
    intervals = _invert(numerator, square, level)
    return WildBootstrap(
        float(estimate),
        float(unit * np.sqrt(fit.scale)),
        float(t / np.sqrt(fit.scale)),
        float((as_extreme.sum() + 1) / (draws + 1)),
        tuple(
            (float(estimate + unit * low), float(estimate + unit * high)) for low, high in intervals
        ),
        level,
        draws,
        enumerated,
        clusters,
        statistics,
    )


def _products(fit, param):
    """Cluster sums from which every bootstrap t statistic follows.

    With ``e_x`` the regressor residualised on all other columns, ``w = e_x / e_x'e_x``, residuals
    ``u`` and ``W`` all columns, the fit restricted to ``estimate + z`` has residuals ``u - z e_x``.

    Returns
    -------
    scores : numpy.ndarray, shape (2, G)
        ``w_g'u_g`` and ``w_g'e_xg``.
    columns : numpy.ndarray, shape (2, p + q, G)
        ``W_g'u_g`` and ``W_g'e_xg``.
    left : numpy.ndarray, shape (G, p + q)
        ``w_g'W_g (W'W)^-1``.
    """
    w = fit.X @ fit.bread[:, param]
    x = w / fit.bread[param, param]
    scores = np.array([np.bincount(fit.cluster, w * e) for e in (fit.residuals, x)])
    columns = np.array([fit.sums(fit.residuals), fit.sums(x)])
    sums, slopes = fit.sums(w), len(fit.bread)
    left = np.hstack([sums[:slopes].T @ fit.bread, sums[slopes:].T @ fit.gram])
    return scores, columns, left


def _simulate(scores, columns, left, draws, weights, enumerated, seed):
    """Numerators and squared denominators of the bootstrap t statistics as polynomials in the null.

    Returns
    -------
    numerator : numpy.ndarray, shape (2, draws)
        The estimate less the null is ``numerator[0] - z * numerator[1]``.
    square : numpy.ndarray, shape (3, draws)
        Its variance is ``square[0] - 2 z * square[1] + z**2 * square[2]``.
    """
    clusters = scores.shape[1]
    wide = columns.shape[1] >= clusters
    projections = [left @ side for side in columns] if wide else list(columns)
    numerator, square = np.empty((2, draws)), np.empty((3, draws))
    rng = np.random.default_rng(seed)
    width = max(1, BLOCK // clusters)
    for first in range(0, draws, width):
        block = slice(first, min(first + width, draws))
        if enumerated:
            v = _signs(np.arange(block.start + 1, block.stop + 1), clusters)
        else:
            values, shape = WEIGHTS[weights], (clusters, block.stop - first)
            v = values[rng.integers(len(values), size=shape, dtype=np.int8)]
        numerator[:, block] = scores @ v
        fitted = [p @ v if wide else left @ (p @ v) for p in projections]
        base, slope = (s[:, None] * v - f for s, f in zip(scores, fitted, strict=True))
        for row, (a, b) in enumerate([(base, base), (base, slope), (slope, slope)]):
            square[row, block] = np.einsum("gb,gb->b", a, b)
    return numerator, square


def _signs(numbers, clusters):
    """Signs written in the bits of the numbers, the first cluster's always positive."""
    return 1.0 - 2.0 * (numbers >> np.arange(clusters - 1, -1, -1)[:, None] & 1)


def _invert(numerator, square, level):
    """Intervals of ``z`` (null less estimate, in units of the raw standard error) not rejected."""
    n0, n1 = numerator
    d0, d1, d2 = square
    # (n0 - z n1)^2 - z^2 (d0 - 2 z d1 + z^2 d2) >= 0: the draw is as extreme as the observed.
    terms = np.array([-d2, 2 * d1, n1**2 - d0, -2 * n0 * n1, n0**2])
    # Weights that are equal in all clusters reproduce the observed statistic at every null.
    tied = np.abs(terms).max(axis=0) < TIE
    roots = _real_roots(terms[:, ~tied])
    # Negative at both ends, so the sign changes from - to + at the first, third root.
    change = np.broadcast_to([1, -1, 1, -1], roots.shape)
    keep = np.isfinite(roots)
    position = np.clip(roots[keep], -UNBOUNDED, UNBOUNDED)
    order = np.lexsort((-change[keep], position))
    position = np.r_[-np.inf, position[order], np.inf]
    position[np.abs(position) >= UNBOUNDED] *= np.inf
    extreme = tied.sum() + np.r_[0, np.cumsum(change[keep][order])]
    # Rounding of (1 - level) must not decide whether a p-value equals it.
    inside = extreme + 1 > np.round((1 - level) * (len(n0) + 1), 9)
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False]))
    return [(position[a], position[b]) for a, b in edges.reshape(-1, 2)]


def _real_roots(terms):
    """Real roots of quartics, sorted; complex ones are infinite. Shapes (5, m) and (m, 4)."""
    # A leading coefficient of zero stands for roots at infinity, i.e. beyond UNBOUNDED.
    lead = np.minimum(terms[0], -(UNBOUNDED**-4.0))
    companion = np.zeros((terms.shape[1], 4, 4))
    companion[:, 0] = (-terms[1:] / lead).T
    companion[:, [1, 2, 3], [0, 1, 2]] = 1.0
    found = np.linalg.eigvals(companion)
    real = np.where(found.imag == 0, found.real, np.inf)
    polynomial = np.concatenate([lead[None], terms[1:]])[..., None]
    derivative = polynomial[:-1] * np.arange(4, 0, -1)[:, None, None]
    with np.errstate(all="ignore"):
        for _ in range(2):
            step = np.polyval(list(polynomial), real) / np.polyval(list(derivative), real)
            real = np.where(np.abs(step) < 1e-3 * np.abs(real), real - step, real)
    return np.sort(real, axis=1)
