import numpy as np
import pytest
from libpysal.weights import KNN, DistanceBand
from monotowns.estimate.spatial_weights import neighbours
from monotowns.measures.agglomeration import EARTH_KM, great_circle_km
from monotowns.run.errors import DesignError


def places(n=150, seed=3):
    """Scattered over the north of Eurasia and beyond the 180th meridian."""
    rng = np.random.default_rng(seed)
    lon = rng.uniform(20, 195, n)
    return rng.uniform(41, 80, n), np.where(lon > 180, lon - 360, lon)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "size", "peer", "options"),
    [
        ("nearest", 1, KNN, {"k": 1}),
        ("nearest", 12, KNN, {"k": 12}),
        ("inverse", 1500.0, DistanceBand, {"threshold": 1500.0, "binary": False}),
    ],
)
def test_weights_against_libpysal_on_arcs(kind, size, peer, options):
    lat, lon = places()
    other = peer(np.c_[lon, lat], distance_metric="arc", radius=EARTH_KM, **options)
    other.transform = "r"
    found = neighbours(lat, lon, kind, size)
    assert found.toarray() == pytest.approx(other.sparse.toarray(), abs=1e-10)


@pytest.mark.parametrize(("kind", "power"), [("band", 0.0), ("inverse", 1.0)])
def test_bands_against_all_pairs(kind, power):
    lat, lon = places()
    # Two pairs closer than the floor, one of them at the same point.
    lat[1:4], lon[1:4] = [lat[0], lat[4], lat[0]], [lon[0], lon[4] + 0.1, lon[0]]
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    np.fill_diagonal(distance, np.inf)
    weight = np.where(distance <= 1500, np.maximum(distance, 10.0) ** -power, 0)
    expected = weight / weight.sum(axis=1, keepdims=True)
    assert neighbours(lat, lon, kind, 1500).toarray() == pytest.approx(expected, abs=1e-12)


def test_places_that_share_a_point_are_neighbours_and_never_their_own():
    lat, lon = np.full(4, 55.0), np.array([37.0, 37.0, 37.0, 38.0])
    for kind, size in (("nearest", 1), ("nearest", 2), ("inverse", 100)):
        W = neighbours(lat, lon, kind, size).toarray()
        assert (np.diag(W) == 0).all()
        assert W.sum(axis=1) == pytest.approx(1)
        assert (W[:3, :3] > 0).sum() == 3 * (1 if size == 1 else 2)
    # 10 km to those at the same point, 63.8 km to the other.
    assert W[0] == pytest.approx(np.array([0, 6.378, 6.378, 1]) / 13.756, abs=1e-4)


def test_a_place_at_the_cutoff_is_a_neighbour_and_the_cutoff_may_span_the_earth():
    degree = EARTH_KM * np.pi / 180
    assert neighbours([0, 0, 0], [0, 1, 2], "band", degree).toarray()[0].tolist() == [0, 1, 0]
    assert neighbours([0.0, 0, 90], [0.0, 180, 0], "band", 30_000).nnz == 6


def test_a_place_without_a_neighbour_has_an_empty_row():
    lat, lon = np.r_[places()[0], -60.0], np.r_[places()[1], 0.0]
    W = neighbours(lat, lon, "band", 1500)
    assert np.flatnonzero(W.sum(axis=1) == 0).tolist() == [150]
    assert W[:, [150]].nnz == 0


@pytest.mark.parametrize(
    ("lat", "lon"), [(91, 0), (-91, 0), (0, 181), (0, -181), (np.nan, 0), (0, np.nan)]
)
def test_coordinates_out_of_range_are_refused_by_position(lat, lon):
    with pytest.raises(DesignError, match="out of range") as refusal:
        neighbours([10, lat, 11, 12], [10, lon, 11, 12], "nearest", 2)
    assert refusal.value.keys == [1]


@pytest.mark.parametrize("k", [0, 4])
def test_impossible_numbers_of_neighbours_are_refused(k):
    with pytest.raises(DesignError, match="no such number"):
        neighbours([10, 11, 12, 13], [0, 1, 2, 3], "nearest", k)
