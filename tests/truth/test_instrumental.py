"""Card (1995): returns to schooling by distance to college, as printed in textbooks."""

import pytest
from monotowns.estimate.instrumental import iv

#: The published figures have four decimals.
PUBLISHED = 1e-4


@pytest.fixture(scope="module")
def card():
    from linearmodels.datasets import card

    data = card.load()
    return data.assign(entity=data["id"], schooling=data["educ"])


CONTROLS = [
    "exper",
    "expersq",
    "black",
    "smsa",
    "south",
    "smsa66",
    *(f"reg{region}" for region in range(662, 670)),
]


@pytest.mark.parametrize(
    ("instrument", "estimate", "standard_error"),
    # Least squares is two-stage least squares with the treatment as its own instrument.
    [("schooling", 0.0747, 0.0035), ("nearc4", 0.1315, 0.0550)],
)
def test_returns_to_schooling(card, instrument, estimate, standard_error):
    fit = iv(card, "lwage", "educ", [instrument], CONTROLS, cluster=None)
    assert fit["educ"]["estimate"] == pytest.approx(estimate, abs=PUBLISHED)
    assert fit["educ"]["standard_error"] == pytest.approx(standard_error, abs=PUBLISHED)
    assert fit.n_obs == 3010
