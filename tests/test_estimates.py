import numpy as np
import pytest
from monotowns.estimate.record import Fit, to_records, wald_terms
from scipy import stats


@pytest.mark.parametrize("df", [1, 4, 81, np.inf])
@pytest.mark.parametrize("level", [0.90, 0.95])
def test_intervals_and_p_values_are_students(df, level):
    table = wald_terms(["a", "b"], [0.3, -4.0], [0.2, 0.5], df=df, level=level)
    t = stats.t(df) if np.isfinite(df) else stats.norm
    np.testing.assert_allclose(table["p_value"], 2 * t.sf([1.5, 8.0]), rtol=1e-10)
    np.testing.assert_allclose(
        table["ci_high"] - table["estimate"], t.ppf(0.5 + level / 2) * np.array([0.2, 0.5])
    )


def test_a_record_has_its_place_and_a_term_is_found_by_name():
    fit = Fit(wald_terms(["x"], [1.0], [0.5]), "ols", "CRV1", 10, 5, 2)
    record = to_records(
        fit,
        specification="s",
        question="gap",
        group="headline",
        outcome="y",
        sample="all",
        weights="none",
        seed=7,
    ).iloc[0]
    assert record[["specification", "term", "n_obs", "seed"]].tolist() == ["s", "x", 10, 7]
    assert fit["x"]["estimate"] == 1.0
    with pytest.raises(KeyError, match="no single term"):
        fit["z"]
