"""Specifications: what a field may be, which rows they get, and what is refused."""

import re
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT
from monotowns.estimate import estimators, sample
from monotowns.estimate.estimators import ESTIMATORS, FIELDS, Estimator
from monotowns.estimate.record import Fit, wald_terms
from monotowns.estimate.specification import (
    declared_schema,
    estimate,
    estimate_or_say_why,
    load_section,
    load_specifications,
)
from monotowns.run.errors import ConfigError, DesignError
from test_regression import simulated

PATH = ROOT / "config/specifications.yaml"
YEARS = {"first": 2012, "last": 2021}
SPEC = {
    "question": "gap",
    "group": "headline",
    "outcome": "y",
    "treatment": "monotown",
    "cluster": "region",
    "sample": "all",
    "estimator": "ols",
    "fixed_effects": ["year"],
    "rows": {},
    "dummies": {},
}


def broken(tmp_path, old, new):
    text = PATH.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "s.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path / "s.yaml"


VALUES = {"base": 2013, "instruments": ["x"], "variances": ["crv3"], "weights": "w"}


@pytest.mark.parametrize(
    ("name", "field"),
    [(n, f) for n, of in ESTIMATORS.items() for f in FIELDS if f not in of.reads],
)
def test_a_field_that_an_estimator_does_not_read_is_refused(name, field):
    spec = {k: VALUES.get(k, ["x"]) for k in (*ESTIMATORS[name].needs, field)}
    spec |= {"estimator": name, "treatment": "t"}
    with pytest.raises(ConfigError, match=rf"{field} is not read by the estimator {name}"):
        estimators.check_fields(spec, "s")
    del spec[field]
    estimators.check_fields(spec, "s")


def test_defaults_go_to_the_estimators_that_read_them():
    specifications = load_specifications(PATH, YEARS)
    assert specifications["agglomeration_within"]["fixed_effects"] == ["entity", "region_year"]
    assert "fixed_effects" not in specifications["toser_imputation"]


def test_a_new_estimator_is_one_function_and_one_line(monkeypatch, tmp_path):
    def median(rows, outcome, treatment, cluster, *, side: Literal["low", "high"] = "low"):
        gap = rows.groupby(treatment)[outcome].median().diff().iloc[-1]
        terms = wald_terms([side], [gap], [1.0])
        return Fit(terms, "median", "none", len(rows), rows["entity"].nunique(), 2)

    monkeypatch.setitem(ESTIMATORS, "median", Estimator(median))
    fields = declared_schema()["properties"]["specifications"]["additionalProperties"]
    assert "median" in fields["properties"]["estimator"]["enum"]
    path = broken(
        tmp_path,
        "  gap_after:",
        "  gap_median: {question: gap, group: exploratory, estimator: median, "
        "treatment: monotown, options: {side: high}}\n  gap_after:",
    )
    spec = load_specifications(path, YEARS)["gap_median"] | {"rows": {}, "outcome": "y"}
    records, _ = estimate(simulated(), "gap_median", spec, draws=99, seed=1)
    assert records["term"].tolist() == ["high"]
    with pytest.raises(ConfigError, match="fixed_effects is not read by the estimator median"):
        estimators.check_fields(spec | {"fixed_effects": ["entity"]}, "s")


def test_an_edit_of_one_specification_changes_no_other():
    specifications = load_specifications(PATH, YEARS)
    assert specifications["gap_main"]["outcome"] == "log_taxable_pc"  # from the defaults
    assert set(specifications["gap_main"]["rows"]) == {"monotown"}


def test_a_curve_comes_with_its_own_samples_and_dummies():
    curve = load_section(PATH, "curves")["gap_curve"]
    assert set(curve["dummies"]) == {"from_2014"}
    assert curve["samples"]["urban_okrugs"]["urban_2013"] == [1]
    assert load_section(PATH, "families")["gap_family"]["specification"] == "gap_after"


ONE = simulated().assign(monotown=lambda f: (f["entity"] == 7) * 1.0)


@pytest.mark.parametrize(
    ("change", "frame", "words"),
    [
        ({"outcome": "absent"}, simulated(), "no such column"),
        ({}, simulated().assign(y=np.nan), "empty"),
        ({}, pd.concat([simulated()] * 2), "twice"),
        ({}, simulated().assign(region="one"), "clusters"),
        ({}, simulated().assign(monotown=0.0), "does not vary"),
        ({}, ONE, r"1 for a single entity\n  at: 7"),
        ({"estimator": "event_study", "base": 2013}, ONE, r"1 for a single entity\n  at: 7"),
        ({"estimator": "event_study", "base": 2030}, simulated(), "base year is not in the sample"),
        (
            {"estimator": "event_study", "base": 2013},
            simulated()[lambda f: (f["monotown"] == 0) | (f["year"] != 2013)],
            r"no row of 2013 with another monotown than 0",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, frame, words):
    with pytest.raises(DesignError, match=words):
        estimate(frame, "s", SPEC | change, draws=99, seed=1)


def test_a_library_s_error_reaches_the_user_as_a_refusal(monkeypatch, capsys):
    def stops(rows, outcome, treatment, cluster):
        raise ValueError("Found array with 0 samples")

    monkeypatch.setitem(ESTIMATORS, "ols", Estimator(stops))
    with pytest.raises(DesignError, match=r"specification s: .*\n  found: ValueError: Found array"):
        estimate(simulated(), "s", SPEC, draws=99, seed=1)
    assert "Traceback" in capsys.readouterr().err  # for whoever mends it


def test_a_refused_specification_says_why_in_its_flow():
    records, flow = estimate_or_say_why(simulated().assign(y=np.nan), "s", SPEC, 99, 1)
    assert records.empty
    assert flow["step"].tolist() == ["panel", "not estimated: the sample is empty; at all"]
    again = estimate_or_say_why(simulated(), "s", SPEC, 99, 1)
    for mine, known in zip(again, estimate(simulated(), "s", SPEC, 99, 1), strict=True):
        pd.testing.assert_frame_equal(mine, known)


def test_the_flow_of_a_sample_ends_at_the_rows_estimated():
    frame = simulated().reset_index(drop=True)
    frame.loc[:4, "y"] = np.nan
    records, flow = estimate(frame, "s", SPEC, draws=99, seed=7)
    whole = len(frame)
    assert flow["rows"].tolist() == [whole, whole, whole - 5, whole - 5]
    assert records.loc[0, ["specification", "n_obs", "seed"]].tolist() == ["s", whole - 5, 7]


def test_columns_that_are_read_are_those_that_are_needed():
    spec = load_specifications(PATH, YEARS)["gap_rings"]
    assert sample.needed(spec) >= {"ring", "monotown", "year", "entity", "urban_2013", "region"}
    assert "from_2014" not in sample.needed(spec)


def test_a_derived_column_by_hand():
    frame = pd.DataFrame({"a": [8.0, 0.0, np.nan], "b": [2.0, 2.0, 2.0]})
    share = sample.derive(frame, "share", {"of": "a", "per": "b"}, "s")
    np.testing.assert_array_equal(share, [4.0, 0.0, np.nan])
    log = sample.derive(frame, "log", {"of": "a", "per": "b", "log": True}, "s")
    np.testing.assert_array_equal(log, [np.log(4.0), np.nan, np.nan])
    with pytest.raises(DesignError, match=r"'log' is made of(.|\n)*at: c"):
        sample.derive(frame, "log", {"of": "a", "per": "c"}, "s")
    spec = SPEC | {"outcome": "log", "derived": {"log": {"of": "w", "per": "x", "log": True}}}
    records, _ = estimate(simulated(), "s", spec, draws=99, seed=1)
    assert records.loc[0, "n_obs"] == (simulated()["x"] > 0).sum()


def test_a_joined_table_adds_its_columns_and_no_row():
    frame = pd.DataFrame(
        {"entity": ["a", "a", "b"], "region": ["r", "r", "q"], "toser": np.nan, "year": [1, 2, 1]}
    )
    table = pd.DataFrame({"region": ["r", "q"], "year": [1, 1], "rate": [5.0, 6.0]})
    joined = sample.prepare(frame, joined=[("rates", table, ["region", "year"])])
    np.testing.assert_array_equal(joined["rate"], [5.0, np.nan, 6.0])
    for wrong, keys, words in (
        (table, ["region", "month"], "no such key column"),
        (pd.concat([table, table]), ["region", "year"], "a key stands twice"),
        (table.assign(entity="a"), ["region", "year"], "has these columns already"),
    ):
        with pytest.raises(DesignError, match=words):
            sample.prepare(frame, joined=[("rates", wrong, keys)])


def test_undated_toser_entities_are_in_no_staggered_sample():
    frame = simulated().assign(toser=lambda f: f["entity"].map({0: 0.0, 1: 2016.0}))
    cohort = sample.prepare(frame).groupby("entity")["toser_cohort"].first()
    assert pd.isna(cohort[0])
    assert cohort[[1, 2]].tolist() == [2016, 0]


def test_conditions_by_hand():
    frame = pd.DataFrame(
        {"year": [2012, 2013, 2014, 2014], "x": [1.0, np.nan, 3.0, 4.0], "k": ["a", "a", "b", None]}
    )
    cases = [
        ({"year": ["last"]}, "0011"),
        ({"x": {"min": 3}}, "0011"),
        ({"x": {"max": 3}}, "1010"),
        ({"k": {"not": ["a"]}}, "0011"),
        ({"k": {"known": False}}, "0001"),
        ({"k": ["a"], "x": {"known": True}}, "1000"),
        ({}, "1111"),
    ]
    for conditions, expected in cases:
        assert "".join(map(str, sample.holds(frame, conditions).astype(int))) == expected
    with pytest.raises(DesignError, match="did you mean 'year'"):
        sample.holds(frame, {"yaer": [2012]})


def test_dummies_and_products():
    frame = simulated()
    spec = SPEC | {"treatment": "monotown:late:x", "dummies": {"late": {"year": {"min": 2018}}}}
    made = sample.with_columns(frame, spec, "s")
    by_hand = frame["monotown"] * (frame["year"] >= 2018) * frame["x"]
    np.testing.assert_array_equal(made["monotown:late:x"], by_hand)


def test_the_reference_lists_what_every_estimator_reads():
    page = (ROOT / "config/reference.md").read_text(encoding="utf-8")
    for name, of in ESTIMATORS.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
        assert all(f"`{field}`" in row for field in [*of.reads, *of.options])


def test_the_committed_file_names_each_question():
    text = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    assert {spec["question"] for spec in text["specifications"].values()} <= set(text["questions"])


def test_outcomes_in_a_list_are_a_specification_each(tmp_path):
    loaded = load_specifications(PATH, YEARS)
    four = {k: v for k, v in loaded.items() if k.startswith("gap_region_after_")}
    assert [v["outcome"] for v in four.values()] == [
        k.removeprefix("gap_region_after_") for k in four
    ]
    assert len(four) == 4
    path = broken(tmp_path, "outcomes: [growth_wage_all", "outcome: y, outcomes: [growth_wage_all")
    with pytest.raises(ConfigError, match="both an outcome and outcomes"):
        load_specifications(path, YEARS)


def test_an_effect_of_combined_levels_is_the_column_of_their_names():
    frame, spec = simulated(), SPEC | {"treatment": "x"}
    for weights in ({}, {"weights": "w"}):
        found = [
            estimate(frame, "s", spec | {"fixed_effects": ["entity", effect]} | weights, 99, 1)[0]
            for effect in ("region_year", "region:year")
        ]
        pd.testing.assert_frame_equal(*found)
    # Where a level is not known, neither is the combination.
    blank = frame.assign(region=frame["region"].where(frame["entity"] != 5))
    *_, rows = sample.draw(blank, SPEC | {"fixed_effects": ["region:year"], "cluster": "w"}, "s")
    assert 5 not in set(rows["entity"]) and len(rows) == (frame["entity"] != 5).sum()


def test_a_column_is_not_absorbed_and_a_regressor_at_once():
    spec = SPEC | {"treatment": "region:year", "fixed_effects": ["region:year"]}
    with pytest.raises(ConfigError, match="both absorbed and a regressor\n  at: region:year"):
        estimators.check_fields(spec, "s")


def test_a_city_is_the_unit_of_its_layer_and_knows_its_place():
    panel = pd.DataFrame({"city": ["1", "2"], "entity": ["9", "9"], "year": 2013, "y": [1.0, 2.0]})
    known = pd.DataFrame(
        {"entity": ["9", "8"], "y": [7.0, 7.0], "monotown": [1.0, 0], "toser": 0.0}
    )
    frame = sample.prepare(panel, places=known)
    assert frame["entity"].tolist() == ["1", "2"] and frame["place"].tolist() == ["9", "9"]
    assert frame["y"].tolist() == [1, 2] and frame["monotown"].tolist() == [1, 1]


def test_a_derived_column_less_a_number():
    frame = pd.DataFrame({"year": [2012, 2015]})
    rule = {"of": "year", "less": 2013}
    assert sample.derive(frame, "since", rule, "s").tolist() == [-1, 2]


def test_held_kinds_keep_the_trend_of_towns_out_of_the_effect_on_monotowns():
    """A planted effect of -.05 where towns lose .2 on villages, over 60 panels."""
    spec = SPEC | {"treatment": "monotown:after", "dummies": {"after": {"year": {"min": 2014}}}}
    effects = {"kind": ["entity", "region:urban:year"], "region": ["entity", "region:year"]}
    found = {name: [] for name in effects}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        index = pd.MultiIndex.from_product(
            [range(200), range(2012, 2018)], names=["entity", "year"]
        )
        frame = index.to_frame(index=False)
        frame["region"] = "r" + (frame["entity"] % 20).astype(str)
        urban = rng.random(200) < 0.4
        monotown = urban & (rng.random(200) < 0.5) | (rng.random(200) < 0.05)
        frame["urban"] = urban[frame["entity"]].astype(float)
        frame["monotown"] = monotown[frame["entity"]].astype(float)
        after = frame["year"] >= 2014
        frame["y"] = rng.normal(0, 0.1, len(frame)) - 0.2 * frame["urban"] * after
        frame["y"] -= 0.05 * frame["monotown"] * after
        for name, absorbed in effects.items():
            records, _ = estimate(frame, "s", spec | {"fixed_effects": absorbed}, 99, 1)
            row = records.iloc[0]
            found[name].append((row["estimate"], row["ci_low"] < -0.05 < row["ci_high"]))
    (kind, inside), (region, wrong) = (np.mean(found[name], axis=0) for name in effects)
    assert kind == pytest.approx(-0.05, abs=0.005) and inside > 0.85
    assert region < -0.12 and wrong < 0.1
