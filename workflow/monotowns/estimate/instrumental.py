"""Two-stage least squares with fixed effects, and inference that survives weak instruments."""

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import linalg, stats

from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.regression import drop_singletons
from monotowns.run.errors import DesignError


def iv(
    rows,
    outcome,
    treatment,
    instruments,
    controls=(),
    fixed_effects=(),
    cluster="region",
    weights=None,
    level=0.95,
) -> Fit:
    """Two-stage least squares of one endogenous treatment.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity`` and all columns named below, nothing missing.
    instruments : sequence of str
        Excluded instruments, at least one.
    controls, fixed_effects : sequence of str
        Exogenous regressors; effects to absorb (singletons are dropped).
    cluster : str or None
        Column of the clusters; None gives the classical homoskedastic variance.
    weights : str, optional
        Column of positive analytic weights.
    level : float
        Coverage of all intervals.

    Returns
    -------
    Fit
        Terms ``treatment`` and the controls. ``details``: ``first_stage`` (coefficients of the
        instruments), ``effective_F`` with ``effective_F_critical`` (below it a worst-case bias
        over 10 per cent is not rejected at 5 per cent) and ``anderson_rubin``, the set of effects
        of the treatment as a list of intervals; it may be unbounded, disjoint or empty.

    Raises
    ------
    DesignError
        Values missing, weights not positive, fewer than two clusters, or regressors or
        instruments that are collinear once the effects are absorbed.
    """
    import pyfixest

    columns = [outcome, treatment, *instruments, *controls, *fixed_effects, "entity"]
    columns += [name for name in (cluster, weights) if name]
    _check(rows, columns, cluster, weights)
    used = drop_singletons(rows[list(dict.fromkeys(columns))], fixed_effects)
    formula = " | ".join(
        [f"{outcome} ~ {' + '.join(controls) or '1'}"]
        + ([" + ".join(fixed_effects)] if fixed_effects else [])
        + [f"{treatment} ~ {' + '.join(instruments)}"]
    )
    variance = {"CRV1": cluster} if cluster else "iid"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # collinearity is an error here, raised below
        model = pyfixest.feols(formula, used, vcov=variance, weights=weights)
        model.first_stage()
    dropped = {*model._collin_vars, *model._collin_vars_z}
    if dropped:
        raise DesignError(
            "two-stage least squares",
            "collinear columns",
            keys=sorted(dropped),
            remedy="leave them out or name fewer fixed effects",
        )
    clusters = used[cluster].nunique() if cluster else len(used)
    df = clusters - 1 if cluster else model._df_t
    names = [treatment, *controls]
    place = [list(model._coefnames).index(name) for name in names]
    covariance = np.asarray(model._vcov)[np.ix_(place, place)]
    terms = wald_terms(
        names, model._beta_hat[place], np.sqrt(np.diag(covariance)), level=level, df=df
    )
    told = f"CRV1({cluster})" if cluster else "homoskedastic"
    return Fit(
        terms,
        "iv",
        f"{told}, fixest small-sample correction",
        len(used),
        used["entity"].nunique(),
        clusters,
        covariance,
        details=_weak(model, treatment, instruments, used[cluster] if cluster else None, df, level),
    )


def weak_instrument_records(fit: Fit) -> list[Fit]:
    """The fit with its effective F as a term, and its Anderson-Rubin set as a further variance.

    Of a set that is not one interval the hull is given; an empty one has no bounds.
    """
    terms = fit.terms.copy()
    terms.loc[len(terms)] = ["effective_F", fit.details["effective_F"], *[np.nan] * 4]
    accepted = fit.details["anderson_rubin"]
    robust = fit.terms.iloc[:1].assign(
        standard_error=np.nan,
        p_value=np.nan,
        ci_low=accepted[0][0] if accepted else np.nan,
        ci_high=accepted[-1][1] if accepted else np.nan,
    )
    told = f"Anderson-Rubin set, {len(accepted)} interval{'s' * (len(accepted) != 1)}"
    return [replace(fit, terms=terms), replace(fit, terms=robust, variance=told, covariance=None)]


def _check(rows, columns, cluster, weights):
    where = "two-stage least squares"
    absent = [name for name in columns if name not in rows]
    if absent:
        raise DesignError(where, "no such column", keys=absent, expected=", ".join(rows.columns))
    missing = rows[columns].isna().any(axis=1)
    if missing.any():
        raise DesignError(
            where,
            "values are missing",
            keys=rows.index[missing],
            found=[c for c in columns if rows[c].isna().any()],
        )
    if cluster and rows[cluster].nunique() < 2:
        raise DesignError(where, "fewer than two clusters", keys=[cluster])
    if weights and (rows[weights] <= 0).any():
        raise DesignError(where, "weights must be positive", keys=rows.index[rows[weights] <= 0])


def _weak(model, treatment, instruments, cluster, df, level):
    """Weak-instrument statistics from the absorbed (and weighted) arrays of a fit."""
    named = list(model._coefnames_z)
    excluded = model._Z[:, [named.index(name) for name in instruments]]
    exogenous = model._Z[:, [j for j, name in enumerate(named) if name not in instruments]]
    both = np.c_[model._Y, model._X[:, list(model._coefnames).index(treatment)]]
    if exogenous.size:
        both = both - exogenous @ np.linalg.lstsq(exogenous, both, rcond=None)[0]
        excluded = excluded - exogenous @ np.linalg.lstsq(exogenous, excluded, rcond=None)[0]
    gram = excluded.T @ excluded
    inverse = np.linalg.inv(gram)
    slopes = inverse @ excluded.T @ both  # of the reduced form and of the first stage
    residuals = both - excluded @ slopes
    # Both equations have the same regressors, hence the first stage's correction.
    ssc = float(np.squeeze(model._model_1st_stage._ssc))
    if cluster is None:
        blocks = np.multiply.outer(residuals.T @ residuals / (len(both) - 1), gram)
    else:
        groups = np.unique(cluster, return_inverse=True)[1]
        scores = np.zeros((groups.max() + 1, 2, len(instruments)))
        np.add.at(scores, groups, residuals[:, :, None] * excluded[:, None, :])
        blocks = np.einsum("gak,gbl->abkl", scores, scores)
    blocks = ssc * (inverse @ blocks @ inverse)
    reduced, first = slopes.T
    return {
        "first_stage": dict(zip(instruments, first.tolist(), strict=True)),
        "effective_F": float(first @ gram @ first / np.trace(blocks[1, 1] @ gram)),
        "effective_F_critical": effective_f_critical(blocks[1, 1], gram),
        "anderson_rubin": anderson_rubin_set(reduced, first, blocks, df, level),
    }


def effective_f_critical(covariance, gram, bias=0.10, level=0.95) -> float:
    """Critical value of the effective F of two-stage least squares.

    Montiel Olea and Pflueger (2013), the simplified (conservative) test with Patnaik's
    approximation to the weighted sum of chi-squares.

    Parameters
    ----------
    covariance : array_like, shape (k, k)
        Covariance of the first-stage coefficients of the instruments.
    gram : array_like, shape (k, k)
        Cross-products of the instruments, exogenous regressors partialled out.
    bias : float
        Worst-case bias that a larger F rejects, as a share of the benchmark.

    Returns
    -------
    float
        23.11 with one instrument.
    """
    root = np.linalg.cholesky(gram)
    weight = root.T @ covariance @ root
    trace, largest = np.trace(weight), np.linalg.eigvalsh(weight)[-1]
    df = trace**2 * (1 + 2 / bias) / (np.sum(weight**2) + 2 / bias * trace * largest)
    return float(stats.ncx2.ppf(level, df, df / bias) / df)


def anderson_rubin_set(reduced, first, blocks, df, level=0.95) -> list[tuple[float, float]]:
    """Effects that the Anderson-Rubin test does not reject, exactly, by inversion.

    The effect b is accepted if ``g' V(b)^-1 g <= c`` with ``g = reduced - b first`` and V(b) the
    variance of g. As ``det(V - g g'/c) = det V (1 - g' V^-1 g / c)``, the ends of the set are real
    roots of the determinant of a matrix quadratic in b: eigenvalues, no grid.

    Parameters
    ----------
    reduced, first : array_like, shape (k,)
        Coefficients of the instruments in the reduced form and in the first stage.
    blocks : array_like, shape (2, 2, k, k)
        Their joint covariance; the first two axes are the equation.
    df : float
        Denominator degrees of freedom of the F test; ``inf`` is chi-square.

    Returns
    -------
    list of (float, float)
        Disjoint intervals in ascending order, ends may be infinite; empty if all is rejected.
    """
    reduced, first, blocks = (np.asarray(v, float) for v in (reduced, first, blocks))
    k = len(reduced)
    critical = stats.chi2.ppf(level, k) if np.isinf(df) else k * stats.f.ppf(level, k, df)
    # Measured in units in which both equations have the same noise.
    unit = np.sqrt(np.trace(blocks[0, 0]) / np.trace(blocks[1, 1]))
    first, scale = first * unit, np.array([1.0, unit])
    blocks = blocks * np.multiply.outer(scale, scale)[:, :, None, None]

    def moment(b):
        g = reduced - b * first
        return g, blocks[0, 0] - b * (blocks[0, 1] + blocks[1, 0]) + b**2 * blocks[1, 1]

    def accepted(b):
        g, variance = moment(b)
        return g @ np.linalg.lstsq(variance, g, rcond=None)[0] <= critical

    def outer(a, b):
        return np.outer(a, b) / critical

    constant = blocks[0, 0] - outer(reduced, reduced)
    linear = outer(reduced, first) + outer(first, reduced) - blocks[0, 1] - blocks[1, 0]
    square = blocks[1, 1] - outer(first, first)
    eye, zero = np.eye(k), np.zeros((k, k))
    roots = linalg.eigvals(
        np.block([[zero, eye], [-constant, -linear]]), np.block([[eye, zero], [zero, square]])
    )
    roots = roots[np.isfinite(roots)]
    # A root that is real but for rounding counts; a needless one only splits an interval in two.
    ends = np.sort(roots.real[np.abs(roots.imag) <= 1e-6 * (1 + np.abs(roots.real))])
    ends = [-np.inf, *ends, np.inf]
    found: list[list[float]] = []
    for low, high in pairwise(ends):
        if low == high or not accepted(_inside(low, high)):
            continue
        if found and found[-1][1] == low:
            found[-1][1] = high
        else:
            found.append([low, high])
    return [(float(low * unit), float(high * unit)) for low, high in found]


def _inside(low, high):
    if np.isinf(low) and np.isinf(high):
        return 0.0
    if np.isinf(low):
        return high - 1 - abs(high)
    if np.isinf(high):
        return low + 1 + abs(low)
    return (low + high) / 2
