import numpy as np
import pandas as pd
import pytest
from monotowns.measures.balance import balance_panel, entropy_weights
from monotowns.run.errors import DesignError


def test_two_controls_by_hand():
    # Means 0 and 1 with target 1/4: the only weights that give it are 3/4 and 1/4 (mean one).
    np.testing.assert_allclose(entropy_weights([[0.0], [1.0]], [0.25]), [1.5, 0.5], atol=1e-7)


def test_against_a_general_optimiser():
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(40, 2)), np.array([0.3, -0.2])
    peer = minimize(
        lambda w: w @ np.log(w),
        np.full(40, 1 / 40),
        method="SLSQP",
        bounds=[(1e-9, 1)] * 40,
        constraints=[
            {"type": "eq", "fun": lambda w: w @ x - target},
            {"type": "eq", "fun": lambda w: w.sum() - 1},
        ],
        options={"maxiter": 500},
    )
    np.testing.assert_allclose(entropy_weights(x, target) / 40, peer.x, atol=2e-4)


def test_units_do_not_matter_and_a_target_beyond_reach_is_refused():
    x = np.random.default_rng(1).normal(size=(30, 2))
    weight = entropy_weights(x, [0.2, 0.1])
    scaled = entropy_weights(x * [1000, 1] + [5, 0], [205, 0.1])
    np.testing.assert_allclose(weight, scaled, rtol=1e-5)
    with pytest.raises(DesignError, match="no weights"):
        entropy_weights(x, [50.0, 0.0])


def test_a_panel_is_balanced_in_every_year_and_moment():
    rng = np.random.default_rng(2)
    entities = pd.DataFrame({"entity": range(200), "d": (np.arange(200) < 30).astype(float)})
    panel = entities.merge(pd.DataFrame({"year": [2012, 2013, 2014]}), how="cross")
    panel["y"] = rng.normal(size=len(panel)) + 0.4 * panel["d"]
    panel.loc[0, "y"] = np.nan
    weights, table = balance_panel(panel, "d", ["y"], [2012, 2013])
    np.testing.assert_allclose(table["treated"], table["controls_weighted"], atol=1e-6)
    assert len(table) == 2
    assert 0 not in set(weights["entity"])
    inside = weights["entity"] < 30
    assert weights.loc[inside, "balance_weight"].eq(1).all()
    assert weights.loc[~inside, "balance_weight"].sum() == pytest.approx(inside.sum())
