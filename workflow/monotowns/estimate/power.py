"""What a design could have found: detectable effects, and trends that a pre-trend test finds."""

import numpy as np
from scipy.special import chdtri, chndtrinc, ndtri, stdtrit

from monotowns.run.errors import DesignError


def minimum_detectable_effect(standard_error, power=0.8, level=0.05, df=np.inf):
    """Smallest effect that a two-sided test finds with a given power (Bloom 1995).

    The quantiles of the test and of the power add up: 2.8016 standard errors at 80 and 5 per
    cent, a little more with few degrees of freedom.

    Parameters
    ----------
    standard_error : array_like
    power, level : float
        Between 0 and 1.
    df : float
        Degrees of freedom of Student's t (clusters less one); ``inf`` is the normal.

    Returns
    -------
    float or numpy.ndarray, in the units of the standard error
    """
    quantiles = np.array([1 - level / 2, power])
    quantiles = stdtrit(df, quantiles) if np.isfinite(df) else ndtri(quantiles)
    return quantiles.sum() * np.asarray(standard_error, float)


def detectable_slope(power, covariance, periods, reference, level=0.05) -> float:
    """Slope of a linear difference in trends that a joint pre-trend test finds (Roth 2022).

    The Wald statistic of coefficients that are normal around the difference is noncentral
    chi-squared.

    Parameters
    ----------
    power : float
        Above the level of the test.
    covariance : array_like, shape (k, k)
        Of the coefficients before treatment.
    periods : array_like, shape (k,)
    reference : float
        Period at which the difference is zero; it has no coefficient.
    level : float

    Returns
    -------
    float
        Positive; per unit of ``periods``.

    Raises
    ------
    DesignError
        The covariance is not positive definite, or the test rejects as often without a violation.
    """
    covariance = np.asarray(covariance, float)
    if np.linalg.eigvalsh(covariance)[0] <= 0:
        raise DesignError(
            "detectable slope",
            "the covariance is not positive definite",
            remedy="leave the reference period out",
        )
    if not level < power < 1:
        raise DesignError(
            "detectable slope", "power out of range", expected=f"{level} to 1", found=power
        )
    distance = np.asarray(periods, float) - reference
    k = len(distance)
    shift = chndtrinc(chdtri(k, level), k, 1 - power)
    return float(np.sqrt(shift / (distance @ np.linalg.solve(covariance, distance))))
