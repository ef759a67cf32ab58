"""The log t test of convergence and convergence clubs (Phillips and Sul 2007, 2009).

No package of this study's licence has them (convergence-clubs is GPL; the tests compare with it).
The regression is not statsmodels' OLS with HAC errors (0.15): ``S_hac_simple`` weights the scores
over a whole number of lags, where the published test takes the long-run variance of the residuals
alone, with the quadratic spectral kernel and a bandwidth from the data.
"""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.tsa.filters.hp_filter import hpfilter

from monotowns.estimate.record import TERMS, Fit
from monotowns.run.errors import DesignError

WHERE = "log t test"
#: One-sided 5 per cent point of the normal, as the authors round it.
CRITICAL = -1.65
#: Penalty of the filter of Hodrick and Prescott for annual data in Phillips and Sul (2007).
SMOOTHING = 400.0
#: Share of first periods left out: .3 up to 50 periods (Phillips and Sul 2007).
TRIM = 0.3


def hp_trend(paths) -> np.ndarray:
    """Trend of each row by the filter of Hodrick and Prescott (1997)."""
    return np.array([hpfilter(path, SMOOTHING)[1] for path in np.asarray(paths, float)])


def log_t(paths, trim=TRIM) -> Fit:
    """Do all units converge? Regression of log(H_1 / H_t) - 2 log log t on log t.

    H_t is the mean of (h_it - 1)^2 with the relative transition h_it = x_it / mean of x_.t. The
    slope is twice the speed of convergence; convergence is rejected if its t-value is under -1.65
    (Phillips and Sul 2007). The variance is the long-run variance of the residuals over the sum of
    squares of log t, with the quadratic spectral kernel and the plug-in bandwidth of Andrews
    (1991). As in the authors' published figures, autocovariances leave out the last residual and
    are divided by the number of periods less one.

    Parameters
    ----------
    paths : array_like, shape (N, T)
        Trends (see :func:`hp_trend`), in levels or logs, with a positive mean in every period.
    trim : float
        Share of first periods that are left out.

    Returns
    -------
    Fit
        Term ``log t``, its p-value that of convergence (one-sided); ``details["t"]`` the t-value.

    Raises
    ------
    DesignError
        Values missing, fewer than two units, two equal paths, a mean that is not positive, or
        fewer than four periods left.
    """
    paths, dropped = _check(paths, trim)
    return _fit(["log t"], [paths], dropped, len(paths), "log_t")


def find_clubs(paths, trim=TRIM) -> np.ndarray:
    """Sort units into convergence clubs (Phillips and Sul 2007).

    Units are ordered by their last value. The core of a club starts from the first two neighbours
    that converge and grows down the order as long as convergence is not rejected, to the size with
    the largest t. Every other unit joins that converges with the core at t > 0; if the club as a
    whole does not converge this bound is raised until it does. The rest is treated the same.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Number of the club of each unit, 1 has the highest core; 0 for units in no club.
    """
    paths, dropped = _check(paths, trim)
    club = np.zeros(len(paths), int)
    rest, number = np.argsort(-paths[:, -1], kind="stable"), 0
    while len(rest) > 1:
        members = _next_club(paths[rest], dropped)
        if not members.any():
            break
        number += 1
        club[rest[members]] = number
        rest = rest[~members]
    return club


def _next_club(x, dropped):
    """Mark the members of the first club of units in descending order."""
    members = np.zeros(len(x), bool)
    if _t([x], dropped)[0] > CRITICAL:
        return ~members
    pairs = _t([x[i : i + 2] for i in range(len(x) - 1)], dropped) > CRITICAL
    if not pairs.any():
        return members
    first = int(np.argmax(pairs))
    t = _t([x[first:end] for end in range(first + 2, len(x) + 1)], dropped)
    passed = np.logical_and.accumulate(t > CRITICAL)
    members[first : first + 2 + int(np.argmax(np.where(passed, t, -np.inf)))] = True
    core, others = x[members], np.flatnonzero(~members)
    t = _t([np.vstack([core, x[[i]]]) for i in others], dropped)
    # The strictest joiner first, so that a raised bound is a shorter list.
    joining = others[np.argsort(-t, kind="stable")][: (t > 0).sum()]
    counts = np.arange(len(joining) + 1)
    whole = _t([np.vstack([core, x[joining[:count]]]) for count in counts], dropped)
    good = counts[whole > CRITICAL]
    members[joining[: good[-1] if good.size else 0]] = True
    return members


def merge_clubs(paths, club, trim=TRIM) -> np.ndarray:
    """Join neighbouring clubs that converge together (Phillips and Sul 2009).

    From the first club on, the next one is added as long as convergence is not rejected.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Renumbered clubs, 0 as before.
    """
    paths, dropped = _check(paths, trim)
    merged, number = np.zeros(len(club), int), 0
    for old in range(1, club.max() + 1):
        joined = (club == old) | ((merged == number) & (number > 0))
        if number == 0 or not _t([paths[joined]], dropped)[0] > CRITICAL:
            number += 1
        merged[club == old] = number
    return merged


def club_fits(paths, club, trim=TRIM) -> Fit:
    """Log t test within each club: a term ``club k`` a club, as in :func:`log_t`."""
    paths, dropped = _check(paths, trim)
    numbers = range(1, club.max() + 1)
    groups = [paths[club == k] for k in numbers]
    return _fit([f"club {k}" for k in numbers], groups, dropped, len(paths), "convergence_clubs")


def _fit(names, groups, dropped, units, estimator):
    slope, error = _regress(groups, dropped)
    t = slope / error
    half = stats.norm.ppf(0.975) * error
    columns = [names, slope, error, slope - half, slope + half, stats.norm.cdf(t)]
    return Fit(
        pd.DataFrame(dict(zip(TERMS, columns, strict=True))),
        estimator,
        "long-run variance, Andrews (1991) quadratic spectral",
        units * groups[0].shape[1],
        units,
        units,
        details={"t": t.tolist()},
    )


def _check(paths, trim):
    """Paths as numbers, and how many periods are trimmed."""
    paths = np.asarray(paths, float)
    _, first, counts = np.unique(paths, axis=0, return_index=True, return_counts=True)
    faults = {
        "a path has values missing": ~np.isfinite(paths).all(axis=1),
        "the mean over units is not positive in a period": paths.mean(axis=0) <= 0,
        "another unit has the same path": np.isin(np.arange(len(paths)), first[counts > 1]),
    }
    for problem, bad in faults.items():
        if bad.any():
            raise DesignError(WHERE, problem, keys=np.flatnonzero(bad))
    # log log t needs t > 1.
    dropped = max(round(trim * paths.shape[1]), 1)
    if paths.shape[1] - dropped < 4 or len(paths) < 2:
        raise DesignError(
            WHERE,
            "too few units or periods",
            expected="2 or more units, 4 or more periods after trimming",
            found=f"{paths.shape}, of which {dropped} periods are trimmed",
        )
    return paths, dropped


def _t(groups, dropped):
    slope, error = _regress(groups, dropped)
    return slope / error


def _regress(groups, dropped):
    """Slope and standard error of the log t regression of each group of paths."""
    variation = np.array([np.mean((x / x.mean(axis=0) - 1) ** 2, axis=0) for x in groups])
    time = np.log(np.arange(dropped + 1, variation.shape[1] + 1))
    x, periods = time - time.mean(), len(time)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(variation[:, :1] / variation[:, dropped:]) - 2 * np.log(time)
        slope = y @ x / (x @ x)
        u = y - y.mean(axis=1, keepdims=True) - slope[:, None] * x
        before, after = u[:, :-1], u[:, 1:]
        rho = np.sum(before * after, axis=1) / np.sum(before**2, axis=1)
        bandwidth = 1.3221 * (4 * rho**2 / (1 - rho) ** 4 * periods) ** 0.2
        total = np.sum(u**2, axis=1)
        for lag in range(1, periods - 1):
            products = np.sum(before[:, lag:] * before[:, :-lag], axis=1)
            total += 2 * _quadratic_spectral(lag / bandwidth) * products
        return slope, np.sqrt(total / (periods - 1) / (x @ x))


def _quadratic_spectral(z):
    """Quadratic spectral kernel of Andrews (1991); 1 at zero."""
    a = 6 * np.pi * z / 5
    # The difference of two near ones is rounding there; the series is not.
    return np.where(np.abs(a) < 1e-2, 1 - a**2 / 10, 3 / a**2 * (np.sin(a) / a - np.cos(a)))
