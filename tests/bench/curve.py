"""Specification curve on a simulated panel of 2,300 entities and 11 years."""

import numpy as np
import pandas as pd
from bench.case import Case
from monotowns.estimate.specification_curve import joint_test, permuted_rows
from monotowns.estimate.universe import expand

ENTITIES, YEARS, REGIONS = 2300, 11, 83
#: 2 outcomes, 2 treatments, 2^5 subsets of controls, 2 samples, 2 pairs of effects, 2 weights.
UNIVERSE = {
    "outcomes": ["y0", "y1"],
    "treatments": ["x0", "x1"],
    "optional_controls": {f"c{j}": [f"c{j}"] for j in range(5)},
    "samples": ["all", "urban"],
    "fixed_effects": [["entity", "year"], ["entity", "region_year"]],
    "weights": [None, "residents"],
}


def panel(scale):
    rng = np.random.default_rng(11)
    entities = round(ENTITIES * scale)
    entity, year = np.repeat(np.arange(entities), YEARS), np.tile(np.arange(YEARS), entities)
    f = pd.DataFrame({"entity": entity, "year": year, "region": entity % REGIONS})
    shock = rng.normal(size=(2, REGIONS, YEARS))[:, f["region"], year]
    for column in UNIVERSE["optional_controls"]:
        f[column] = rng.normal(size=len(f))
    for j in range(2):
        f[f"x{j}"] = rng.normal(size=len(f)) + 0.3 * f["c0"] + shock[0]
    for j in range(2):
        f[f"y{j}"] = 0.05 * f["x0"] + 0.2 * f["c0"] + rng.normal(size=len(f)) + shock[1]
    # Rows are missing here and there, as in every real panel: no balanced short cuts.
    f = f[rng.random(len(f)) < 0.97].reset_index(drop=True)
    f["residents"] = rng.lognormal(9, 1, entities)[f["entity"]]
    f["in all"], f["in urban"] = True, f["entity"] % 3 > 0
    return f.assign(region_year=f["region"] * 100 + f["year"])


def estimates(table):
    return table[["estimate", "standard_error"]].to_numpy()


#: 2 treatments, 2^3 subsets of controls, 2 pairs of effects.
SMALL = UNIVERSE | {
    "outcomes": ["y0"],
    "samples": ["all"],
    "weights": [None],
    "optional_controls": {f"c{j}": [f"c{j}"] for j in range(3)},
}
DRAWS = 19


def ours(data):
    return estimates(joint_test(data, expand(UNIVERSE), "region", "region", 0, seed=0).curve)


def loop(data, universe=UNIVERSE):
    """The curve as a user of pyfixest would run it."""
    import pyfixest

    rows = []
    for spec in expand(universe).itertuples():
        sample = data[data[f"in {spec.sample}"]]
        fit = pyfixest.feols(
            f"{spec.outcome} ~ {' + '.join([spec.treatment, *spec.columns])} "
            f"| {' + '.join(spec.effects)}",
            sample,
            vcov={"CRV1": "region"},
            weights=None if spec.weights == "none" else spec.weights,
        )
        rows.append((fit.coef()[spec.treatment], fit.se()[spec.treatment]))
    return np.array(rows)


def permuted(data):
    return joint_test(data, expand(SMALL), "region", "region", DRAWS, seed=1).draws


def permuted_loop(data):
    names = UNIVERSE["treatments"]
    donors = permuted_rows(data, names, "region", DRAWS, 1)(slice(1, None), np.arange(len(data)))
    dealt = ({n: data[n].to_numpy()[rows] for n in names} for rows in donors)
    return [loop(data.assign(**columns), SMALL)[:, 0] for columns in dealt]


CASES = [
    Case(
        "specification curve, 1,024 specifications, 2,300 x 11",
        panel,
        ours,
        loop,
        "loop over pyfixest.feols",
        slow=True,
        tolerance=1e-8,
        peer_scale=0.1,
    ),
    Case(
        "joint test of a curve, 32 specifications, 19 draws, 2,300 x 11",
        panel,
        permuted,
        permuted_loop,
        "loop over pyfixest.feols",
        slow=True,
        peer_scale=0.1,
    ),
]
