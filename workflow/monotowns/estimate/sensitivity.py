"""How strong would unobserved confounders have to be? Oster (2019), in exact form.

No Python package has her bounds with fixed effects; the R package robomit is the test's oracle.
"""

from dataclasses import dataclass

import numpy as np

from monotowns.estimate import absorb
from monotowns.estimate.collinearity import refuse_unidentified

#: Oster (2019): with ``R_max`` at 1.3 times the controlled R2, 90 per cent of randomised results
#: in her sample of papers hold.
R_MAX_RULE = 1.3


@dataclass(frozen=True)
class OsterBounds:
    """What selection on unobservables in proportion to that on observables would do.

    Attributes
    ----------
    short, long : float
        Coefficient of the treatment without and with the controls.
    r2_short, r2_long : float
        R2 of the two regressions; within R2 if effects are absorbed.
    delta : float
        Selection on unobservables relative to that on observables at which the effect would be
        zero; infinite if no finite selection does it.
    beta_star : float
        Effect if that selection is 1: of the two solutions the one for which the controls' index
        is correlated with the treatment in the direction that it is seen to be (assumption 3).
    """

    short: float
    long: float
    r2_short: float
    r2_long: float
    delta: float
    beta_star: float


def oster(y, treatment, controls, effects=(), r_max=None) -> OsterBounds:
    """Oster's bounds of a linear regression.

    Parameters
    ----------
    y, treatment : array_like, shape (n,)
    controls : array_like, shape (n, k)
        The observables that unobservables are compared with. Not among them: what is absorbed.
    effects : sequence of array_like, each shape (n,)
        Fixed effects that both regressions have; R2 is then within them. A constant without any.
    r_max : float, optional
        R2 of a regression with the unobservables as well; by default 1.3 times that with the
        controls, at most 1.

    Raises
    ------
    DesignError
        Values not finite; treatment and controls do not each vary by themselves.
    """
    raw = np.column_stack([y, treatment, controls]).astype(float)
    clean = absorb.demean(raw, effects or [np.zeros(len(raw), int)])
    names = ["treatment", *range(raw.shape[1] - 2)]
    refuse_unidentified("oster", raw[:, 1:], clean[:, 1:], names)
    y, x, w = clean[:, 0], clean[:, 1], clean[:, 2:]
    left_x, left_y = (v - w @ np.linalg.lstsq(w, v)[0] for v in (x, y))
    short, long = (x @ y) / (x @ x), (left_x @ left_y) / (left_x @ left_x)
    residual = left_y - long * left_x
    return from_moments(
        short,
        long,
        short**2 * (x @ x) / (y @ y),
        1 - (residual @ residual) / (y @ y),
        np.sqrt((y @ y) / (x @ x)),
        (left_x @ left_x) / (x @ x),
        r_max,
    )


def from_moments(short, long, r2_short, r2_long, sd_ratio, left, r_max=None) -> OsterBounds:
    """Oster's bounds from the moments of the two regressions.

    With outcome and treatment at unit variance, t the share of the treatment's variance that the
    controls leave (``left``), d the movement from long to short, and D = ``r_max`` - ``r2_long``,
    the bias v of the long coefficient solves at selection s (Oster 2019, proposition 3)::

        s D d + v (s D (1 - t) - (r2_long - r2_short) t - t d^2) + v^2 t d (s - 2)
            + v^3 (s - 1) t (1 - t) = 0

    It is linear in s, and at s = 1 a quadratic of which one root has the sign of d.
    """
    r_max = min(R_MAX_RULE * r2_long, 1.0) if r_max is None else r_max
    t, gain = left, r_max - r2_long
    moved, bias = (short - long) / sd_ratio, long / sd_ratio
    explained = (r2_long - r2_short + moved**2) * t
    needed = bias * (explained + bias * (2 * t * moved + bias * t * (1 - t)))
    per_delta = gain * moved + bias * (gain * (1 - t) + bias * (t * moved + bias * t * (1 - t)))
    slope = explained - gain * (1 - t)
    root = np.sqrt(slope**2 + 4 * t * gain * moved**2)
    star = 0.0
    if moved and gain:
        # Two forms of one root: neither takes the difference of two large numbers.
        upper = slope >= 0
        star = 2 * gain * moved / (slope + root) if upper else (root - slope) / (2 * t * moved)
    return OsterBounds(
        float(short),
        float(long),
        float(r2_short),
        float(r2_long),
        float(needed / per_delta) if per_delta else np.inf,
        float(long - sd_ratio * star),
    )
