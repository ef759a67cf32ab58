"""The estimators that the study runs most, each at its size there and at ten times that.

Every pair returns coefficients and their clustered standard errors. What ours does besides (the
uniform band of an event study, Anderson-Rubin sets, the pre-trends of imputation) is in its time.
"""

from functools import partial

import diff_diff
import numpy as np
import pandas as pd
import pyfixest
from bench.case import Case
from linearmodels import PanelOLS
from linearmodels.iv import AbsorbingLS
from monotowns.estimate.instrumental import iv
from monotowns.estimate.regression import event_study, least_squares
from monotowns.estimate.staggered import callaway_santanna, imputation

ROWS, ENTITIES, TREATED, REGIONS, MONOTOWNS = 21_445, 2258, 200, 83, 190
YEARS, BASE = np.arange(2013, 2023), 2017
EFFECTS = ["entity", "region_year"]
EVENTS = [f"treated_{year}" for year in YEARS if year != BASE]
#: Event times of the staggered estimators that all report.
LATE = range(4)


def panel(times, scale):
    """Towns in regions, a twentieth of the rows missing."""
    rng = np.random.default_rng(11)
    entities, rows = round(ENTITIES * times * scale), round(ROWS * times * scale)
    entity, year = np.repeat(np.arange(entities), len(YEARS)), np.tile(YEARS, entities)
    region = entity % REGIONS
    shock = rng.normal(size=(2, REGIONS, len(YEARS)))[:, region, year - YEARS[0]]
    z, taste, noise = rng.normal(size=(3, len(entity)))
    treated = rng.permutation(entities) < TREATED * times * scale
    f = pd.DataFrame({"entity": entity, "year": year, "region": region, "z": z})
    f["region_year"] = region * 100 + year - YEARS[0]
    f["x"] = 0.5 * z + taste + shock[0] + rng.normal(size=len(f))
    f["y"] = 0.1 * f["x"] + taste + shock[1] + rng.normal(size=entities)[entity] + noise
    f["treated"] = treated[entity] * 1.0
    for name in EVENTS:
        f[name] = f["treated"] * (f["year"] == int(name[-4:]))
    return f.iloc[np.sort(rng.choice(len(f), rows, replace=False))].reset_index(drop=True)


def adoption(times, scale):
    """Monotowns that adopt in 2016 to 2019 or never."""
    rng = np.random.default_rng(12)
    entities = round(MONOTOWNS * times * scale)
    entity, year = np.repeat(np.arange(entities), len(YEARS)), np.tile(YEARS, entities)
    cohort = rng.choice([0, 0, 0, 2016, 2017, 2018, 2019], entities)[entity]
    effect = 0.3 * ((cohort > 0) & (year >= cohort))
    y = rng.normal(size=entities)[entity] + 0.1 * year + effect + rng.normal(size=len(entity))
    return pd.DataFrame({"entity": entity, "year": year, "cohort": cohort, "y": y})


def ours(estimate, terms):
    def run(f):
        found = estimate(f).terms.set_index("term").loc[terms]
        return [*found["estimate"], *found["standard_error"]]

    return run


def pyfixest_feols(text, names, f):
    fit = pyfixest.feols(text, f, vcov={"CRV1": "region"})
    return [*fit.coef()[names], *fit.se()[names]]


# fereg and statspai are installed by `make bench` only, so that they are imported where they run.
def fereg_feols(text, names, f):
    import fereg

    fit = fereg.feols(text, f, vcov={"CRV1": "region"})
    return [*fit.coef()[names], *fit.se()[names]]


def statspai_feols(text, names, f):
    import statspai

    fit = statspai.feols(text, f, vcov={"CRV1": "region"})
    return [*fit.params[names], *fit.std_errors[names]]


def fixest_factor(f, names):
    """Both effects lie within the regions, so that they count as one parameter."""
    return REGIONS / (REGIONS - 1) * (len(f) - 1) / (len(f) - len(names) - 1)


def absorbing(names, f):
    absorb = f[EFFECTS].astype("category")
    fit = AbsorbingLS(f["y"], f[names], absorb=absorb)
    fit = fit.fit(cov_type="clustered", clusters=f["region"], method="hdfe")
    # Without a factor of its own.
    return [*fit.params, *np.sqrt(fixest_factor(f, names)) * fit.std_errors]


def panel_ols(names, f):
    f = f.set_index(["entity", "year"])
    fit = PanelOLS(f["y"], f[names], entity_effects=True, other_effects=f[["region_year"]])
    fit = fit.fit(cov_type="clustered", clusters=f[["region"]])
    # It counts every level of the effects and has no factor for the clusters.
    factor = fixest_factor(f, names) * fit.df_resid / len(f)
    return [*fit.params, *np.sqrt(factor) * fit.std_errors]


def staggered(f, att, att_error, events, errors):
    """The peers' variances are sums over clusters without G / (G - 1)."""
    clusters = f["entity"].nunique()
    spread = np.array([att_error, *errors]) * np.sqrt(clusters / (clusters - 1))
    return [att, *events, *spread]


def diff_diff_staggered(model, f):
    columns = {"outcome": "y", "unit": "entity", "time": "year", "first_treat": "cohort"}
    fit = model.fit(f, **columns, aggregate="event_study")
    events = pd.DataFrame(fit.event_study_effects).T.loc[LATE]
    return staggered(f, fit.overall_att, fit.overall_se, events["effect"], events["se"])


def statspai_imputation(f):
    import statspai

    columns = {"y": "y", "group": "entity", "time": "year", "first_treat": "cohort"}
    fit = statspai.did_imputation(f, **columns, cluster="entity", horizon=list(LATE))
    events = fit.detail.set_index("relative_time").loc[LATE]
    return staggered(f, fit.estimate, fit.se, events["att"], events["se"])


def statspai_callaway_santanna(f):
    import statspai

    columns = {"y": "y", "g": "cohort", "t": "year", "i": "entity"}
    cells = statspai.callaway_santanna(
        f, **columns, control_group="notyettreated", base_period="varying"
    )
    mean, dynamic = (
        statspai.aggte(cells, type=kind, bstrap=False, cband=False)
        for kind in ("simple", "dynamic")
    )
    events = dynamic.detail.set_index("relative_time").loc[LATE]
    return staggered(f, mean.estimate, mean.se, events["att"], events["se"])


def regressions(text, names):
    return {
        "pyfixest.feols": partial(pyfixest_feols, text, names),
        "fereg.feols": partial(fereg_feols, text, names),
        "statspai.feols": partial(statspai_feols, text, names),
    }


def linear(names):
    text = f"y ~ {' + '.join(names)} | {' + '.join(EFFECTS)}"
    return regressions(text, names) | {
        "linearmodels.AbsorbingLS": partial(absorbing, names),
        "linearmodels.PanelOLS": partial(panel_ols, names),
    }


TERMS = ["att", *(f"event {e}" for e in LATE)]
NAMES = {"outcome": "y", "fixed_effects": EFFECTS, "cluster": "region"}
#: Work, data, ours, peers. linearmodels (7.1) absorbs no effects in two-stage least squares;
#: pyfixest's ``did2s`` has Gardner's variance, not that of imputation.
WORK = [
    (
        "two-way fixed effects, 21,445 rows",
        panel,
        ours(partial(least_squares, names=["x"], **NAMES), ["x"]),
        linear(["x"]),
    ),
    (
        "event study of 9 years, 21,445 rows",
        panel,
        ours(
            lambda f: event_study(f, treatment="treated", base=BASE, **NAMES)[0],
            [name[-4:] for name in EVENTS],
        ),
        linear(EVENTS),
    ),
    (
        "instrumental variable, 21,445 rows",
        panel,
        ours(partial(iv, treatment="x", instruments=["z"], **NAMES), ["x"]),
        regressions("y ~ 1 | entity + region_year | x ~ z", ["x"]),
    ),
    (
        "imputation, 190 x 10",
        adoption,
        ours(partial(imputation, outcome="y", treatment="cohort"), TERMS),
        {
            "diff_diff.ImputationDiD": partial(
                diff_diff_staggered, diff_diff.ImputationDiD(cluster="entity")
            ),
            "statspai.did_imputation": statspai_imputation,
        },
    ),
    (
        "Callaway-Sant'Anna, 190 x 10",
        adoption,
        ours(partial(callaway_santanna, outcome="y", treatment="cohort"), TERMS),
        {
            "diff_diff.CallawaySantAnna": partial(
                diff_diff_staggered,
                diff_diff.CallawaySantAnna(control_group="not_yet_treated", base_period="varying"),
            ),
            "statspai.callaway_santanna": statspai_callaway_santanna,
        },
    ),
]
CASES = [
    Case(f"{work}{mark}", partial(data, times), run, peer, name, tolerance=1e-8)
    for work, data, run, peers in WORK
    for times, mark in ((1, ""), (10, ", 10 times"))
    for name, peer in peers.items()
]
