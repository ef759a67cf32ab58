import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.imputation import imputation
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.run.errors import DesignError


def panel(seed=0, entities=60, effect=0.0, missing=0.1):
    rng = np.random.default_rng(seed)
    frame = pd.MultiIndex.from_product([range(entities), range(2012, 2022)]).to_frame(
        index=False, name=["entity", "year"]
    )
    adopted = rng.choice([0, 0, 2016, 2018, 2020], entities)
    frame["cohort"] = adopted[frame["entity"]]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(size=entities)[frame["entity"]] + effect * on
    frame["y"] += 0.1 * rng.normal(size=len(frame))
    # Years before the first cohort stay, so that every entity is seen untreated.
    gone = (rng.random(len(frame)) < missing) & (frame["year"] > 2014)
    return frame[~gone].sample(frac=1, random_state=seed)


def adopted(frame):
    return frame.drop_duplicates("entity").sort_values("entity")["cohort"].to_numpy()


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_estimate_of_imputation_on_unbalanced_panels(seed):
    frame = panel(seed, effect=0.3)
    statistic = imputation_statistic(frame["y"], frame["entity"], frame["year"])
    expected = imputation(frame, "y", "cohort")["att"]["estimate"]
    assert statistic(adopted(frame)) == pytest.approx(expected, abs=1e-10)


def test_a_planted_effect_is_rejected_and_none_is_not():
    for effect, rejected in ((0.3, True), (0.0, False)):
        frame = panel(1, effect=effect)
        statistic = imputation_statistic(frame["y"], frame["entity"], frame["year"])
        p_value = randomization_test(statistic, adopted(frame), draws=199, seed=1).p_value
        assert (p_value <= 0.01) == rejected


def test_what_cannot_be_imputed_does_not_count():
    # Entity 1 is treated throughout; only entity 2 has an effect that can be told: 3 - 1 = 2.
    y, entity, year = [1.0, 2.0, 9.0, 9.0, 1.0, 4.0], [0, 0, 1, 1, 2, 2], [1, 2] * 3
    statistic = imputation_statistic(y, entity, year)
    assert statistic([0, 1, 2]) == pytest.approx(2.0)
    assert np.isnan(statistic([0, 0, 0]))
    with pytest.raises(DesignError, match="one adoption year"):
        statistic([0, 1])
