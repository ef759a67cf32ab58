"""Market potential of 155,000 settlements, against blocks of the whole matrix of distances."""

from functools import partial

import numpy as np
from bench.case import Case
from monotowns.measures.agglomeration import great_circle_km, market_potential

SETTLEMENTS, KAPPA_KM, FLOOR_KM = 155_000, 200.0, 10.0
#: Rows of the distance matrix that the peer holds at a time.
BLOCK = 200
#: The tree promises a relative error below this.
PROMISED = 1e-3
WEIGHTS = {
    "inverse": lambda d: 1 / d,
    "inverse_square": lambda d: d**-2.0,
    "exponential": lambda d: np.exp(-d / KAPPA_KM) * (d <= 10 * KAPPA_KM),
}


def settlements(scale):
    """Towns as dense in the west and as thin in the east as Russia's, each with its villages."""
    rng = np.random.default_rng(155)
    n = round(SETTLEMENTS * scale)
    west = rng.random(2300) < 0.75
    town_lat = np.where(west, rng.normal(54.5, 4.5, 2300), rng.normal(56, 5, 2300)).clip(42, 72)
    town_lon = np.where(west, rng.normal(44, 8, 2300), rng.uniform(60, 160, 2300)).clip(21, 179)
    town = rng.integers(0, 2300, n)
    lat = town_lat[town] + rng.normal(0, 0.3, n)
    lon = town_lon[town] + rng.normal(0, 0.5, n)
    return lat, lon.clip(-180, 180), rng.lognormal(6, 1.5, n)


def ours(decay, data):
    return market_potential(*data, decay, KAPPA_KM, FLOOR_KM, method="tree")


def blocks(decay, data):
    lat, lon, mass = data
    potential = np.empty(len(lat))
    for start in range(0, len(lat), BLOCK):
        rows = slice(start, start + BLOCK)
        distance = great_circle_km(lat[rows, None], lon[rows, None], lat, lon)
        weight = WEIGHTS[decay](np.maximum(distance, FLOOR_KM))
        weight[np.arange(len(weight)), start + np.arange(len(weight))] = 0
        potential[rows] = weight @ mass
    return potential


def case(decay, formula, tolerance):
    return Case(
        f"market potential, {formula}, 155,000 points",
        settlements,
        partial(ours, decay),
        partial(blocks, decay),
        "blocked numpy",
        slow=True,
        tolerance=tolerance,
        peer_scale=0.1,
        scales=(0.25, 0.5, 1.0),
    )


CASES = [
    case("inverse", "1/d to a relative 1e-3", PROMISED),
    case("inverse_square", "1/d^2 to a relative 1e-3", PROMISED),
    case("exponential", "exp(-d/200 km) to a relative 1e-3 up to 2,000 km", PROMISED),
]
