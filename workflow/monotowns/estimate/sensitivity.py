"""How strong would unobserved confounders have to be? Oster (2019), in exact form."""

from dataclasses import dataclass

import numpy as np

from monotowns.estimate import absorb
from monotowns.run.errors import DesignError

#: Oster (2019): with ``R_max`` at 1.3 times the controlled R2, 90 per cent of randomised results
#: in her sample of papers hold.
R_MAX_RULE = 1.3
#: Imaginary part, relative to the root, that is only rounding (of a double root: its square root).
REAL = 1e-7
#: Excess of an R2 over its bound, and share of a coefficient, that is only rounding.
ROUNDING = 1e-13


@dataclass(frozen=True)
class OsterBounds:
    """What selection on unobservables in proportion to that on observables would do.

    Attributes
    ----------
    short, long : float
        Coefficient of the treatment without and with the controls.
    r2_short, r2_long, r_max : float
        R2 of the two regressions, and of one with the unobservables as well; within R2 if effects
        are absorbed.
    delta : float
        Selection on unobservables relative to that on observables at which the effect would be
        ``beta``; infinite if no finite selection does it.
    beta_star : float
        Effect at the assumed selection: of the roots for which the controls' index is correlated
        with the treatment in the direction that it is seen to be (assumption 3), the one closest
        to ``long``. NaN if there is none, which takes a selection above 1.
    roots : tuple of float
        All real solutions for the effect at the assumed selection, sorted.
    """

    short: float
    long: float
    r2_short: float
    r2_long: float
    r_max: float
    delta: float
    beta_star: float
    roots: tuple


def oster(y, treatment, controls, absorbed=(), r_max=None, delta=1.0, beta=0.0) -> OsterBounds:
    """Oster's bounds of a linear regression.

    Parameters
    ----------
    y, treatment : array_like, shape (n,)
    controls : array_like, shape (n, k)
        The observables that unobservables are compared with. Not among them: what is absorbed.
    absorbed : sequence of array_like, each shape (n,)
        Fixed effects that both regressions have; R2 is then within them. A constant without any.
    r_max, delta, beta : float, optional
        See :func:`oster_from_moments`.

    Returns
    -------
    OsterBounds

    Raises
    ------
    DesignError
        Values not finite; a treatment, outcome or set of controls without variation of its own;
        see also :func:`oster_from_moments`.
    """
    y, treatment = np.asarray(y, float), np.asarray(treatment, float)
    controls = np.asarray(controls, float).reshape(len(y), -1)
    absorb.require_finite("oster", y=y, treatment=treatment, controls=controls)
    raw = np.column_stack([y, treatment, controls])
    clean = absorb.demean(raw, absorbed or [np.zeros(len(y), int)])
    length = np.linalg.norm(clean, axis=0)
    flat = length <= 1e-8 * np.linalg.norm(raw, axis=0)
    rank = np.linalg.matrix_rank(clean[:, 1:] / np.where(flat[1:], 1, length[1:]))
    if flat.any() or rank < 1 + controls.shape[1]:
        raise DesignError(
            "oster",
            "outcome, treatment and controls do not each vary by themselves",
            keys=[["y", "treatment", *range(controls.shape[1])][i] for i in np.flatnonzero(flat)],
        )
    y, x, w = clean[:, 0], clean[:, 1], clean[:, 2:]
    left_x, left_y = (v - w @ np.linalg.lstsq(w, v)[0] for v in (x, y))
    short, long = (x @ y) / (x @ x), (left_x @ left_y) / (left_x @ left_x)
    residual = left_y - long * left_x
    return oster_from_moments(
        short,
        long,
        short**2 * (x @ x) / (y @ y),
        1 - (residual @ residual) / (y @ y),
        length[0] / length[1],
        (left_x @ left_x) / (x @ x),
        r_max,
        delta,
        beta,
    )


def oster_from_moments(
    short, long, r2_short, r2_long, sd_ratio, treatment_left, r_max=None, delta=1.0, beta=0.0
) -> OsterBounds:
    """Oster's bounds from published or computed moments.

    Parameters
    ----------
    short, long, r2_short, r2_long : float
        Coefficient and R2 without and with controls.
    sd_ratio : float
        Standard deviation of the outcome over that of the treatment.
    treatment_left : float
        Share of the treatment's variance that the controls leave unexplained, in (0, 1).
    r_max : float, optional
        From ``r2_long`` to 1; by default 1.3 times ``r2_long``, at most 1.
    delta : float
        Selection assumed for ``beta_star``: (Cov(W2, X)/Var(W2)) / (Cov(W1, X)/Var(W1)), W1 the
        index of observables and W2 that of unobservables.
    beta : float
        Effect that the reported ``delta`` would bring about.

    Returns
    -------
    OsterBounds

    Raises
    ------
    DesignError
        A share or R2 out of range.

    Notes
    -----
    With outcome and treatment at unit variance, t the treatment's share left, d the movement from
    long to short, and D = ``r_max`` - ``r2_long``, the bias v of the long coefficient solves
    (Oster 2019, proposition 3)::

        s D d + v (s D (1 - t) - (r2_long - r2_short) t - t d^2) + v^2 t d (s - 2)
            + v^3 (s - 1) t (1 - t) = 0

    at selection s: a cubic, a quadratic at s = 1, and linear in s.
    """
    r_max = min(R_MAX_RULE * r2_long, 1.0) if r_max is None else r_max
    for name, low, value, high in (
        ("r2_short", 0, r2_short, r2_long),
        ("r2_long", 0, r2_long, 1),
        ("r_max", r2_long, r_max, 1),
        ("treatment_left", 0, treatment_left, 1),
    ):
        outside = not low - ROUNDING <= value <= high + ROUNDING
        if outside or (name == "treatment_left" and value in (0, 1)):
            raise DesignError(
                "oster", f"{name} is out of range", expected=f"{low:g} to {high:g}", found=value
            )
    t, gain = treatment_left, r_max - r2_long
    moved, bias = (short - long) / sd_ratio, (long - beta) / sd_ratio
    # The equation is p(v) = delta q(v); coefficients from the highest power down.
    p = np.array([t * (1 - t), 2 * t * moved, (r2_long - r2_short + moved**2) * t, 0.0])
    q = np.array([t * (1 - t), t * moved, gain * (1 - t), gain * moved])
    needed, per_delta = np.polyval(p, bias), np.polyval(q, bias)
    root = np.roots(_trim(delta * q - p))
    root = np.sort(root[np.abs(root.imag) <= REAL * np.maximum(1, np.abs(root))].real)
    fit = root[root * moved * np.sign(delta) >= 0]
    star = fit[np.abs(fit).argmin()] if len(fit) else np.nan
    return OsterBounds(
        float(short),
        float(long),
        float(r2_short),
        float(r2_long),
        float(r_max),
        float(needed / per_delta) if per_delta else np.inf,
        float(long - sd_ratio * star),
        tuple(float(b) for b in np.sort(long - sd_ratio * root)),
    )


def _trim(coefficients):
    """Drop leading coefficients that are only rounding: their roots would be at infinity."""
    small = np.abs(coefficients) <= ROUNDING * np.abs(coefficients).max()
    return coefficients[np.argmax(~small) :]
