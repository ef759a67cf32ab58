import numpy as np
import pytest
from diff_diff.linalg import compute_robust_vcov
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.conley import conley
from monotowns.measures.agglomeration import EARTH_KM, great_circle_km
from monotowns.run.errors import DesignError
from scipy import sparse, stats

#: Relative to the largest entry; ours and the oracle differ by the order of summation.
ROUNDING = 1e-10


def scattered(seed=0, places=40, periods=6, columns=2):
    """Unbalanced panel; the last two entities share a place."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(45, 70, places), rng.uniform(-180, 180, places)
    lon[: places // 2] = rng.uniform(177, 180, places // 2)  # both sides of the date line
    lon[: places // 4] -= 357
    lat[-1], lon[-1] = lat[-2], lon[-2]
    entity, time = np.repeat(np.arange(places), periods), np.tile(np.arange(periods), places)
    kept = rng.random(len(entity)) > 0.2
    entity, time = entity[kept], time[kept]
    X, u = rng.normal(size=(len(entity), columns)), rng.normal(size=len(entity))
    return {
        "X": X,
        "residuals": u,
        "lat": lat[entity],
        "lon": lon[entity],
        "time": time + 2012,
        "entity": entity,
    }


def brute_force(X, residuals, lat, lon, time, entity, cutoff_km, lags):
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    near = (distance <= cutoff_km) * (1 - distance / cutoff_km)
    gap = np.abs(time[:, None] - time)
    serial = (entity[:, None] == entity) & (gap > 0) & (gap <= lags)
    weight = near * (gap == 0) + serial * (1 - gap / (lags + 1))
    scores, bread = X * residuals[:, None], np.linalg.inv(X.T @ X)
    return bread @ scores.T @ weight @ scores @ bread


def same(found, expected, tolerance=ROUNDING):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("cutoff_km", [1.0, 150.0, 2_000.0, 30_000.0])
@pytest.mark.parametrize("lags", [0, 1, 9])
@pytest.mark.parametrize("block", [7, 2_000])
def test_conley_against_the_sum_over_all_pairs(cutoff_km, lags, block, monkeypatch):
    monkeypatch.setattr("monotowns.estimate.conley.BLOCK", block)
    data = scattered()
    found = conley(**data, cutoff_km=cutoff_km, lags=lags)
    same(found, brute_force(**data, cutoff_km=cutoff_km, lags=lags))


def test_conley_without_neighbours_is_the_heteroskedasticity_robust_one():
    data = scattered()
    rows = len(data["time"])
    data["lat"] = np.linspace(40, 70, rows)
    X, u = data["X"], data["residuals"]
    bread = np.linalg.inv(X.T @ X)
    hc0 = bread @ (X.T * u**2) @ X @ bread
    same(conley(**data, cutoff_km=1e-6), hc0)
    same(conley(**data, cutoff_km=1e-6, small_sample=7), hc0 * (rows - 1) / (rows - 7))


@pytest.mark.parametrize("lags", [0, 2])
def test_conley_against_diff_diff(lags):
    data = scattered()
    peer = compute_robust_vcov(
        data["X"],
        data["residuals"],
        vcov_type="conley",
        conley_kernel="bartlett",
        conley_coords=np.c_[data["lat"], data["lon"]],
        conley_cutoff_km=400.0,
        conley_time=data["time"],
        conley_unit=data["entity"],
        conley_lag_cutoff=lags,
    )
    # diff-diff's Earth has a radius of 6371.01 km, ours the IUGG mean of 6371.0088 km.
    found = conley(**data, cutoff_km=400.0 * EARTH_KM / 6371.01, lags=lags)
    same(found, peer)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 500), turn=st.floats(0, 360), scale=st.floats(0.01, 100))
def test_conley_invariances(seed, turn, scale):
    data = scattered(seed, places=20, periods=4)
    first = conley(**data, cutoff_km=500.0, lags=2)
    turned = data | {"lon": (data["lon"] + turn + 180) % 360 - 180}
    same(conley(**turned, cutoff_km=500.0, lags=2), first, 1e-7)
    order = np.random.default_rng(seed).permutation(len(data["time"]))
    moved = {k: v[order] for k, v in data.items()} | {"entity": -data["entity"][order]}
    moved["residuals"] = scale * moved["residuals"]
    same(conley(**moved, cutoff_km=500.0, lags=2), scale**2 * first)


def test_a_period_without_rows_keeps_its_place():
    X, u, time = np.ones((3, 1)), np.array([1.0, 2.0, 4.0]), [2012, 2013, 2015]
    # Lags 1 (weight 2/3) pairs 1 and 2; lag 2 (weight 1/3) pairs 2 and 4.
    expected = (1 + 4 + 16 + 2 * (2 / 3 * 2 + 1 / 3 * 8)) / 9
    found = conley(X, u, [0] * 3, [0] * 3, time, 1.0, lags=2, entity=[5] * 3)
    assert found[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lat": [91.0, 0, 0]}, "out of range\n  at: 0"),
        ({"lon": [0.0, -181, 0]}, "out of range\n  at: 1"),
        ({"lon": [0.0, 0, np.nan]}, "lon is not finite\n  at: 2"),
        ({"residuals": [0.0, np.inf, 1]}, "residuals is not finite\n  at: 1"),
        ({"time": [1, 2]}, "different length"),
        ({"X": np.zeros((3, 1))}, "collinear or zero"),
        ({"lags": 1, "entity": [1, 1, 2], "time": [3, 3, 3]}, "stands twice in a period\n  at: 0"),
    ],
)
def test_what_conley_refuses(change, words):
    good = {
        "X": np.arange(1.0, 4)[:, None],
        "residuals": [1.0, 2, 3],
        "lat": [0, 1, 2],
        "lon": [0, 1, 2],
        "time": [1, 1, 1],
        "cutoff_km": 10.0,
    }
    with pytest.raises(DesignError, match=words):
        conley(**good | change)


@pytest.mark.montecarlo
def test_size_and_coverage_with_errors_that_neighbours_share():
    # Errors and regressor are averages of noise within 30 km, so pairs up to 60 km are correlated;
    # the cutoff is wider because the weights fall with distance.
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(50, 60, 1500), rng.uniform(30, 80, 1500)
    near = great_circle_km(lat[:, None], lon[:, None], lat, lon) <= 30.0
    root = sparse.csr_array(near / np.sqrt(near.sum(axis=1, keepdims=True)))
    rejected, classical, year = 0, 0, np.zeros(1500)
    for _ in range(1000):
        x, error = (root @ rng.normal(size=(1500, 2))).T
        X = np.c_[np.ones(1500), x]
        beta = np.linalg.lstsq(X, 0.5 * x + error, rcond=None)[0]
        u = 0.5 * x + error - X @ beta
        critical = stats.norm.ppf(0.975)
        se = np.sqrt(conley(X, u, lat, lon, year, 200.0)[1, 1])
        rejected += abs(beta[1] - 0.5) > critical * se
        hc0 = np.sqrt(conley(X, u, lat, lon, year, 1e-6)[1, 1])
        classical += abs(beta[1] - 0.5) > critical * hc0
    # Size of the 5 per cent test, which is one less the coverage of the 95 per cent interval.
    assert 0.03 <= rejected / 1000 <= 0.07
    assert classical / 1000 > 0.10  # without the spatial terms the test fails on these data
