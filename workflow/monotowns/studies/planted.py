"""Do the estimators find what was planted? Coverage and power on simulated panels."""

import numpy as np
import pandas as pd

from monotowns.estimate import regression as twoway
from monotowns.estimate.imputation import imputation
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap

#: Regions and entities of the simulated panels: few clusters, as many years as the study has.
REGIONS, ENTITIES, YEARS = 15, 90, range(2012, 2022)


def simulate(effect: float, rng) -> pd.DataFrame:
    """One panel with regional shocks and staggered adoption.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year``, ``region``, ``cohort`` (0 = never), ``treated`` (0 or 1), ``y`` with
        entity effects, region-by-year shocks, serially correlated noise and the effect planted.
    """
    index = pd.MultiIndex.from_product([range(ENTITIES), YEARS], names=["entity", "year"])
    frame = index.to_frame(index=False)
    frame["region"] = frame["entity"] % REGIONS
    frame["cohort"] = frame["entity"].map(rng.choice([0, 0, 0, 2016, 2018], ENTITIES).__getitem__)
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["treated"] = on.astype(float)
    noise = rng.normal(size=(ENTITIES, len(YEARS)))
    for t in range(1, len(YEARS)):
        noise[:, t] = 0.5 * noise[:, t - 1] + noise[:, t]
    shock = rng.normal(0, 0.5, (REGIONS, len(YEARS)))[np.arange(ENTITIES) % REGIONS]
    frame["y"] = effect * on + (rng.normal(size=(ENTITIES, 1)) + noise + shock).ravel()
    return frame


def _two_way(frame, _):
    row = twoway.least_squares(frame, "y", ["treated"], ["entity", "year"], "region")["treated"]
    return row["estimate"], row["ci_low"], row["ci_high"]


def _imputation(frame, _):
    row = imputation(frame, "y", "cohort", "entity")["att"]
    return row["estimate"], row["ci_low"], row["ci_high"]


def _wild(frame, seed):
    effects = [frame["entity"], frame["year"]]
    fit = clustered_fit(frame["y"], frame["treated"], frame["region"], effects)
    test = wild_cluster_bootstrap(fit, draws=399, seed=seed)
    return test.estimate, test.confidence_set[0][0], test.confidence_set[-1][1]


ESTIMATORS = {
    "two-way effects, CRV1 by region": _two_way,
    "two-way effects, wild bootstrap by region": _wild,
    "imputation, clustered by entity": _imputation,
}


def validate(effect: float, draws: int, seed: int) -> pd.DataFrame:
    """Mean estimate, coverage and power of each estimator over simulated panels.

    Parameters
    ----------
    effect : float
        Planted in every treated row.
    draws, seed : int

    Returns
    -------
    pandas.DataFrame
        ``estimator``, ``planted``, ``mean``, ``coverage`` of the 95 per cent interval and
        ``power`` (per cent), ``mc_error`` (standard error of the coverage, points), ``draws``.
    """
    rng = np.random.default_rng(seed)
    panels = [simulate(effect, rng) for _ in range(draws)]
    rows = []
    for name, estimate in ESTIMATORS.items():
        mean, low, high = np.array([estimate(p, seed + i) for i, p in enumerate(panels)]).T
        coverage = ((low <= effect) & (effect <= high)).mean()
        # Power: how often zero is excluded when the effect is there.
        power = ((low > 0) | (high < 0)).mean()
        error = np.sqrt(coverage * (1 - coverage) / draws)
        rows.append((name, effect, mean.mean(), 100 * coverage, 100 * power, 100 * error, draws))
    columns = ["estimator", "planted", "mean", "coverage", "power", "mc_error", "draws"]
    return pd.DataFrame(rows, columns=columns)
