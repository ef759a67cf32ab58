import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.estimate.absorb import codes, demean, residual_degrees, root_weights
from monotowns.run.errors import DesignError

#: Both sides solve the same projection; what differs is rounding.
ROUNDING = 1e-10


def by_dummies(values, ids):
    dummies = np.hstack([(codes(i)[0][:, None] == np.arange(codes(i)[0].max() + 1)) for i in ids])
    fitted = dummies @ np.linalg.lstsq(dummies.astype(float), values, rcond=None)[0]
    return values - fitted


def unbalanced(seed, rows=300):
    rng = np.random.default_rng(seed)
    ids = [rng.integers(0, levels, rows) for levels in (60, 9, 5)]
    return rng.normal(size=(rows, 2)) + 100.0, ids


def test_weighted_demeaning_is_the_weighted_regression():
    values, ids = unbalanced(7)
    root = np.random.default_rng(7).uniform(0.5, 2, len(values))[:, None]
    dummies = np.hstack([i[:, None] == np.arange(60) for i in ids])
    slopes = np.linalg.lstsq(root * dummies, root * values, rcond=None)[0]
    found = demean(values, ids, root=root[:, 0])
    np.testing.assert_allclose(found, root * (values - dummies @ slopes), atol=ROUNDING)


@pytest.mark.parametrize("effects", [1, 2, 3])
def test_demeaning_is_the_residual_of_a_regression_on_dummies(effects):
    values, ids = unbalanced(effects)
    found = demean(values, ids[:effects])
    np.testing.assert_allclose(found, by_dummies(values, ids[:effects]), atol=ROUNDING)
    alone = demean(values[:, 0], ids[:effects])
    assert alone.shape == (len(values),)
    np.testing.assert_allclose(found[:, 0], alone, atol=ROUNDING)


def test_nested_and_absorbed_columns_leave_nothing():
    _, ids = unbalanced(4)
    column = np.cos(ids[0]) * 1e6 + ids[1]
    assert np.abs(demean(column, [ids[0], ids[1], ids[0] // 4])).max() < 1e-7  # of a million


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-1e3, 1e3), scale=st.floats(0.1, 10))
def test_demeaning_commutes_with_order_labels_units_and_effects(seed, shift, scale):
    values, ids = unbalanced(seed)
    found = demean(values, ids)
    order = np.random.default_rng(seed).permutation(len(values))
    moved = demean(values[order], [100 - i[order] for i in ids])
    np.testing.assert_allclose(moved, found[order], atol=ROUNDING)
    other = demean(scale * values + shift * np.sqrt(ids[0])[:, None], ids)
    np.testing.assert_allclose(other, scale * found, atol=100 * ROUNDING)


def test_a_chain_of_effects_converges_or_is_refused():
    """Level k of one effect meets only levels k and k + 1 of the other."""

    def chain(levels):
        one, step = np.repeat(np.arange(levels), 2), np.arange(2 * levels)
        return [one, step // 2 + step % 2]

    values = np.random.default_rng(0).normal(size=60)
    np.testing.assert_allclose(demean(values, chain(30)), by_dummies(values, chain(30)), atol=1e-9)
    with pytest.raises(DesignError, match="barely connected"):
        demean(np.random.default_rng(0).normal(size=1000), chain(500))


def test_parameters_of_effects_are_counted_as_fixest_does():
    entity, year = np.repeat(np.arange(12), 5), np.tile(np.arange(5), 12)
    region = entity // 3
    assert residual_degrees([]) == 0
    assert residual_degrees([entity, year]) == 12 + 5 - 1
    assert residual_degrees([entity, year], entity) == 1 + 5 - 1
    assert residual_degrees([entity, 10 * region + year], region) == 1
    assert residual_degrees([year], region) == 5


def test_bad_values_and_ids_are_refused_by_row():
    with pytest.raises(DesignError, match="at: 1"):
        demean([1.0, np.nan, 2.0], [[0, 0, 1]])
    with pytest.raises(DesignError, match="at: 2"):
        demean([1.0, 1.0, 2.0], [["a", "b", None]])
    with pytest.raises(DesignError, match="different length"):
        demean([1.0, 1.0, 2.0], [[0, 1]])
    with pytest.raises(DesignError, match="weights are not positive\n  at: 2"):
        root_weights(pd.DataFrame({"w": [1.0, 4.0, 0.0]}), "w")
    np.testing.assert_array_equal(root_weights(pd.DataFrame({"w": [1.0, 4.0]}), "w"), [1, 2])
