"""How far parallel trends may fail before a conclusion does (Rambachan and Roth 2023).

Written out because of what the libraries do: diff-diff is too narrow under relative magnitudes;
moderndid forgets the first change before the treatment, needs a conic solver and takes minutes.
The dual of the test's linear program is solved by hand here, a test is a few inner products.
"""

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

#: Draws of the least favourable critical value (a .995 quantile): its error is then about .02.
DRAWS = 50_000

#: Where the search for a breakdown value ends; beyond it is reported as infinite.
LARGEST = 64.0


def honest(
    fit: Fit,
    bounds=(0.5, 1.0, 1.5, 2.0),
    *,
    kind="relative_magnitudes",
    target=0,
    base=None,
    level=0.95,
    seed=0,
) -> Fit:
    """Confidence intervals of an effect when trends may differ by a bound, and the breakdown value.

    Parameters
    ----------
    fit : Fit
        Terms ``event e`` (or years) with covariance, all relative to one base period: Sun and
        Abraham, stacked, two-way event studies, Callaway and Sant'Anna with
        ``base_period="universal"``. Imputation and two-stage measure events before the treatment
        and effects after it from different bases (Roth 2024) and are refused.
    bounds : sequence of float
        ``relative_magnitudes``: multiple of the largest change between two periods before the
        treatment, never exceeded by a change after it. ``smoothness``: largest change of the
        slope from one period to the next, in units of the outcome.
    kind : {"relative_magnitudes", "smoothness"}
    target : int or None
        Event (or year) whose effect is asked for; None is the mean of all after the base.
    base : int, optional
        The base period; -1 less the anticipation unless given.

    Returns
    -------
    Fit
        ``bound m`` for each bound: the estimate under parallel trends and the robust interval;
        ``breakdown``: the largest bound at which the interval excludes 0, 0 if none does, infinite
        beyond :data:`LARGEST` times its scale.

    Raises
    ------
    DesignError
        Events of more than one base, no covariance, a gap between periods, no such target, too
        few periods before the base (two for relative magnitudes, one for smoothness).
    """
    if kind not in ("relative_magnitudes", "smoothness"):
        raise DesignError("sensitivity", "unknown kind", found=kind)
    base = -1 - fit.details.get("anticipation", 0) if base is None else base
    beta, sigma, before, weights = _read(fit, base, target, 2 - (kind == "smoothness"))
    estimate = weights @ beta[before:]
    spread = np.sqrt(weights @ sigma[before:, before:] @ weights)
    if kind == "smoothness":
        interval, largest = _smooth, LARGEST * spread

        def keeps(m):
            low, high = interval(beta, sigma, before, weights, m, level)
            return low <= 0 <= high
    else:
        normal = np.random.default_rng(seed).standard_normal((len(beta) + before + 2, DRAWS))
        largest = LARGEST

        def interval(*given):
            return _relative(*given, normal)

        def keeps(m):
            accept = _relative_test(beta, sigma, before, weights, m, level, normal)
            return bool(accept(np.zeros(1))[0])

    terms = wald_terms([f"bound {m:g}" for m in bounds], [estimate] * len(bounds), np.nan)
    limits = [interval(beta, sigma, before, weights, m, level) for m in bounds]
    terms[["ci_low", "ci_high"]] = limits
    terms.loc[len(terms)] = ["breakdown", _breakdown(keeps, largest), *[np.nan] * 4]
    return Fit(
        terms,
        f"honest_{kind}",
        f"of {fit.estimator}: {fit.variance}",
        fit.n_obs,
        fit.n_entities,
        fit.n_clusters,
        details={"target": target, "base": base},
    )


def _read(fit, base, target, needed):
    where = f"sensitivity of {fit.estimator}"
    period = fit.terms["term"].str.extract(r"^(?:event )?(-?\d+)$", expand=False).astype(float)
    at = np.flatnonzero(period.notna())
    at = at[np.argsort(period.to_numpy()[at])]
    period = period.to_numpy()[at].astype(int)
    if fit.covariance is None or not np.isfinite(fit.covariance[np.ix_(at, at)]).all():
        raise DesignError(where, "the estimator gives no covariance of the events")
    if base in period or not fit.details.get("one_base", True):
        raise DesignError(
            where,
            "the events are not relative to one base period",
            expected=base,
            remedy='callaway_santanna with base_period="universal"',
        )
    before = int((period < base).sum())
    whole = np.setdiff1d(np.arange(period.min(), period.max() + 1), [base])
    if not np.array_equal(period, whole):
        raise DesignError(where, "a period is missing", keys=np.setdiff1d(whole, period))
    if before < needed or before == len(period):
        raise DesignError(
            where,
            "too few periods before or after the base",
            expected=f"{needed} before, 1 after",
            found=period.tolist(),
        )
    after = period[before:]
    if target is None:
        weights = np.full(len(after), 1 / len(after))
    elif target in after:
        weights = (after == target).astype(float)
    else:
        raise DesignError(where, "no such target", keys=[target], expected=after.tolist())
    beta = fit.terms["estimate"].to_numpy()[at]
    return beta, fit.covariance[np.ix_(at, at)], before, weights


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


def _relative(beta, sigma, before, weights, m, level, normal):
    """Ends of the set of values accepted under relative magnitudes."""
    accept = _relative_test(beta, sigma, before, weights, m, level, normal)
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


def _relative_test(beta, sigma, before, weights, m, level, normal):
    """Test of a value: the union over which change before the treatment is the largest."""
    periods, kappa = len(beta), (1 - level) / 10
    change = np.delete(np.diff(np.eye(periods + 1), axis=0), before, axis=1)
    tests = []
    for largest in range(before):
        for sign in (1, -1):
            bound = sign * change[largest]
            moments, slope = _moments(change, sigma, before, weights, m, bound)
            tests.append(
                _conditional(
                    moments @ beta, moments @ sigma @ moments.T, slope, 1 - level, kappa, normal
                )
            )
    return lambda values: np.any([test(values) for test in tests], axis=0)


def _moments(change, sigma, before, weights, m, bound):
    """Extreme rays of the dual program, as inner products with the estimates.

    The moments are d_t'beta - m b'beta <= 0 and -d_t'beta - m b'beta <= 0 for the changes d_t
    after the treatment, b the change taken as largest, the effects but the target profiled out.
    Multipliers that cancel the effects either pair the two signs of one change, or follow the one
    combination u of changes that gives the target, up or down. They are scaled so that multipliers
    times standard deviations sum to one, as the test statistic asks.

    Returns
    -------
    moments : numpy.ndarray, shape (r, periods)
    slope : numpy.ndarray, shape (r,)
        What a unit of the target takes off each moment.
    """
    after = change[before:]
    signs = [after - m * bound, -after - m * bound]
    spread = [np.sqrt(np.einsum("ij,jk,ik->i", rows, sigma, rows)) for rows in signs]
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
        pairs = pairs / np.sqrt(np.einsum("ij,jk,ik->i", pairs, sigma, pairs))[:, None]
    return np.vstack([*moments, pairs]), np.array([*slope, *[0.0] * len(pairs)])


def _conditional(centre, covariance, slope, alpha, kappa, normal):
    """Hybrid of the least favourable and the conditional test (Andrews, Roth and Pakes 2023)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    least = np.quantile((root @ normal[: len(slope)]).max(axis=0), 1 - kappa)
    size = (alpha - kappa) / (1 - kappa)
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


def _smooth(beta, sigma, before, weights, m, level):
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
        bias = m / unit * (fixed + slack.sum())
        ratio = bias / spread
        critical, rise = _folded(ratio, level)
        gradient = (critical - ratio * rise) * (quadratic @ w + linear) / spread
        return critical * spread, np.append(gradient, np.full(before, rise * m / unit))

    start = np.zeros(before)
    start[-1] = total
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


def _folded(shift, level):
    """Quantile of |N(shift, 1)| and its derivative in the shift."""
    high = shift + ndtri(1 - (1 - level) / 2)
    quantile = optimize.brentq(lambda c: ndtr(c - shift) - ndtr(-c - shift) - level, 0, high + 1)
    above, below = (np.exp(-0.5 * (quantile - s * shift) ** 2) for s in (1, -1))
    return quantile, (above - below) / (above + below)
