"""Wild cluster bootstrap of one coefficient, from cluster-level sums of products only.

Cameron, Gelbach and Miller (2008); fast algorithm of Roodman, MacKinnon, Nielsen and Webb (2019,
"Fast and wild", section 5) and MacKinnon (2023, "Fast cluster bootstrap methods"). wildboottest
0.3 has no confidence set and takes the effects as dummies (100 times slower at study size).
"""

from dataclasses import dataclass, field

import numpy as np

from monotowns.run.errors import DesignError

#: Six-point weights of Webb (2023); Rademacher weights give few distinct draws with few clusters.
WEIGHTS = {
    "webb": np.sqrt([1.5, 1.0, 0.5, 0.5, 1.0, 1.5]) * [-1, -1, -1, 1, 1, 1],
    "rademacher": np.array([-1.0, 1.0]),
}
#: Coverage of the confidence set.
LEVEL = 0.95
#: Weights held in memory at a time (8 bytes each, a few arrays of that size).
BLOCK = 500_000
#: Relative difference of two t statistics that are equal but for rounding.
TIE = 1e-10
#: Standard errors from the estimate beyond which a confidence set is called unbounded.
UNBOUNDED = 1e6


@dataclass(frozen=True)
class WildBootstrap:
    """Test of one coefficient by the wild cluster bootstrap.

    Attributes
    ----------
    estimate, standard_error, t : float
        Least squares with CRV1 (fixest's small-sample correction) and the t statistic of zero.
    p_value : float
        Symmetric two-sided: ``(b + 1) / (draws + 1)`` with ``b`` the draws whose absolute t
        statistic is at least the observed one.
    confidence_set : tuple of (float, float)
        Disjoint closed intervals in rising order: every value that the test does not reject.
        Usually one; ends are infinite where the set has no bound.
    draws : int
        Bootstrap samples; if enumerated, all distinct ones besides the observed.
    statistics : numpy.ndarray, shape (draws,)
        Bootstrap t statistics under the null of zero, for tests of several hypotheses at once:
        same clusters and seed, same weights.
    """

    estimate: float
    standard_error: float
    t: float
    p_value: float
    confidence_set: tuple
    draws: int
    statistics: np.ndarray = field(repr=False)


def wild_cluster_bootstrap(fit, param=0, draws=9999, weights="webb", seed=0) -> WildBootstrap:
    """Test that a coefficient is zero, and invert the test, with few or unequal clusters.

    The null is imposed (WCR), and every absorbed effect is estimated anew in each sample, as with
    dummies. Variance: CRV1 in each draw (type "11"). The confidence set is exact for the draws
    made: for a null ``r`` the condition ``|t*(r)| >= |t(r)|`` of a draw is a polynomial of fourth
    degree in ``r``, so its roots are where the p-value jumps.

    Parameters
    ----------
    fit : monotowns.estimate.kernel.ClusteredFit
    param : int
        Which coefficient.
    draws : int
        Choose it so that ``.05 * (draws + 1)`` is whole: the test is then exact if the t statistic
        is pivotal.
    weights : {"webb", "rademacher"}
        Rademacher weights are enumerated when there are no more distinct draws than asked for
        (``2**(G - 1) <= draws + 1``: a draw and its negative have the same absolute t statistic).
    seed : int

    Raises
    ------
    DesignError
        The variance is zero: one cluster alone moves the regressor.
    """
    sums, W, u = fit.clusters.sums, fit.columns, fit.residuals
    # With w'y the estimate and x the regressor less its projection on all other columns, the fit
    # restricted to `estimate + z` has residuals u - z x.
    w = W @ fit.inverse[:, param]
    x = w / fit.inverse[param, param]
    scores = np.array([sums(w * u), sums(w * x)])
    columns = np.array([sums(W * u[:, None]).T, sums(W * x[:, None]).T])
    left = sums(W * w[:, None]) @ fit.inverse
    estimate = fit.estimate[param]
    # The standard error without small-sample factor: it is the unit of everything below.
    unit = np.sqrt((scores[0] ** 2).sum())
    if unit <= TIE * np.abs(estimate):
        raise DesignError(
            "wild cluster bootstrap",
            "the cluster-robust variance is zero",
            expected="a regressor that several clusters move",
        )
    scores[0] /= unit
    columns[0] /= unit
    clusters = scores.shape[1]
    enumerated = weights == "rademacher" and 2 ** (clusters - 1) <= draws + 1
    if enumerated:
        draws = 2 ** (clusters - 1) - 1
    blocks = _draws(WEIGHTS[weights], clusters, draws, enumerated, seed)
    numerator, square = _simulate(scores, columns, left, draws, blocks)
    t = estimate / unit
    # In units of `unit`, the null of zero lies at -t.
    distance = numerator[0] + t * numerator[1]
    spread = np.sqrt(np.maximum(square[0] + 2 * t * square[1] + t**2 * square[2], 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = distance / spread / np.sqrt(fit.factor)
    extreme = np.abs(distance) >= (1 - TIE) * np.abs(t) * spread
    intervals = _invert(numerator, square)
    return WildBootstrap(
        float(estimate),
        float(unit * np.sqrt(fit.factor)),
        float(t / np.sqrt(fit.factor)),
        float((extreme.sum() + 1) / (draws + 1)),
        tuple((float(estimate + unit * a), float(estimate + unit * b)) for a, b in intervals),
        draws,
        statistics,
    )


def _draws(values, clusters, draws, enumerated, seed):
    """Slices of the draws and their weights, shape (clusters, draws of the slice)."""
    rng = np.random.default_rng(seed)
    width = max(1, BLOCK // clusters)
    for first in range(0, draws, width):
        block = slice(first, min(first + width, draws))
        if enumerated:
            # Signs written in the bits of the draw's number, the first cluster's always positive.
            number = np.arange(block.start + 1, block.stop + 1)
            yield block, 1.0 - 2.0 * (number >> np.arange(clusters - 1, -1, -1)[:, None] & 1)
        else:
            size = (clusters, block.stop - first)
            yield block, values[rng.integers(len(values), size=size, dtype=np.int8)]


def _simulate(scores, columns, left, draws, blocks):
    """Numerators and squared denominators of the bootstrap t statistics as polynomials in the null.

    Parameters
    ----------
    scores : numpy.ndarray, shape (2, G)
        ``w_g'u_g`` and ``w_g'x_g``.
    columns : numpy.ndarray, shape (2, p + q, G)
        ``W_g'u_g`` and ``W_g'x_g``.
    left : numpy.ndarray, shape (G, p + q)
        ``w_g'W_g (W'W)^-1``.

    Returns
    -------
    numerator : numpy.ndarray, shape (2, draws)
        The estimate less the null is ``numerator[0] - z * numerator[1]``.
    square : numpy.ndarray, shape (3, draws)
        Its variance is ``square[0] - 2 z * square[1] + z**2 * square[2]``.
    """
    wide = columns.shape[1] >= scores.shape[1]
    projections = [left @ side for side in columns] if wide else list(columns)
    numerator, square = np.empty((2, draws)), np.empty((3, draws))
    for block, v in blocks:
        numerator[:, block] = scores @ v
        fitted = [p @ v if wide else left @ (p @ v) for p in projections]
        base, slope = (s[:, None] * v - f for s, f in zip(scores, fitted, strict=True))
        for row, (a, b) in enumerate([(base, base), (base, slope), (slope, slope)]):
            square[row, block] = np.einsum("gb,gb->b", a, b)
    return numerator, square


def _invert(numerator, square):
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
    inside = extreme + 1 > np.round((1 - LEVEL) * (len(n0) + 1), 9)
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False]))
    return [(position[a], position[b]) for a, b in edges.reshape(-1, 2)]


def _real_roots(terms):
    """Real roots of quartics, sorted; complex ones are infinite. Shapes (5, m) and (m, 4)."""
    # A leading coefficient of zero stands for roots at infinity, i.e. beyond UNBOUNDED.
    lead = np.minimum(terms[0], -(UNBOUNDED**-4.0))
    companion = np.zeros((terms.shape[1], 4, 4))
    companion[:, 0] = (-terms[1:] / lead).T
    companion[:, [1, 2, 3], [0, 1, 2]] = 1.0
    root = np.linalg.eigvals(companion)
    real = np.where(root.imag == 0, root.real, np.inf)
    # Two steps of Newton: eigenvalues lose digits where the leading coefficient is small.
    polynomial = np.concatenate([lead[None], terms[1:]])[..., None]
    derivative = polynomial[:-1] * np.arange(4, 0, -1)[:, None, None]
    with np.errstate(all="ignore"):
        for _ in range(2):
            step = np.polyval(list(polynomial), real) / np.polyval(list(derivative), real)
            real = np.where(np.abs(step) < 1e-3 * np.abs(real), real - step, real)
    return np.sort(real, axis=1)
