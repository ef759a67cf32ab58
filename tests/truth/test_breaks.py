"""The Nile's flow at Aswan, 1871-1970: the break of 1898 (Cobb 1978)."""

import numpy as np
import pytest
from monotowns.estimate.breaks import structural_breaks


@pytest.fixture(scope="module")
def nile():
    from statsmodels.datasets import nile

    data = nile.load_pandas().data
    return data["volume"].to_numpy(), data["year"].to_numpy(int)


@pytest.mark.parametrize("interval", ["bai", "bootstrap"])
def test_the_nile_breaks_once_after_1898(nile, interval):
    fit = structural_breaks(*nile, interval=interval)
    assert fit.terms["term"].tolist() == ["break 1"]
    assert fit["break 1"]["estimate"] == 1898


def test_interval_and_criteria_as_in_zeileis_and_others(nile):
    # Zeileis, Kleiber, Kraemer and Hornik (2003) and the strucchange manual print these.
    fit = structural_breaks(*nile)
    assert (fit["break 1"]["ci_low"], fit["break 1"]["ci_high"]) == (1895, 1902)
    np.testing.assert_allclose(
        fit.details["ssr"], [2835157, 1597457, 1552924, 1538097, 1507888, 1659994], atol=0.5
    )
    assert np.round(fit.details["bic"][:4]).tolist() == [1318, 1270, 1276, 1285]
    np.testing.assert_allclose(fit.details["regimes"]["level"], [1097.75, 849.97], atol=0.005)
