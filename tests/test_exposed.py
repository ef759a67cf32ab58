import numpy as np
import pandas as pd
import pytest
from monotowns.run.errors import DesignError
from monotowns.studies.exposed import changes, exposure_fits


def design(effect=0.5, seed=0, n=400, shocks=40):
    rng = np.random.default_rng(seed)
    share = pd.DataFrame(rng.dirichlet(np.full(shocks, 0.1), n), index=[f"e{i}" for i in range(n)])
    growth = pd.Series(rng.normal(size=shocks), index=share.columns)
    exposure = share @ growth
    units = pd.DataFrame(
        {
            "entity": share.index,
            "region": np.arange(n) % 20,
            "key": share.index,
            "exposure": exposure.to_numpy(),
        }
    )
    units["change"] = effect * units["exposure"] + rng.normal(0, 0.5, n)
    return units, share, growth


def test_changes_by_hand():
    panel = pd.DataFrame(
        {
            "entity": list("aaab"),
            "year": [2018, 2019, 2021, 2019],
            "region": "R",
            "y": [1.0, 3.0, 7.0, 1.0],
        }
    )
    table = changes(panel, "y", (2017, 2019), (2020, 2021))
    assert table[["entity", "change"]].to_numpy().tolist() == [["a", 5.0]]


def test_a_planted_effect_is_found_under_every_variance():
    fits, weights, effective = exposure_fits(*design())
    for fit in fits.values():
        row = fit.terms.iloc[0]
        assert row["ci_low"] < 0.5 < row["ci_high"]
        assert row["estimate"] == pytest.approx(fits["akm"].terms["estimate"].iloc[0])
    assert weights["weight"].sum() == pytest.approx(1)
    total = (weights["weight"] * weights["estimate"]).sum()
    assert total == pytest.approx(fits["akm"].terms["estimate"].iloc[0])
    assert 20 < effective <= 40


def test_units_without_exposure_are_left_out_and_too_few_are_refused():
    units, share, growth = design()
    fits, _, _ = exposure_fits(
        units.assign(exposure=units["exposure"].where(units.index < 300)), share, growth
    )
    assert fits["region"].n_obs == 300
    with pytest.raises(DesignError, match="fewer than three"):
        exposure_fits(units.iloc[:2], share, growth)
