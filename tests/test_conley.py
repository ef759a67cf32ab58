import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.conley import conley, driscoll_kraay
from monotowns.measures.agglomeration import EARTH_KM, great_circle_km
from monotowns.run.errors import DesignError

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


def brute_force(X, residuals, lat, lon, time, entity, cutoff_km, kernel, lags):
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    shape = 1.0 if kernel == "uniform" else 1 - distance / cutoff_km
    weight = (distance <= cutoff_km) * shape * (time[:, None] == time)
    gap = np.abs(time[:, None] - time)
    serial = (entity[:, None] == entity) & (gap > 0) & (gap <= lags)
    weight = weight + serial * (1 - gap / (lags + 1))
    scores, bread = X * residuals[:, None], np.linalg.inv(X.T @ X)
    return bread @ scores.T @ weight @ scores @ bread


def same(found, expected, tolerance=ROUNDING):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
@pytest.mark.parametrize("cutoff_km", [1.0, 150.0, 2_000.0, 30_000.0])
@pytest.mark.parametrize("lags", [0, 1, 9])
def test_conley_against_the_sum_over_all_pairs(kernel, cutoff_km, lags):
    data = scattered()
    found = conley(**data, cutoff_km=cutoff_km, kernel=kernel, lags=lags)
    same(found, brute_force(**data, cutoff_km=cutoff_km, kernel=kernel, lags=lags))


def test_conley_of_one_cross_section_in_blocks(monkeypatch):
    data = scattered(places=500, periods=1)
    section = {k: v for k, v in data.items() if k not in ("time", "entity")}
    expected = brute_force(**data, cutoff_km=300, kernel="bartlett", lags=0)
    same(conley(**section, cutoff_km=300, kernel="bartlett"), expected)
    monkeypatch.setattr("monotowns.estimate.conley.BLOCK", 37)
    same(conley(**section, cutoff_km=300, kernel="bartlett"), expected)


def test_conley_limits():
    data = scattered()
    rows = len(data["time"])
    data["lat"] = np.linspace(40, 70, rows)
    X, u = data["X"], data["residuals"]
    bread = np.linalg.inv(X.T @ X)
    hc0 = bread @ (X.T * u**2) @ X @ bread
    same(conley(**data, cutoff_km=1e-6), hc0)
    same(conley(**data, cutoff_km=1e-6, small_sample=7), hc0 * (rows - 1) / (rows - 7))
    # All pairs count: the scores of a fit sum to zero.
    u = u - X @ bread @ X.T @ u
    whole = conley(X, u, data["lat"], data["lon"], cutoff_km=20_100.0)
    assert np.abs(whole).max() < 1e-12 * np.abs(hc0).max()


@pytest.mark.parametrize("lags", [0, 2])
def test_conley_against_diff_diff(lags):
    from diff_diff.linalg import compute_robust_vcov

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
    found = conley(**data, cutoff_km=400.0 * EARTH_KM / 6371.01, kernel="bartlett", lags=lags)
    same(found, peer)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 500), turn=st.floats(0, 360), scale=st.floats(0.01, 100))
def test_conley_invariances(seed, turn, scale):
    data = scattered(seed, places=20, periods=4)
    first = conley(**data, cutoff_km=500.0, kernel="bartlett", lags=2)
    turned = data | {"lon": (data["lon"] + turn + 180) % 360 - 180}
    same(conley(**turned, cutoff_km=500.0, kernel="bartlett", lags=2), first, 1e-7)
    order = np.random.default_rng(seed).permutation(len(data["time"]))
    moved = {k: v[order] for k, v in data.items()} | {"entity": -data["entity"][order]}
    moved["residuals"] = scale * moved["residuals"]
    same(conley(**moved, cutoff_km=500.0, kernel="bartlett", lags=2), scale**2 * first)


@pytest.mark.parametrize("lags", [0, 1, 3])
def test_driscoll_kraay_against_linearmodels_and_pyfixest(lags):
    import pandas as pd
    import pyfixest
    from linearmodels.panel import PanelOLS
    from monotowns.estimate.absorb import demean

    data = scattered(periods=9)
    frame = pd.DataFrame({k: data[k] for k in ("entity", "time")})
    frame["y"], frame["a"], frame["b"] = data["residuals"], *data["X"].T
    panel = frame.set_index(["entity", "time"])
    peer = PanelOLS(panel["y"], panel[["a", "b"]], entity_effects=True).fit(
        cov_type="kernel", kernel="bartlett", bandwidth=lags
    )
    clean = demean(frame[["y", "a", "b"]], [frame["entity"]])
    X = clean[:, 1:]
    u = clean[:, 0] - X @ np.linalg.lstsq(X, clean[:, 0], rcond=None)[0]
    found = driscoll_kraay(X, u, frame["time"], lags)
    rows, entities = len(frame), 40
    # linearmodels multiplies by n / (n - k), all effects counted.
    same(found * rows / (rows - entities - 2), peer.cov.to_numpy(), 1e-8)
    with_ssc = driscoll_kraay(X, u, frame["time"], lags, small_sample=2 + entities)
    if lags:  # pyfixest takes zero lags for its rule of thumb
        options = {"time_id": "time", "panel_id": "entity", "lag": lags}
        fit = pyfixest.feols("y ~ a + b | entity", frame, vcov="DK", vcov_kwargs=options)
        same(with_ssc, fit._vcov, 1e-8)


def test_a_period_without_rows_keeps_its_place():
    X, u, time = np.ones((3, 1)), np.array([1.0, 2.0, 4.0]), [2012, 2013, 2015]
    # Lags 1 (weight 2/3) pairs 1 and 2; lag 2 (weight 1/3) pairs 2 and 4.
    expected = (1 + 4 + 16 + 2 * (2 / 3 * 2 + 1 / 3 * 8)) / 9
    assert driscoll_kraay(X, u, time, 2)[0, 0] == pytest.approx(expected)
    alone = conley(X, u, [0] * 3, [0] * 3, time, 1.0, lags=2, entity=[5] * 3)
    assert alone[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lat": [91.0, 0, 0]}, "out of range\n  at: 0"),
        ({"lon": [0.0, -181, 0]}, "out of range\n  at: 1"),
        ({"lon": [0.0, 0, np.nan]}, "lon is not finite\n  at: 2"),
        ({"residuals": [0.0, np.inf, 1]}, "residuals is not finite\n  at: 1"),
        ({"time": [1, 2]}, "different length"),
        ({"X": np.zeros((3, 1))}, "collinear or zero"),
        ({"kernel": "parzen"}, "unknown kernel"),
        ({"cutoff_km": 0}, "not a positive distance"),
        ({"lags": 1}, "needs time and entity"),
        ({"lags": 1, "entity": [1, 1, 2], "time": [3, 3, 3]}, "stands twice in a period\n  at: 1"),
        ({"lags": 1, "entity": [1, 1, 2], "time": [3, 3.5, 3]}, "not whole\n  at: 1"),
        ({"small_sample": 3}, "no degrees of freedom"),
    ],
)
def test_what_conley_refuses(change, words):
    good = {
        "X": np.arange(1.0, 4)[:, None],
        "residuals": [1.0, 2, 3],
        "lat": [0, 1, 2],
        "lon": [0, 1, 2],
        "cutoff_km": 10.0,
    }
    with pytest.raises(DesignError, match=words):
        conley(**good | change)


def test_what_driscoll_kraay_refuses():
    with pytest.raises(DesignError, match="too few periods"):
        driscoll_kraay(np.ones((3, 1)), [1.0, 2, 3], [1, 2, 3], 3)
    with pytest.raises(DesignError, match="time is not finite"):
        driscoll_kraay(np.ones((3, 1)), [1.0, 2, 3], [1, np.nan, 3])


@pytest.mark.montecarlo
def test_size_and_coverage_with_errors_that_neighbours_share():
    # Errors and regressor are averages of noise within 60 km, so pairs up to 120 km are correlated.
    from scipy import sparse, stats

    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(50, 60, 1500), rng.uniform(30, 80, 1500)
    near = great_circle_km(lat[:, None], lon[:, None], lat, lon) <= 60.0
    root = sparse.csr_array(near / np.sqrt(near.sum(axis=1, keepdims=True)))
    rejected, classical = 0, 0
    for _ in range(1000):
        x, error = (root @ rng.normal(size=(1500, 2))).T
        X = np.c_[np.ones(1500), x]
        beta = np.linalg.lstsq(X, 0.5 * x + error, rcond=None)[0]
        u = 0.5 * x + error - X @ beta
        critical = stats.norm.ppf(0.975)
        se = np.sqrt(conley(X, u, lat, lon, cutoff_km=120.0)[1, 1])
        rejected += abs(beta[1] - 0.5) > critical * se
        hc0 = np.sqrt(conley(X, u, lat, lon, cutoff_km=1e-6)[1, 1])
        classical += abs(beta[1] - 0.5) > critical * hc0
    # Size of the 5 per cent test, which is one less the coverage of the 95 per cent interval.
    assert 0.03 <= rejected / 1000 <= 0.07
    assert classical / 1000 > 0.10  # without the spatial terms the test fails on these data


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
@pytest.mark.parametrize("lags", [0, 2])
def test_cells_sum_the_neighbours_that_a_list_would(kernel, lags, monkeypatch):
    data = scattered(places=400)
    listed = conley(**data, cutoff_km=700.0, kernel=kernel, lags=lags)
    monkeypatch.setattr("monotowns.estimate.conley.LISTED", 10)
    monkeypatch.setattr("monotowns.measures.sphere_sums.LEAF", 8)
    # Distances of the cells err by some centimetres of a place to itself.
    cells = conley(**data, cutoff_km=700.0, kernel=kernel, lags=lags)
    np.testing.assert_allclose(cells, listed, rtol=1e-6, atol=1e-7 * np.abs(listed).max())
