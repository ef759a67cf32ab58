"""Phillips and Sul (2009): incomes of 152 countries, 1970-2003, filtered; first third trimmed."""

import numpy as np
import pytest
from monotowns.estimate.clubs import club_fits, find_clubs, log_t, merge_clubs

TRIM = 1 / 3
#: The published slope has four decimals; the rest of the output is exact.
PUBLISHED = 5e-5

convergence_clubs = pytest.importorskip("convergence_clubs")


@pytest.fixture(scope="module")
def income():
    return convergence_clubs.load_filtered_gdp()


def test_all_countries_do_not_converge(income):
    fit = log_t(income.to_numpy(), TRIM)
    assert fit["log t"]["estimate"] == pytest.approx(-0.8748, abs=PUBLISHED)
    assert fit.details["t"] == pytest.approx([-159.56], abs=5e-3)


def test_sizes_of_the_clubs_and_of_the_merged_clubs(income):
    paths = income.to_numpy()
    club = find_clubs(paths, TRIM)
    assert np.bincount(club).tolist() == [0, 50, 30, 21, 24, 14, 11, 2]
    merged = merge_clubs(paths, club, TRIM)
    assert np.bincount(merged).tolist() == [0, 50, 30, 21, 38, 11, 2]


@pytest.mark.parametrize("trim", [TRIM, 0.3, 0.2])
def test_every_member_and_every_t_as_in_the_package(income, trim):
    paths = income.to_numpy()
    peer = convergence_clubs.find_clubs(income, time_trim=trim)
    club = find_clubs(paths, trim)
    for number, other in enumerate(peer.clubs, start=1):
        assert set(np.flatnonzero(club == number)) == set(other.ids)
    assert set(np.flatnonzero(club == 0)) == set(peer.divergent_ids)
    ours = club_fits(paths, club, trim)
    t = [other.model.t_value for other in peer.clubs]
    np.testing.assert_allclose(ours.details["t"], t, rtol=1e-6)
    slopes = [other.model.beta for other in peer.clubs]
    np.testing.assert_allclose(ours.terms["estimate"], slopes, rtol=1e-8)
