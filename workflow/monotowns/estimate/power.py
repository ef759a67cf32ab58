"""What a design could have found: detectable effects, power of tests, and of pre-trend tests."""

import numpy as np
import pandas as pd
from scipy.special import chdtri, ndtri, stdtrit

from monotowns.run.errors import DesignError

#: Draws of the event-study coefficients; means after the test are then known to about .003
#: standard errors of a coefficient.
DRAWS = 200_000
#: Fewest draws that pass the test from which a mean after it is taken.
PASSED = 1000
#: Error of the probability that no coefficient is significant.
PROBABILITY_ERROR = 1e-5


def minimum_detectable_effect(standard_error=1.0, power=0.8, level=0.05, df=np.inf):
    """Smallest effect that a two-sided test finds with a given power (Bloom 1995).

    The quantiles of the test and of the power add up: 2.8016 standard errors at 80 and 5 per
    cent, a little more with few degrees of freedom.

    Parameters
    ----------
    standard_error : array_like
        Not negative.
    power, level : float
        Between 0 and 1.
    df : float
        Degrees of freedom of Student's t (clusters less one); ``inf`` is the normal.

    Returns
    -------
    float or numpy.ndarray, in the units of the standard error

    Raises
    ------
    DesignError
        A probability out of range or a negative standard error.
    """
    _check_probabilities(power=power, level=level)
    standard_error = _spread(standard_error)
    return (_quantile(1 - level / 2, df) + _quantile(power, df)) * standard_error


def power_of_test(effect, standard_error, level=0.05, df=np.inf):
    """Probability that a two-sided test rejects no effect when there is one.

    Parameters
    ----------
    effect, standard_error : array_like
        Shapes broadcast; same units.
    level, df : float
        See :func:`minimum_detectable_effect`; finite ``df`` gives the noncentral t.

    Returns
    -------
    float or numpy.ndarray

    Raises
    ------
    DesignError
        A probability out of range or a negative standard error.
    """
    from scipy import stats

    _check_probabilities(level=level)
    effect = np.abs(np.asarray(effect, float))
    ratio = effect / _spread(standard_error)
    critical = _quantile(1 - level / 2, df)
    if np.isinf(df):
        return stats.norm.sf(critical - ratio) + stats.norm.cdf(-critical - ratio)
    return stats.nct.sf(critical, df, ratio) + stats.nct.sf(critical, df, -ratio)


def pretest_power(violation, covariance, test="individual", level=0.05, seed=0) -> float:
    """Probability that a test of pre-trends rejects under a violation of parallel trends.

    Roth (2022). The coefficients are normal around the violation.

    Parameters
    ----------
    violation : array_like, shape (k,)
        Difference in trends at the periods before treatment, relative to the reference period.
    covariance : array_like, shape (k, k)
        Of their coefficients.
    test : {"individual", "joint"}
        Rejects if any coefficient is significant, as readers do, or by the Wald test of all.
    level : float
    seed : int
        Of the quasi-random integration over more than one coefficient.

    Returns
    -------
    float

    Raises
    ------
    DesignError
        Shapes that do not match, a covariance that is not positive definite, an unknown test.
    """
    from scipy import stats

    violation, covariance = _checked(violation, covariance, test, level)
    if test == "joint":
        shift = violation @ np.linalg.solve(covariance, violation)
        k = len(violation)
        return float(stats.ncx2.sf(chdtri(k, level), k, shift))
    bound = ndtri(1 - level / 2) * np.sqrt(np.diag(covariance))
    if len(violation) == 1:
        return float(power_of_test(violation[0], np.sqrt(covariance[0, 0]), level))
    passed = stats.multivariate_normal.cdf(
        bound,
        violation,
        covariance,
        lower_limit=-bound,
        abseps=PROBABILITY_ERROR,
        rng=np.random.default_rng(seed),
    )
    return float(1 - passed)


def detectable_slope(
    power, covariance, periods, reference, test="individual", level=0.05, seed=0
) -> float:
    """Slope of a linear difference in trends that a pre-trend test finds with a given power.

    Parameters
    ----------
    power : float
        Above the power against no violation at all.
    covariance : array_like, shape (k, k)
    periods : array_like, shape (k,)
        Periods of the coefficients, all before treatment.
    reference : float
        Period at which the difference is zero.
    test, level, seed
        See :func:`pretest_power`.

    Returns
    -------
    float
        Positive; per unit of ``periods``.

    Raises
    ------
    DesignError
        As :func:`pretest_power`; a period that is the reference, or a power that no violation is
        needed for.
    """
    from scipy.optimize import brentq

    _check_probabilities(power=power)
    distance = np.asarray(periods, float) - reference
    if not distance.all():
        raise DesignError(
            "detectable slope", "the reference period has no coefficient", keys=[reference]
        )

    def missing(slope):
        return pretest_power(slope * distance, covariance, test, level, seed) - power

    least = missing(0.0)
    if least >= 0:
        raise DesignError(
            "detectable slope",
            "the test rejects as often without any violation",
            expected=f"a power above {power + least:.3f}",
            found=power,
        )
    # One coefficient alone finds its own detectable effect with at least this power in the
    # individual test; the joint test needs a few times that.
    high = np.min(minimum_detectable_effect(np.sqrt(np.diag(covariance)), power) / np.abs(distance))
    while missing(high) < 0:
        high *= 2
    return float(brentq(missing, 0, high, rtol=1e-8))


def bias_after_pretest(
    violation, covariance, pre, test="individual", level=0.05, draws=DRAWS, seed=0
) -> pd.DataFrame:
    """Mean of the coefficients under a violation, and among the samples that pass the pre-test.

    Roth (2022), proposition 1: passing moves the later coefficients by their regression on the
    earlier ones, whose mean is that of a truncated normal.

    Parameters
    ----------
    violation : array_like, shape (k,)
        At all periods with a coefficient, before and after treatment.
    covariance : array_like, shape (k, k)
    pre : array_like of bool, shape (k,)
        Periods that are tested.
    test, level
        See :func:`pretest_power`.
    draws, seed : int

    Returns
    -------
    pandas.DataFrame
        One row a period: ``violation`` (the bias if one does not test), ``after_passing`` (the
        bias given that the test did not reject), ``simulation_error`` (its standard error).

    Raises
    ------
    DesignError
        As :func:`pretest_power`; no period is tested, or the test hardly ever passes.
    """
    violation, covariance = _checked(violation, covariance, test, level)
    pre = np.asarray(pre, bool)
    if pre.shape != violation.shape or not pre.any():
        raise DesignError("bias after pre-test", "no period is tested", found=pre)
    root = np.linalg.cholesky(covariance[np.ix_(pre, pre)])
    noise = np.random.default_rng(seed).standard_normal((draws, pre.sum())) @ root.T
    coefficient = violation[pre] + noise
    if test == "joint":
        distance = (np.linalg.solve(root, coefficient.T) ** 2).sum(axis=0)
        passed = distance <= chdtri(pre.sum(), level)
    else:
        bound = ndtri(1 - level / 2) * np.sqrt(np.diag(covariance)[pre])
        passed = (np.abs(coefficient) <= bound).all(axis=1)
    if passed.sum() < PASSED:
        raise DesignError(
            "bias after pre-test",
            "the test hardly ever passes",
            found=f"{passed.sum()} of {draws} draws",
            remedy="take a smaller violation or more draws",
        )
    weight = np.linalg.solve(covariance[np.ix_(pre, pre)], covariance[pre])
    moved = noise[passed] @ weight
    return pd.DataFrame(
        {
            "violation": violation,
            "after_passing": violation + moved.mean(axis=0),
            "simulation_error": moved.std(axis=0, ddof=1) / np.sqrt(len(moved)),
        }
    )


def _quantile(p, df):
    return stdtrit(df, p) if np.isfinite(df) else ndtri(p)


def _check_probabilities(**named):
    for name, value in named.items():
        if not 0 < value < 1:
            raise DesignError(
                "power", f"{name} is not a probability", expected="0 to 1", found=value
            )


def _spread(standard_error):
    standard_error = np.asarray(standard_error, float)
    if (standard_error < 0).any():
        raise DesignError(
            "power", "a standard error is negative", keys=np.flatnonzero(standard_error < 0)
        )
    return standard_error


def _checked(violation, covariance, test, level):
    where = "pre-trend test"
    _check_probabilities(level=level)
    violation, covariance = np.asarray(violation, float), np.asarray(covariance, float)
    if violation.ndim != 1 or covariance.shape != 2 * violation.shape:
        raise DesignError(
            where,
            "violation and covariance do not match",
            found=f"shapes {violation.shape} and {covariance.shape}",
        )
    finite = np.isfinite(violation) & np.isfinite(covariance).all(axis=1)
    if not finite.all():
        raise DesignError(where, "a value is not finite", keys=np.flatnonzero(~finite))
    scale = np.sqrt(np.abs(np.diag(covariance)))
    skew = np.abs(covariance - covariance.T) > 1e-8 * np.outer(scale, scale)
    if skew.any() or np.linalg.eigvalsh(covariance)[0] <= 0:
        raise DesignError(
            where,
            "the covariance is not symmetric and positive definite",
            remedy="leave the reference period out",
        )
    if test not in ("individual", "joint"):
        raise DesignError(where, "unknown test", expected="individual, joint", found=test)
    return violation, covariance
