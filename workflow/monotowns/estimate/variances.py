"""Other variances of a least-squares fit, beside its own clustered one."""

from dataclasses import replace

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from monotowns.estimate.conley import conley
from monotowns.estimate.jackknife import cluster_jackknife
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.record import TERMS, wald_terms
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.run.errors import DesignError

#: Lags, years, over which errors of one entity (Conley) or of all (Driscoll-Kraay) are correlated.
LAGS = 3


def alternatives(fit, outcome, names, spec, draws, seed) -> list:
    """Fit records of the same estimates under other variances.

    Parameters
    ----------
    fit : monotowns.estimate.record.Fit
        From :mod:`.regression`, with ``rows``, ``X`` and ``residuals`` in its details.
    outcome : str
    names : sequence of str
        Columns of the regressors in the order of ``X``; only those of ``fit.terms`` are reported.
    spec : dict
        ``variances`` (``crv3``, ``wild``, ``driscoll_kraay``, ``conley_<km>``), ``cluster``,
        ``fixed_effects``.
    draws, seed : int
        Of the wild bootstrap.

    Returns
    -------
    list of Fit
        One a variance; of the wild bootstrap the p-value and the hull of the confidence set, and
        no standard error.

    Raises
    ------
    DesignError
        The fit is weighted: these variances are written for unweighted fits.
    """
    if spec.get("weights"):
        raise DesignError("variances", "not available for a weighted fit", keys=spec["variances"])
    rows, X, residuals = (fit.details[k] for k in ("rows", "X", "residuals"))
    terms = fit.terms[fit.terms["term"] != "band"]
    effects = [rows[e] for e in spec["fixed_effects"]]
    raw = (rows[outcome], rows[list(names)].to_numpy(float), rows[spec["cluster"]], effects)
    shared = clustered_fit(*raw)
    found = []
    for name in spec["variances"]:
        if name == "wild":
            found.append(_wild(fit, terms, shared, spec["cluster"], draws, seed))
            continue
        if name == "crv3":
            covariance, told = cluster_jackknife(shared), f"CRV3({spec['cluster']}), jackknife"
        elif name == "driscoll_kraay":
            periods = {"time": (rows["year"] - rows["year"].min()).to_numpy(), "maxlags": LAGS}
            options = periods | {"use_correction": False}
            covariance = OLS(residuals, X).fit(cov_type="hac-groupsum", cov_kwds=options)
            covariance = covariance.cov_params()
            told = f"Driscoll-Kraay, {LAGS} lags, no small-sample correction"
        else:
            km = int(name.removeprefix("conley_"))
            lags = LAGS if rows["year"].nunique() > 1 else 0
            place = (rows["lat"], rows["lon"], rows["year"])
            covariance = conley(X, residuals, *place, km, lags, rows["entity"])
            told = f"Conley {km} km, Bartlett, {lags} lags, no small-sample correction"
        error = np.sqrt(np.diag(covariance).clip(min=0))
        table = wald_terms(terms["term"], terms["estimate"], error, df=fit.n_clusters - 1)
        found.append(replace(fit, terms=table, variance=told, covariance=covariance))
    return found


def _wild(fit, terms, shared, cluster, draws, seed):
    rows = []
    for param, row in enumerate(terms.itertuples(index=False)):
        test = wild_cluster_bootstrap(shared, param, draws, seed=seed)
        low, high = test.confidence_set[0][0], test.confidence_set[-1][1]
        rows.append((row.term, row.estimate, np.nan, low, high, test.p_value))
    told = f"wild cluster bootstrap ({cluster}), Webb weights, {draws} draws"
    table = pd.DataFrame(rows, columns=TERMS)
    return replace(fit, terms=table, variance=told, covariance=None)
