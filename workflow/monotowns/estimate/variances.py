"""Further variances of a least-squares fit, beside its own clustered one.

All have fixest's small-sample factor for parameters, ``(n-1)/(n-k)``, with every level of the
effects counted in ``k`` as fixest does where errors are not clustered; the cluster jackknife has
its own factor, the bootstrap needs none. Driscoll and Kraay's is statsmodels'; with T years it has
T-1 degrees of freedom. Conley's keeps those of the clusters, which is cautious.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from monotowns.estimate import absorb
from monotowns.estimate.conley import conley
from monotowns.estimate.jackknife import cluster_jackknife
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.record import TERMS, Fit, wald_terms
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.run.errors import DesignError

#: Lags, years, over which errors of one entity (Conley) or of all (Driscoll-Kraay) are correlated.
LAGS = 3


def under_each(fit, wanted, draws, seed) -> list[Fit]:
    """The fit, and its estimates under each further variance.

    Parameters
    ----------
    fit : Fit
        From :func:`.regression.least_squares`; its first terms are its regressors.
    wanted : sequence of str
        Keys of :data:`VARIANCES`; of Conley's with the cutoff, ``conley_300`` (km).
    draws, seed : int
        Of the wild bootstrap.

    Returns
    -------
    list of Fit
        Of the wild bootstrap the p-value and the hull of the confidence set, and no standard error.

    Raises
    ------
    DesignError
        The fit is weighted: these variances are written for unweighted fits.
    """
    if wanted and fit.details["weights"]:
        raise DesignError("variances", "not available for a weighted fit", keys=wanted)
    options = {"draws": draws, "seed": seed}
    if {"crv3", "wild"} & set(wanted):
        options["shared"] = clustered_fit(*fit.details["raw"])
    found = [fit]
    for name in wanted:
        kind, _, size = name.partition("conley_")
        found.append(VARIANCES[kind or "conley"](fit, size=size, **options))
    return found


def _under(fit, covariance, label, clusters=None) -> Fit:
    clusters = clusters or fit.n_clusters
    error = np.sqrt(np.diag(covariance).clip(min=0))
    terms = wald_terms(fit.terms["term"], fit.terms["estimate"], error, df=clusters - 1)
    return replace(fit, terms=terms, variance=label, covariance=covariance, n_clusters=clusters)


def _parameters(fit) -> int:
    return fit.details["X"].shape[1] + absorb.residual_degrees(fit.details["effects"])


def _crv3(fit, shared, **_) -> Fit:
    return _under(fit, cluster_jackknife(shared), f"CRV3({fit.details['cluster']}), jackknife")


def _driscoll_kraay(fit, **_) -> Fit:
    from statsmodels.regression.linear_model import OLS

    year = fit.details["rows"]["year"].to_numpy()
    order = np.argsort(year, kind="stable")
    years, n = len(np.unique(year)), len(year)
    if years <= LAGS:
        raise DesignError(
            "Driscoll-Kraay", "too few years", expected=f"more than {LAGS}", found=years
        )
    model = OLS(fit.details["y"][order], fit.details["X"][order]).fit(
        cov_type="hac-groupsum",
        cov_kwds={"time": year[order], "maxlags": LAGS, "use_correction": False},
    )
    factor = (n - 1) / (n - _parameters(fit)) * years / (years - 1)
    label = f"Driscoll-Kraay, {LAGS} lags, fixest small-sample correction, t({years - 1})"
    return _under(fit, factor * np.asarray(model.cov_params()), label, years)


def _conley(fit, size, **_) -> Fit:
    rows, X, residuals = (fit.details[k] for k in ("rows", "X", "residuals"))
    lags = LAGS if rows["year"].nunique() > 1 else 0
    covariance = conley(
        X,
        residuals,
        *(rows["lat"], rows["lon"], rows["year"]),
        cutoff_km=float(size),
        lags=lags,
        entity=rows["entity"],
        small_sample=_parameters(fit),
    )
    label = f"Conley {size} km, Bartlett, {lags} lags, fixest small-sample correction"
    return _under(fit, covariance, label)


def wild_bootstrap(fit, shared, draws, seed, only=None, **_) -> Fit:
    """The wild cluster bootstrap of each term of a fit, or of those named in ``only``.

    ``shared`` is the fit's :class:`.kernel.ClusteredFit`. Terms have the p-value and the hull of
    the confidence set, and no standard error.
    """
    rows = []
    for param, row in enumerate(fit.terms.itertuples(index=False)):
        if only is not None and row.term not in only:
            continue
        test = wild_cluster_bootstrap(shared, param, draws, seed=seed)
        low, high = test.confidence_set[0][0], test.confidence_set[-1][1]
        rows.append((row.term, row.estimate, np.nan, low, high, test.p_value))
    label = f"wild cluster bootstrap ({fit.details['cluster']}), Webb weights, {draws} draws"
    return replace(fit, terms=pd.DataFrame(rows, columns=TERMS), variance=label, covariance=None)


#: Further variances by the name that a specification gives them.
VARIANCES = {
    "crv3": _crv3,
    "wild": wild_bootstrap,
    "driscoll_kraay": _driscoll_kraay,
    "conley": _conley,
}
