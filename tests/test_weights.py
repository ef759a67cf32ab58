import numpy as np
import pytest
from monotowns.estimate import spatial_weights as weights
from monotowns.measures.agglomeration import EARTH_KM, great_circle_km
from monotowns.run.errors import DesignError


def places(n=150, seed=3):
    """Scattered over the north of Eurasia and beyond the 180th meridian."""
    rng = np.random.default_rng(seed)
    lon = rng.uniform(20, 195, n)
    return rng.uniform(41, 80, n), np.where(lon > 180, lon - 360, lon)


def libpysal_matrix(w):
    matrix = w.sparse.toarray()
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("k", [1, 5, 12])
def test_nearest_neighbours_against_libpysal(k):
    from libpysal.weights import KNN

    lat, lon = places()
    other = KNN(np.c_[lon, lat], k=k, distance_metric="arc", radius=EARTH_KM)
    assert weights.knn(lat, lon, k).toarray() == pytest.approx(libpysal_matrix(other), abs=1e-12)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("decay", "power"), [("inverse", -1.0), ("inverse_square", -2.0)])
def test_distance_band_against_libpysal(decay, power):
    from libpysal.weights import DistanceBand

    lat, lon = places()
    cutoff = 1500.0
    assert len(weights.islands(lat, lon, cutoff)) == 0
    other = DistanceBand(
        np.c_[lon, lat], cutoff, alpha=power, binary=False, distance_metric="arc", radius=EARTH_KM
    )
    found = weights.distance_band(lat, lon, cutoff, decay, min_distance_km=0.0)
    assert found.toarray() == pytest.approx(libpysal_matrix(other), abs=1e-10)


@pytest.mark.parametrize(
    ("decay", "power"), [("uniform", 0), ("inverse", 1), ("inverse_square", 2)]
)
def test_distance_band_against_all_pairs(decay, power):
    lat, lon = places()
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    np.fill_diagonal(distance, np.inf)
    weight = np.where(distance <= 1500, np.maximum(distance, 300) ** -float(power), 0)
    expected = weight / weight.sum(axis=1, keepdims=True)
    found = weights.distance_band(lat, lon, 1500, decay, min_distance_km=300)
    assert found.toarray() == pytest.approx(expected, abs=1e-12)
    assert found.has_sorted_indices


def test_places_that_share_a_point_are_neighbours_and_never_their_own():
    lat, lon = np.full(4, 55.0), np.array([37.0, 37.0, 37.0, 38.0])
    for W in (
        weights.knn(lat, lon, 1),
        weights.knn(lat, lon, 2),
        weights.distance_band(lat, lon, 100, "inverse"),
    ):
        dense = W.toarray()
        assert (np.diag(dense) == 0).all()
        assert dense.sum(axis=1) == pytest.approx(1)
    assert (weights.knn(lat, lon, 2).toarray()[:3, :3] > 0).sum() == 6
    # 10 km to those at the same point, 63.8 km to the other.
    assert dense[0] == pytest.approx(np.array([0, 6.378, 6.378, 1]) / 13.756, abs=1e-4)


def test_a_place_at_the_cutoff_is_a_neighbour():
    lat, lon = np.zeros(3), np.array([0.0, 1.0, 2.0])
    degree = EARTH_KM * np.pi / 180
    assert weights.distance_band(lat, lon, degree).toarray()[0].tolist() == [0, 1, 0]


def test_the_cutoff_may_span_the_earth():
    lat, lon = np.array([0.0, 0.0, 90.0]), np.array([0.0, 180.0, 0.0])
    assert (weights.distance_band(lat, lon, 30_000).toarray() > 0).sum() == 6


def test_islands_are_refused_by_name_and_can_be_left_out():
    lat, lon = np.r_[places()[0], -60.0], np.r_[places()[1], 0.0]
    with pytest.raises(DesignError, match="without a neighbour within 1500 km") as refusal:
        weights.distance_band(lat, lon, 1500)
    assert refusal.value.keys == [150] == weights.islands(lat, lon, 1500).tolist()
    weights.distance_band(lat[:-1], lon[:-1], 1500)


@pytest.mark.parametrize(
    "build", [lambda a, b: weights.knn(a, b, 2), weights.islands, weights.distance_band]
)
@pytest.mark.parametrize(
    ("lat", "lon"), [(91, 0), (-91, 0), (0, 181), (0, -181), (np.nan, 0), (0, np.nan)]
)
def test_coordinates_out_of_range_are_refused_by_position(build, lat, lon):
    arguments = ([10, lat, 11, 12], [10, lon, 11, 12])
    with pytest.raises(DesignError, match="out of range") as refusal:
        build(*arguments) if build.__name__ == "<lambda>" else build(*arguments, 500)
    assert refusal.value.keys == [1]


@pytest.mark.parametrize("k", [0, 4])
def test_impossible_numbers_of_neighbours_are_refused(k):
    with pytest.raises(DesignError, match="no such number"):
        weights.knn([10, 11, 12, 13], [0, 1, 2, 3], k)


@pytest.mark.parametrize("decay", sorted(weights.DECAYS))
def test_a_distance_band_does_not_depend_on_the_blocks_it_is_built_in(decay, monkeypatch):
    whole = weights.distance_band(*places(), 1500, decay)
    monkeypatch.setattr(weights, "BLOCK", 17)
    blocks = weights.distance_band(*places(), 1500, decay)
    np.testing.assert_array_equal(blocks.indptr, whole.indptr)
    np.testing.assert_array_equal(blocks.indices, whole.indices)
    np.testing.assert_allclose(blocks.data, whole.data, rtol=1e-12)
