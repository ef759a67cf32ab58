"""How far parallel trends may fail before a conclusion does (Rambachan and Roth 2023).

Own code because of what the libraries do: diff-diff (3.13) is too narrow under relative magnitudes,
takes its own results only, and 50 to 100 times as long under smoothness; moderndid (0.2) forgets
the first change before the treatment and takes minutes. The dual of the test's linear program is
solved by hand, a test is a few inner products.
"""

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

#: Coverage of the intervals.
LEVEL = 0.95

#: Draws of the least favourable critical value (a .995 quantile): its error is then about .02.
DRAWS = 50_000

#: Where the search for a breakdown value ends; beyond it is reported as infinite.
LARGEST = 64.0


def honest(
    fit: Fit,
    bounds=(0.5, 1.0, 1.5, 2.0),
    *,
    kind="relative_magnitudes",
    target=None,
    base=-1,
    seed=0,
) -> Fit:
    """Confidence intervals of an effect when trends may differ by a bound, and the breakdown value.

    Parameters
    ----------
    fit : Fit
        Terms ``event e`` (or years) with covariance, all relative to one base period. Imputation
        and two-stage measure events before the treatment and effects after it from different
        bases (Roth 2024) and are refused.
    bounds : sequence of float
        ``relative_magnitudes``: multiple of the largest change between two periods before the
        treatment, never exceeded by a change after it. ``smoothness``: largest change of the
        slope from one period to the next, in units of the outcome.
    kind : {"relative_magnitudes", "smoothness"}
    target : int, optional
        Event (or year) whose effect is asked for, if not the mean of all after the base.

    Returns
    -------
    Fit
        ``bound m`` for each bound: the estimate under parallel trends and the robust interval;
        ``breakdown``: the largest bound at which the interval excludes 0, 0 if none does, infinite
        beyond :data:`LARGEST` times its scale.
    """
    smooth = {"relative_magnitudes": False, "smoothness": True}[kind]
    beta, sigma, before, weights = _read(fit, base, target, 1 if smooth else 2)
    estimate = weights @ beta[before:]
    spread = np.sqrt(weights @ sigma[before:, before:] @ weights)
    normal = np.random.default_rng(seed).standard_normal((len(beta) + before + 2, DRAWS))

    def interval(m):
        if smooth:
            return _smooth(beta, sigma, before, weights, m)
        return _relative(beta, sigma, before, weights, m, normal)

    def keeps(m):
        if smooth:
            low, high = interval(m)
            return low <= 0 <= high
        return _relative_test(beta, sigma, before, weights, m, normal)(np.zeros(1))[0]

    terms = wald_terms([f"bound {m:g}" for m in bounds], [estimate] * len(bounds), np.nan)
    terms[["ci_low", "ci_high"]] = [interval(m) for m in bounds]
    breakdown = _breakdown(keeps, LARGEST * (spread if smooth else 1))
    terms.loc[len(terms)] = ["breakdown", breakdown, *[np.nan] * 4]
    return Fit(
        terms,
        f"honest_{kind}",
        f"of {fit.estimator}: {fit.variance}",
        fit.n_obs,
        fit.n_entities,
        fit.n_clusters,
    )


def _read(fit, base, target, needed):
    """Estimates and covariance by period, how many are before the base, weights of the target."""
    where = f"sensitivity of {fit.estimator}"
    period = fit.terms["term"].str.extract(r"^(?:event )?(-?\d+)$", expand=False).astype(float)
    period = period.dropna().astype(int).sort_values()
    at, period = period.index, period.to_numpy()
    sigma = fit.covariance[np.ix_(at, at)]
    if not np.isfinite(sigma).all():
        raise DesignError(where, "the estimator gives no covariance of the events")
    if base in period or not fit.details.get("one_base", True):
        raise DesignError(
            where,
            "the events are not relative to one base period",
            expected=base,
            remedy='callaway_santanna with base_period="universal"',
        )
    whole = np.setdiff1d(np.arange(period.min(), period.max() + 1), [base])
    if not np.array_equal(period, whole):
        raise DesignError(where, "a period is missing", keys=np.setdiff1d(whole, period))
    before, after = (period < base).sum(), period[period > base]
    if before < needed or not len(after):
        raise DesignError(
            where,
            "too few periods before or after the base",
            expected=f"{needed} before, 1 after",
            found=period.tolist(),
        )
    chosen = np.ones(len(after)) if target is None else after == target
    if not chosen.any():
        raise DesignError(where, "no such target", keys=[target], expected=after.tolist())
    return fit.terms["estimate"].to_numpy()[at], sigma, before, chosen / chosen.sum()


def _breakdown(keeps, largest, digits=1e-3):
    """Largest bound at which 0 is rejected, to a relative error; the sets grow with the bound."""
    if keeps(0.0):
        return 0.0
    low, high = 0.0, largest / LARGEST
    while not keeps(high):
        low, high = high, 2 * high
        if high > largest:
            return np.inf
    while high - low > digits * high:
        middle = (low + high) / 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return low


def _relative(beta, sigma, before, weights, m, normal):
    """Ends of the set of values accepted under relative magnitudes."""
    accept = _relative_test(beta, sigma, before, weights, m, normal)
    centre = weights @ beta[before:]
    largest = np.abs(np.diff(np.append(beta[:before], 0))).max()
    reach = m * largest * np.abs(weights) @ np.arange(1, len(weights) + 1)
    half = reach + 20 * np.sqrt(weights @ sigma[before:, before:] @ weights)
    grid = centre + half * np.linspace(-1, 1, 2001)
    kept = np.flatnonzero(accept(grid))
    if not len(kept):
        return np.nan, np.nan
    ends = []
    for inside, step in ((kept[0], -1), (kept[-1], 1)):
        good, bad = grid[inside], grid[np.clip(inside + step, 0, len(grid) - 1)]
        for _ in range(20):
            middle = (good + bad) / 2
            good, bad = (middle, bad) if accept(np.array([middle]))[0] else (good, middle)
        ends.append(good)
    return tuple(ends)


def _relative_test(beta, sigma, before, weights, m, normal):
    """Test of values: the union over which change before the treatment is the largest."""
    change = np.delete(np.diff(np.eye(len(beta) + 1), axis=0), before, axis=1)
    tests = []
    for largest in range(before):
        for sign in (1, -1):
            moments, slope = _moments(change, sigma, before, weights, m, sign * change[largest])
            tests.append(_conditional(moments @ beta, moments @ sigma @ moments.T, slope, normal))
    return lambda values: np.any([test(values) for test in tests], axis=0)


def _moments(change, sigma, before, weights, m, bound):
    """Extreme rays of the dual program, as inner products with the estimates.

    The moments are d_t'beta - m b'beta <= 0 and -d_t'beta - m b'beta <= 0 for the changes d_t
    after the treatment, b the change taken as largest, the effects but the target profiled out.
    Multipliers that cancel the effects either pair the two signs of one change, or follow the one
    combination u of changes that gives the target, up or down. They are scaled so that multipliers
    times standard deviations sum to one, as the test statistic asks. Returns the moments, shape
    (r, periods), and what a unit of the target takes off each, shape (r,).
    """
    after = change[before:]
    signs = [after - m * bound, -after - m * bound]
    spread = [_spread(rows, sigma) for rows in signs]
    u = np.linalg.solve(after[:, before:].T, weights)
    moments, slope = [], []
    for direction in (1, -1):
        parts = np.maximum(direction * u, 0), np.maximum(-direction * u, 0)
        scale = parts[0] @ spread[0] + parts[1] @ spread[1]
        moments.append((parts[0] @ signs[0] + parts[1] @ signs[1]) / scale)
        slope.append(direction / scale)
    if len(after) > 1:
        pairs = (signs[0] + signs[1]) / (spread[0] + spread[1])[:, None]
    else:
        # With one period after the treatment the restrictions before it are tested too.
        pairs = np.vstack([change[:before] - bound, -change[:before] - bound])
        pairs = pairs[np.abs(pairs).max(axis=1) > 0]
        pairs = pairs / _spread(pairs, sigma)[:, None]
    return np.vstack([*moments, pairs]), np.array([*slope, *[0.0] * len(pairs)])


def _spread(rows, sigma):
    return np.sqrt(np.einsum("ij,jk,ik->i", rows, sigma, rows))


def _conditional(centre, covariance, slope, normal):
    """Hybrid of the least favourable and the conditional test (Andrews, Roth and Pakes 2023)."""
    kappa = (1 - LEVEL) / 10
    size = (1 - LEVEL - kappa) / (1 - kappa)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    least = np.quantile((root @ normal[: len(slope)]).max(axis=0), 1 - kappa)
    variance = np.diag(covariance)
    near = 1e-9

    def accept(values):
        y = centre - np.multiply.outer(values, slope)
        top = y.argmax(axis=1)
        statistic = np.take_along_axis(y, top[:, None], 1)[:, 0]
        spread = np.sqrt(np.maximum(variance[top], np.finfo(float).tiny))
        share = covariance[top] / (spread**2)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            cross = (y - share * statistic[:, None]) / (1 - share)
        low = np.where(share < 1 - near, cross, -np.inf).max(axis=1) / spread
        high = np.where(share > 1 + near, cross, np.inf).min(axis=1)
        high = np.minimum(high, least) / spread
        tail = ndtr(-high) + size * (ndtr(-low) - ndtr(-high))
        critical = np.maximum(-ndtri(tail) * spread, 0)
        return (statistic <= least) & (statistic <= critical)

    return accept


def _smooth(beta, sigma, before, weights, m):
    """Fixed-length interval of smallest length under smoothness (their section 4.1)."""
    steps = np.arange(1, len(weights) + 1)
    total = steps @ weights
    fixed = sum(abs(steps[:s] @ weights[-s:]) for s in steps) - total
    unit = np.sqrt(weights @ sigma[before:, before:] @ weights)
    # Weights w on the changes before the base sum to `total`; loadings on the levels follow.
    to_levels = np.eye(before) - np.eye(before, k=-1)
    quadratic = to_levels.T @ sigma[:before, :before] @ to_levels / unit**2
    linear = to_levels.T @ sigma[:before, before:] @ weights / unit**2
    cumulate = np.tril(np.ones((before, before)))

    def half_length(x):
        w, slack = x[:before], x[before:]
        spread = np.sqrt(w @ quadratic @ w + 2 * linear @ w + 1)
        ratio = m / unit * (fixed + slack.sum()) / spread
        critical, rise = _folded(ratio)
        gradient = (critical - ratio * rise) * (quadratic @ w + linear) / spread
        return critical * spread, np.append(gradient, np.full(before, rise * m / unit))

    start = np.append(np.zeros(before - 1), total)
    found = optimize.minimize(
        half_length,
        np.append(start, np.abs(cumulate @ start)),
        jac=True,
        method="SLSQP",
        constraints=[
            {"type": "eq", "fun": lambda x: x[:before].sum() - total},
            {"type": "ineq", "fun": lambda x: x[before:] - cumulate @ x[:before]},
            {"type": "ineq", "fun": lambda x: x[before:] + cumulate @ x[:before]},
        ],
        options={"ftol": 1e-12, "maxiter": 500},
    )
    centre = (to_levels @ found.x[:before]) @ beta[:before] + weights @ beta[before:]
    return centre - found.fun * unit, centre + found.fun * unit


def _folded(shift):
    """Quantile of |N(shift, 1)| and its derivative in the shift."""
    high = shift + ndtri(0.5 + LEVEL / 2)
    quantile = optimize.brentq(lambda c: ndtr(c - shift) - ndtr(-c - shift) - LEVEL, 0, high + 1)
    above, below = (np.exp(-0.5 * (quantile - s * shift) ** 2) for s in (1, -1))
    return quantile, (above - below) / (above + below)
