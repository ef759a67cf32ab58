"""The log t test of convergence and convergence clubs (Phillips and Sul 2007, 2009)."""

import numpy as np
import pandas as pd
from scipy import linalg, stats

from monotowns.estimate.record import TERMS, Fit
from monotowns.run.errors import DesignError

WHERE = "log t test"
#: One-sided 5 per cent point of the normal, as the authors round it.
CRITICAL = -1.65


def hp_trend(paths, smoothing=400.0) -> np.ndarray:
    """Trend of each path by the filter of Hodrick and Prescott (1997).

    Parameters
    ----------
    paths : array_like, shape (N, T)
        One row a unit, one column a period.
    smoothing : float
        Penalty on squared second differences; 400 for annual data in Phillips and Sul (2007).

    Returns
    -------
    numpy.ndarray, shape (N, T)
    """
    paths = np.asarray(paths, float)
    _refuse(~np.isfinite(paths).all(axis=1), "a path has values missing")
    second = np.diff(np.eye(paths.shape[1]), 2, axis=0)
    penalty = np.eye(paths.shape[1]) + smoothing * second.T @ second
    return linalg.solve(penalty, paths.T, assume_a="pos").T


def log_t(paths, trim=0.3) -> Fit:
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
        Share of first periods that are left out: .3 up to 50 periods, .2 from 100 (Phillips and
        Sul 2007); 1/3 in Phillips and Sul (2009).

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
    return _fit(["log t"], _variation(paths[None]), dropped, paths, "log_t")


def find_clubs(paths, trim=0.3, sieve=0.0) -> np.ndarray:
    """Sort units into convergence clubs (Phillips and Sul 2007).

    Units are ordered by their last value. The core of a club starts from the first two neighbours
    that converge and grows down the order as long as convergence is not rejected, to the size with
    the largest t. Every other unit joins that converges with the core at t > ``sieve``; if the club
    as a whole does not converge the sieve is raised until it does. The rest is treated the same.

    Parameters
    ----------
    paths, trim
        See :func:`log_t`.
    sieve : float
        Critical value c of joining; 0 suits short panels.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Number of the club of each unit, 1 has the highest core; 0 for units in no club.

    Raises
    ------
    DesignError
        As :func:`log_t`.
    """
    paths, dropped = _check(paths, trim)
    club = np.zeros(len(paths), int)
    rest, number = np.argsort(-paths[:, -1], kind="stable"), 0
    while len(rest) > 1:
        members = _next_club(paths[rest], dropped, sieve)
        if not members.any():
            break
        number += 1
        club[rest[members]] = number
        rest = rest[~members]
    return club


def _next_club(x, dropped, sieve):
    """Mark the members of the first club of units in descending order."""
    members = np.zeros(len(x), bool)
    if _t(_variation(x[None]), dropped)[0] > CRITICAL:
        return ~members
    pairs = _t(_variation(np.stack([x[:-1], x[1:]], axis=1)), dropped) > CRITICAL
    if not pairs.any():
        return members
    first = int(np.argmax(pairs))
    t = _t(_growing(x[first:]), dropped)  # of the first two, three, ... units
    passed = np.logical_and.accumulate(t > CRITICAL)
    members[first : first + 2 + int(np.argmax(np.where(passed, t, -np.inf)))] = True
    core, others = x[members], np.flatnonzero(~members)
    t = _t(_joined(core, x[others]), dropped)
    joining = others[t > sieve]
    # The strictest joiner first, so that a raised sieve is a shorter list.
    joining = joining[np.argsort(-t[t > sieve], kind="stable")]
    if joining.size:
        whole = _t(_growing(np.vstack([core, x[joining]]))[len(core) - 1 :], dropped)
        good = np.flatnonzero(whole > CRITICAL)
        members[joining[: good[-1] + 1 if good.size else 0]] = True
    return members


def merge_clubs(paths, club, trim=0.3) -> np.ndarray:
    """Join neighbouring clubs that converge together (Phillips and Sul 2009).

    From the first club on, the next one is added as long as convergence is not rejected.

    Parameters
    ----------
    paths, trim
        See :func:`log_t`.
    club : array_like of int, shape (N,)
        From :func:`find_clubs`.

    Returns
    -------
    numpy.ndarray of int, shape (N,)
        Renumbered clubs, 0 as before.
    """
    paths, dropped = _check(paths, trim)
    club = np.asarray(club)
    merged, number = np.zeros(len(club), int), 0
    for old in range(1, club.max(initial=0) + 1):
        joined = (club == old) | ((merged == number) & (number > 0))
        if number == 0 or not _t(_variation(paths[joined][None]), dropped)[0] > CRITICAL:
            number += 1
        merged[club == old] = number
    return merged


def club_fits(paths, club, trim=0.3) -> Fit:
    """Log t test within each club.

    Parameters
    ----------
    paths, trim
        See :func:`log_t`.
    club : array_like of int, shape (N,)
        From :func:`find_clubs` or :func:`merge_clubs`; 0 is left out.

    Returns
    -------
    Fit
        A term ``club k`` a club as in :func:`log_t`; ``details["t"]`` and ``details["size"]`` by
        club, ``details["club"]`` the club of each unit.
    """
    paths, dropped = _check(paths, trim)
    club = np.asarray(club)
    numbers = range(1, club.max(initial=0) + 1)
    if not numbers:
        raise DesignError(WHERE, "there is no club", expected="club numbers from 1 on")
    variation = np.concatenate([_variation(paths[club == k][None]) for k in numbers])
    fit = _fit([f"club {k}" for k in numbers], variation, dropped, paths, "convergence_clubs")
    fit.details["size"] = [int(np.sum(club == k)) for k in numbers]
    fit.details["club"] = club.tolist()
    return fit


def _fit(names, variation, dropped, paths, estimator):
    slope, error = _regress(variation, dropped)
    t = slope / error
    half = -stats.norm.ppf(0.025) * error
    columns = [names, slope, error, slope - half, slope + half, stats.norm.cdf(t)]
    return Fit(
        pd.DataFrame(dict(zip(TERMS, columns, strict=True))),
        estimator,
        "long-run variance, Andrews (1991) quadratic spectral",
        paths.size,
        len(paths),
        len(paths),
        details={"t": t.tolist()},
    )


def _refuse(bad, problem):
    if np.any(bad):
        raise DesignError(WHERE, problem, keys=np.flatnonzero(bad))


def _check(paths, trim):
    paths = np.asarray(paths, float)
    if paths.ndim != 2 or len(paths) < 2:
        raise DesignError(
            WHERE,
            "convergence needs units by periods",
            expected="2 or more units",
            found=paths.shape,
        )
    _refuse(~np.isfinite(paths).all(axis=1), "a path has values missing")
    _refuse(paths.mean(axis=0) <= 0, "the mean over units is not positive in a period")
    _, first, counts = np.unique(paths, axis=0, return_index=True, return_counts=True)
    _refuse(np.isin(np.arange(len(paths)), first[counts > 1]), "another unit has the same path")
    # log log t needs t > 1.
    dropped = max(round(trim * paths.shape[1]), 1)
    if paths.shape[1] - dropped < 4:
        raise DesignError(
            WHERE,
            "too few periods",
            expected="4 or more after trimming",
            found=f"{paths.shape[1]}, of which {dropped} are trimmed",
        )
    return paths, dropped


def _variation(groups):
    """Variation of relative transitions H, shape (m, T), of groups of shape (m, k, T)."""
    mean = groups.mean(axis=1)
    return ((groups / mean[:, None] - 1) ** 2).mean(axis=1)


def _joined(core, units):
    """H of the core with each one of the units, from sums about the core's mean."""
    mean, size = core.mean(axis=0), len(core) + 1
    units = units - mean
    shift = units / size
    spread = (((core - mean) ** 2).sum(axis=0) + units**2) / size - shift**2
    return spread / (mean + shift) ** 2


def _growing(x):
    """H of the first two, three, ... units."""
    centre = x.mean(axis=0)
    size = np.arange(1, len(x) + 1)[:, None]
    shift = np.cumsum(x - centre, axis=0) / size
    spread = np.cumsum((x - centre) ** 2, axis=0) / size - shift**2
    return (spread / (centre + shift) ** 2)[1:]


def _t(variation, dropped):
    slope, error = _regress(variation, dropped)
    return slope / error


def _regress(variation, dropped):
    """Slope and standard error of the log t regression for each row of H."""
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
    a = 6 * np.pi * np.asarray(z, float) / 5
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 3 / a**2 * (np.sin(a) / a - np.cos(a))
    # The difference of two near ones is rounding there; the series is not.
    return np.where(np.abs(a) < 1e-2, 1 - a**2 / 10, weight)
