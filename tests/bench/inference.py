"""Resampling and spatial inference on a simulated panel of 2,300 entities and 20 years."""

import numpy as np
import pandas as pd
from bench.case import Case
from monotowns.estimate.absorb import demean
from monotowns.estimate.conley import conley
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap
from monotowns.measures.agglomeration import EARTH_KM

ENTITIES, YEARS, REGIONS, DRAWS = 2300, 20, 83, 9999

#: Two simulated critical values differ by a relative .014 in one standard error; five of them.
SIMULATION = 0.07

#: Radius of the Earth in diff-diff, km.
PEER_EARTH_KM = 6371.01


def panel(scale):
    rng = np.random.default_rng(20)
    entities = round(ENTITIES * scale)
    entity, year = np.repeat(np.arange(entities), YEARS), np.tile(np.arange(YEARS), entities)
    region = entity % REGIONS
    shock = rng.normal(size=(2, REGIONS, YEARS))[:, region, year]
    x = rng.normal(size=len(entity)) + 0.5 * shock[0]
    y = rng.normal(size=len(entity)) + 0.5 * shock[1] + rng.normal(size=entities)[entity]
    frame = pd.DataFrame({"entity": entity, "year": year, "region": region, "x": x, "y": y})
    lat, lon = rng.uniform(45, 70, entities), rng.uniform(30, 160, entities)
    cohort = rng.choice([0, 0, 0, 8, 10, 12], entities)
    return {
        "frame": frame.assign(lat=lat[entity], lon=lon[entity]),
        "cohort": cohort,
        "strata": np.arange(entities) % 3,
    }


def critical(statistics, observed):
    """Bootstrap critical value over the observed statistic: free of small-sample conventions."""
    return [np.quantile(np.abs(statistics), 0.95) / abs(observed)]


def wild(cluster):
    def run(data):
        f = data["frame"]
        fit = clustered_fit(f["y"], f["x"], f[cluster], [f["entity"], f["year"]])
        found = wild_cluster_bootstrap(fit, draws=DRAWS, seed=1)
        return critical(found.statistics, found.t)

    return run


def wild_pyfixest(data):
    import pyfixest

    fit = pyfixest.feols("y ~ x | entity + year", data["frame"], vcov={"CRV1": "region"})
    found, statistics = fit.wildboottest(
        param="x",
        reps=DRAWS,
        cluster="region",
        weights_type="webb",
        seed=1,
        return_bootstrapped_t_stats=True,
    )
    return critical(statistics, found["t value"])


def wild_wildboottest(data):
    from wildboottest.wildboottest import WildboottestCL

    f = data["frame"]
    years = pd.get_dummies(f["year"], drop_first=True).to_numpy(float)
    columns = demean(np.c_[f["y"], f["x"], years], [f["entity"]])
    peer = WildboottestCL(
        X=columns[:, 1:],
        Y=columns[:, 0],
        cluster=f["entity"].to_numpy(),
        R=np.eye(YEARS)[0],
        B=DRAWS,
        seed=1,
        parallel=False,
    )
    peer.get_scores(bootstrap_type="11", impose_null=True)
    peer.get_weights(weights_type="webb")
    for step in ("numer", "denom", "tboot", "vcov", "tstat", "pvalue"):
        getattr(peer, f"get_{step}")()
    return critical(peer.t_boot, peer.t_stat)


def residuals(data):
    f = data["frame"]
    y, x = demean(f[["y", "x"]], [f["entity"], f["year"]]).T
    return data | {"X": x[:, None], "u": y - x * (x @ y) / (x @ x)}


def spatial(data):
    f = data["frame"]
    return conley(data["X"], data["u"], f["lat"], f["lon"], f["year"], cutoff_km=300.0)


def spatial_diff_diff(data):
    from diff_diff.linalg import compute_robust_vcov

    f = data["frame"]
    return compute_robust_vcov(
        data["X"],
        data["u"],
        vcov_type="conley",
        conley_kernel="bartlett",
        conley_coords=f[["lat", "lon"]].to_numpy(),
        conley_unit=f["entity"].to_numpy(),
        conley_time=f["year"].to_numpy(),
        conley_lag_cutoff=0,
        conley_cutoff_km=300.0 * PEER_EARTH_KM / EARTH_KM,
    )


def permuted(data):
    f = data["frame"]
    statistic = imputation_statistic(f["y"], f["entity"], f["year"])
    found = randomization_test(statistic, data["cohort"], data["strata"], 999, seed=1)
    return [found.statistic, found.p_value, *found.draws]


def permuted_diff_diff(data):
    from diff_diff import ImputationDiD

    f = data["frame"]

    def statistic(cohort):
        rows = f.assign(cohort=cohort[f["entity"]])
        model = ImputationDiD(pretrends=False)
        found = model.fit(rows, outcome="y", unit="entity", time="year", first_treat="cohort")
        return found.overall_att

    found = randomization_test(statistic, data["cohort"], data["strata"], 999, seed=1)
    return [found.statistic, found.p_value, *found.draws]


CASES = [
    Case(
        "wild cluster bootstrap, 2,300 x 20, two-way effects, 83 clusters, 9,999 draws",
        panel,
        wild("region"),
        wild_pyfixest,
        "pyfixest.Feols.wildboottest",
        slow=True,
        tolerance=SIMULATION,
        peer_scale=0.25,
    ),
    Case(
        "wild cluster bootstrap, 2,300 x 20, two-way effects, 2,300 clusters, 9,999 draws",
        panel,
        wild("entity"),
        wild_wildboottest,
        "wildboottest.WildboottestCL",
        slow=True,
        tolerance=SIMULATION,
        peer_scale=0.1,
    ),
    Case(
        "Conley covariance, 300 km, 2,300 x 20",
        lambda scale: residuals(panel(scale)),
        spatial,
        spatial_diff_diff,
        "diff_diff.linalg.compute_robust_vcov",
        peer_scale=0.5,
    ),
    Case(
        "randomization test, 999 draws, imputation, 2,300 x 20",
        panel,
        permuted,
        permuted_diff_diff,
        "loop over diff_diff.ImputationDiD",
        slow=True,
        peer_scale=0.1,
    ),
]
