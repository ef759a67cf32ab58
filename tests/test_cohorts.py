from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError
from monotowns.studies import cohorts
from panels import grid

RULE = {"path": [2012, 2015], "level": 2013, "pass": 0.05}


def panel(effects=None, entities=90, treated=12, seed=2, dip=0.0):
    """Three cohorts of few towns with effects of their own; that of 2016 may fall before."""
    effects = effects or {2016: 0.3, 2017: 0.0, 2019: -0.2}
    rng = np.random.default_rng(seed)
    frame = grid(entities, range(2012, 2022))
    who, year = frame["entity"].to_numpy(), frame["year"].to_numpy()
    first = np.zeros(entities, int)
    for i, g in enumerate(effects):
        first[i * treated : (i + 1) * treated] = g
    frame["cohort"], frame["category"] = first[who], 1 + who % 2
    on = (first[who] > 0) & (year >= first[who])
    y = rng.normal(size=entities)[who] + rng.normal(0, 0.05, 10)[year - 2012]
    y += np.array([effects.get(g, 0.0) for g in first[who]]) * on
    y -= dip * ((first[who] == 2016) & np.isin(year, [2014, 2015]))
    return frame.assign(y=y + 0.1 * rng.normal(size=len(frame)))


def estimated(frame, **options):
    return cohorts.by_cohort(frame, "y", "cohort", "category", RULE, 99, 1, layer="x", **options)


def test_effects_planted_on_cohorts_are_recovered_by_every_method():
    found = estimated(panel(), placebos=19)
    assert (found.passing, found.apart) == ([2016, 2017, 2019], [])
    for method in cohorts.METHODS:
        for g, effect in {2016: 0.3, 2017: 0.0, 2019: -0.2}.items():
            term = found.fits[method][f"cohort {g}"]
            assert abs(term["estimate"] - effect) < 4 * term["standard_error"]
            assert term["standard_error"] < 0.06
    table = found.table.set_index(["method", "cohort"])
    assert list(found.table) == cohorts.TABLE
    assert table.loc[("imputation", "2016"), "permutation_p"] == pytest.approx(0.01)
    assert table.loc[("synthetic", "2016"), "permutation_p"] == pytest.approx(0.05)
    assert table.loc["plain", "permutation_p"].isna().all()
    assert (table["detectable"] > 2.8 * table["standard_error"]).all()
    assert set(table["controls"]) == {54}


def test_the_mean_of_the_pool_is_that_of_the_passing_cohorts_alone():
    frame = panel(dip=0.3)
    found = estimated(frame)
    assert found.apart == [2016]
    rest = estimated(frame[frame["cohort"] != 2016])
    for method in cohorts.METHODS:
        one, other = (f.fits[method]["pooled"]["estimate"] for f in (found, rest))
        assert one == pytest.approx(other)
    assert estimated(panel(), barred=[2017]).passing == [2016, 2019]


def test_a_cohort_of_one_has_no_row():
    frame = panel()
    alone = frame["entity"].isin(range(1, 12))
    found = estimated(frame[~alone])
    assert found.passing == [2017, 2019] and "2016" not in set(found.table["cohort"])


def test_the_rule_is_a_p_above_the_level():
    assert cohorts.passing({2016: 0.05, 2017: 0.051, 2018: 0.9}, 0.05) == [2017, 2018]


def test_the_slope_of_a_path_by_hand():
    # Events -3 and -2 are 2 and 1 years from the base: (2 * .4 + 1 * .1) / 5 a year, downward.
    names = ["att", "event -3", "event -2", "event 0"]
    terms = wald_terms(names, [0, 0.4, 0.1, 0], np.full(4, 0.1))
    fit = Fit(terms, "x", "x", 40, 20, 20, np.eye(4) / 100)
    path = cohorts.path_before(fit, 0.5)
    assert path.slope == pytest.approx(-0.18)
    assert path.slope_error == pytest.approx(0.1 / 5**0.5)
    # Hotelling: Wald 17 times 18 over 2 by 19 against F(2, 18), whose tail is (1 + F/9)^-9.
    assert path.wald_p == pytest.approx(0.00318, abs=1e-5)
    assert path.fall["term"] == "event -3"


def test_a_path_needs_its_years():
    frame = panel()
    with pytest.raises(DesignError, match=r"not in the rows\n  at: 2011"):
        cohorts.level_of(frame, "y", [2011, 2012])
    hole = frame[(frame["entity"] != 3) | (frame["year"] != 2012)]
    assert 3 not in set(cohorts.level_of(hole, "y", [2012])["entity"])


def test_permutation_on_a_case_that_can_be_counted():
    # One of four is treated; its gap is the largest of the four that could be: p is 1/4, and every
    # draw is one of them.
    frame = grid(4, [2014, 2015, 2016]).assign(category=1)
    frame["cohort"] = 2016 * (frame["entity"] == 0)
    last = frame["year"] == 2016
    frame["y"] = frame["entity"] + last * np.array([3.0, 0.5, 0.0, -0.5])[frame["entity"]]
    test = cohorts.permuted(frame, "y", "cohort", "category", 3999, 0)
    jumps = [3.0, 0.5, 0.0, -0.5]
    exact = {round(p[0] - np.mean(p[1:]), 9) for p in permutations(jumps)}
    assert test.statistic == pytest.approx(3.0)
    assert {round(d, 9) for d in test.draws} == exact
    assert test.p_value == pytest.approx(0.25, abs=0.03)


def test_a_path_by_chance_can_be_counted():
    # One of four fell by 3 before its status, the others hardly moved: one draw in four is as far.
    frame = grid(4, [2013, 2014, 2015, 2016]).assign(category=1)
    frame["cohort"] = 2016 * (frame["entity"] == 0)
    who = frame["entity"].to_numpy()
    frame["y"] = np.array([1.0, 2.0, 4.0, 7.0])[who]
    frame["y"] -= np.array([3.0, 0.1, 0.0, -0.1])[who] * (frame["year"] == 2015)
    frame = frame[frame["year"] != 2014]
    p = cohorts.path_by_chance(frame, "y", "cohort", "category", 2013, 3999, 0)
    assert p == pytest.approx(0.25, abs=0.03)


@pytest.mark.montecarlo
def test_the_test_of_the_path_holds_its_size_with_few_treated():
    rejected = {g: [] for g in (2016, 2019)}
    for seed in range(150):
        frame = panel(seed=seed)
        for g, found in rejected.items():
            rows = cohorts.of_cohorts(frame, "cohort", [g])
            p = cohorts.path_by_chance(rows, "y", "cohort", "category", 2013, 199, seed)
            found.append(p <= 0.05)
    assert all(0.005 < np.mean(found) < 0.1 for found in rejected.values())


@pytest.mark.montecarlo
def test_size_and_power_with_few_treated():
    # Twelve of 90: normal errors reject a little too often, permutations do not.
    rejected = {(e, m): [] for e in (0.0, 0.15) for m in ("path", "imputation", "chance", "test")}
    for effect in (0.0, 0.15):
        for seed in range(60):
            frame = panel({2017: effect}, treated=12, seed=seed)
            found = estimated(frame, methods=("path", "imputation"))
            table = found.table[found.table["cohort"] == "2017"].set_index("method")
            for method in ("path", "imputation"):
                rejected[effect, method].append(table.loc[method, "p_value"] < 0.05)
            chance = table.loc["imputation", "permutation_p"]
            rejected[effect, "chance"].append(chance <= 0.05)
            rejected[effect, "test"].append(not found.passing)
    share = pd.Series({key: np.mean(value) for key, value in rejected.items()})
    assert share[0.0, "imputation"] < 0.17 and share[0.0, "path"] < 0.22
    assert share[0.0, "chance"] < 0.12 and share[0.0, "test"] < 0.12
    assert share[0.15, "path"] > 0.8 and share[0.15, "chance"] > 0.8
