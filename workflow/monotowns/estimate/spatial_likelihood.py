"""Likelihood of spatial panels: the log-determinant on an interval and the concentrated maximum.

spreg 1.9 inverts I - rho W for its errors and stacks the products over all years: 30 times slower
on a panel of this study's size, in 2.4 GB. libpysal and scipy have no log-determinant of a sparse
matrix as a function of rho.
"""

import numpy as np
from numpy.polynomial import Chebyshev
from scipy import optimize, sparse
from scipy.linalg import block_diag
from scipy.sparse.linalg import splu

from monotowns.run.errors import DesignError

#: How far a row of W may be from one: rounding of a few hundred terms.
ROW_SUM = 1e-9
#: Values of rho looked at, in ``atanh rho``: ``|rho| < .964``.
REACH = 2.0
#: Relative accuracy of the log-determinant.
ACCURACY = 1e-10
#: Points at which the likelihood is compared before its slope is solved.
GRID = 201


class LogDeterminant:
    """``ln|I - rho W|`` and its derivatives for ``rho`` in an interval inside (-1, 1).

    Exact values (sparse LU) at Chebyshev points of ``z = atanh rho``. The eigenvalues of a
    row-standardised ``W`` lie in the unit disk, so the function is analytic for ``|rho| < 1``,
    which ``atanh`` maps onto the strip ``|Im z| < pi/4``: whatever ``W``, interpolation converges
    at a geometric rate known beforehand (Trefethen 2013, Approximation Theory and Approximation
    Practice, theorem 8.2), even as ``rho`` comes near one.

    Parameters
    ----------
    W : scipy.sparse.csr_array, shape (n, n)
        Kept as the attribute ``W``.

    Raises
    ------
    DesignError
        A weight is negative or of a place on itself, or a row does not sum to one.
    """

    def __init__(self, W):
        bad = ~(np.abs(W.sum(axis=1) - 1) <= ROW_SUM) | (W.diagonal() != 0)
        bad |= (W < 0).sum(axis=1) > 0
        if bad.any():
            raise DesignError(
                "spatial weights",
                "weights of a place are negative, on itself or do not sum to one",
                keys=np.flatnonzero(bad),
                remedy="leave out places without a neighbour, divide each row by its sum",
            )
        ratio = np.pi / 4 / REACH
        degree = int(np.ceil(-np.log(ACCURACY) / np.log(ratio + np.hypot(1, ratio))))
        identity, columns = sparse.eye_array(W.shape[0], format="csc"), W.tocsc()
        # Rows of I - rho W are strictly dominated by their diagonal: no pivoting is needed, and an
        # ordering for symmetric patterns fills least.
        plan = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0}

        def exact(z):
            factors = splu(identity - np.tanh(z) * columns, **plan, options={"SymmetricMode": True})
            return np.log(np.abs(factors.U.diagonal())).sum()

        exact = np.vectorize(exact, otypes=[float])
        self.W = W
        self._value = Chebyshev.interpolate(exact, degree, [-REACH, REACH])
        self._slope, self._bend = self._value.deriv(), self._value.deriv(2)

    def value(self, rho):
        """``ln|I - rho W|``."""
        return self._value(np.arctanh(rho))

    def trace(self, rho):
        """``tr G``, ``G = W (I - rho W)^-1``: minus the derivative."""
        return -self._slope(np.arctanh(rho)) / (1 - rho**2)

    def trace_square(self, rho):
        """``tr G^2``: minus the second derivative."""
        z = np.arctanh(rho)
        return -(self._bend(z) + 2 * rho * self._slope(z)) / (1 - rho**2) ** 2


def maximise(y, lag_y, X, lag_X, determinant, periods, where):
    r"""Maximum likelihood of a spatial lag (``lag_X`` None) or spatial error panel.

    Lee and Yu (2010, Journal of Econometrics 154, 165-185): an orthonormal transformation removes
    the effects of entities and years and leaves ``m = (n - 1) (T - 1)`` independent errors, so that
    neither the parameters nor the variance carry an incidental-parameter bias. Its likelihood is

    .. math:: -\frac{m}{2}\ln 2\pi\sigma^2 - \frac{e'e}{2\sigma^2}
              + (T - 1)\,\bigl(\ln|I - \rho W| - \ln(1 - \rho)\bigr)

    with ``e = y - rho Wy - X b`` for the lag and ``e = (y - rho Wy) - (X - rho WX) b`` for the
    error model; ``b`` and the variance are concentrated out.

    Parameters
    ----------
    y, lag_y : numpy.ndarray, shape (N,)
        Outcome and its spatial lag, effects removed (after the lag).
    X, lag_X : numpy.ndarray, shape (N, k)
        Regressors likewise; ``lag_X`` only for the error model.
    determinant : LogDeterminant
    periods : int
        ``T - 1``.
    where : str
        Name of the model in an error.

    Returns
    -------
    parameters : numpy.ndarray, shape (k + 1,)
        Coefficients and rho.
    covariance : numpy.ndarray, shape (k + 1, k + 1)
        From the observed information of all parameters, the variance among them.
    log_likelihood : float

    Raises
    ------
    DesignError
        The likelihood has no maximum with ``|rho| < .964``.
    """
    k, m = X.shape[1], periods * (determinant.W.shape[0] - 1)
    R = np.linalg.qr(np.column_stack([y, lag_y, X] + ([] if lag_X is None else [lag_X])), mode="r")
    # The error vector is linear in these columns: level - rho * slope, both known up to b.
    level, slope = np.zeros((R.shape[1], 1 + k)), np.zeros((R.shape[1], 1 + k))
    level[0, 0] = slope[1, 0] = 1.0
    level[2 : 2 + k, 1:] = np.eye(k)
    slope[2 + k :, 1:] = np.eye(len(slope) - 2 - k, k)

    def solve(rho):
        design = R @ (level - rho * slope)
        b = np.linalg.lstsq(design[:, 1:], design[:, 0])[0]
        full = np.r_[1.0, -b]
        return b, design @ full, R @ slope @ full, design[:, 1:]

    def likelihood(rho):
        e = solve(rho)[1]
        size = determinant.value(rho) - np.log1p(-rho)
        return -m / 2 * (np.log(2 * np.pi * (e @ e) / m) + 1) + periods * size

    def score(rho):
        _, e, lag_e, _ = solve(rho)
        return m * (e @ lag_e) / (e @ e) - periods * (determinant.trace(rho) - 1 / (1 - rho))

    grid = np.tanh(np.linspace(-REACH, REACH, GRID))
    at = int(np.argmax([likelihood(rho) for rho in grid]))
    if at in (0, GRID - 1):
        raise DesignError(
            where,
            "the likelihood has no maximum at a stationary rho",
            found=f"rho = {grid[at]:.3f} or beyond",
            remedy="take sparser weights",
        )
    rho = optimize.brentq(score, grid[at - 1], grid[at + 1], xtol=1e-14)
    b, e, lag_e, design = solve(rho)
    sigma2 = e @ e / m
    information = block_diag(design.T @ design, lag_e @ lag_e, m * sigma2 / 2)
    information[:k, k] = information[k, :k] = design.T @ lag_e + (R @ slope[:, 1:]).T @ e
    information[k, k] += sigma2 * periods * (determinant.trace_square(rho) - 1 / (1 - rho) ** 2)
    information[k, k + 1] = information[k + 1, k] = e @ lag_e
    covariance = sigma2 * np.linalg.inv(information)[:-1, :-1]
    return np.r_[b, rho], covariance, likelihood(rho)
