import numpy as np
from monotowns.studies.planted import ENTITIES, YEARS, simulate, validate


def test_the_effect_is_planted_where_the_policy_is():
    with_effect = simulate(0.5, np.random.default_rng(1))
    without = simulate(0.0, np.random.default_rng(1))
    np.testing.assert_allclose(with_effect["y"] - without["y"], 0.5 * with_effect["treated"])
    assert len(with_effect) == ENTITIES * len(YEARS)
    assert set(with_effect["cohort"]) == {0, 2016, 2018}


def test_every_estimator_finds_it():
    table = validate(0.5, 40, 1).set_index("estimator")
    assert ((table["mean"] - 0.5).abs() < 0.08).all()
    # 95 less four standard errors of 40 draws.
    assert (table["coverage"] >= 81).all()
    # Over 200 panels it is above 60; four standard errors of 40 draws are 31.
    assert (table["power"] > 30).all()
