import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monotowns.measures.composite import (
    AGGREGATIONS,
    NORMALISATIONS,
    WEIGHTS,
    aggregate,
    dimension_scores,
    index,
    rank_bands,
    ranks,
)
from monotowns.measures.potential import (
    DIMENSIONS,
    DIRECTIONS,
    INDICATORS,
    build_potential,
    indicators,
)
from monotowns.measures.weighting import benefit_of_the_doubt, entropy_weights, pca_weights
from monotowns.run.errors import DesignError
from monotowns.studies.potential import (
    OUTCOMES,
    independent_indicators,
    potential_facts,
    validate,
    validation,
)
from scipy import stats
from scipy.optimize import linprog

TOWNS = pd.DataFrame({"wage": [10.0, 20, 40], "jobless": [9.0, 5, 1]}, index=list("abc"))
OWN = {"wage": "income", "jobless": "labour"}
SIGNS = {"wage": 1, "jobless": -1}


def choice(table, own, signs, method, weights="equal", aggregation="linear"):
    scores = dimension_scores(table, own, signs, method)
    value = aggregate(scores, weights, aggregation, method)
    return pd.DataFrame({"index": value, "rank": ranks(value)}, table.index)


def test_index_of_three_units_by_hand():
    z = index(TOWNS, OWN, SIGNS)
    assert z["labour"].tolist() == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert z["rank"].tolist() == [3, 2, 1]
    # min-max: wages 0, 1/3, 1; the jobless turned round 0, 1/2, 1.
    for table, expected in (
        (choice(TOWNS, OWN, SIGNS, "min_max"), [0, 5 / 12, 1]),
        # On 1 to 100: 34 and 50.5.
        (choice(TOWNS, OWN, SIGNS, "min_max", "equal", "geometric"), [1, np.sqrt(34 * 50.5), 100]),
        (choice(TOWNS, OWN, SIGNS, "rank", [0.2, 0.8]), [0, 0.5, 1]),
        (choice(TOWNS, OWN, SIGNS, "min_max", [1, 0], "geometric"), [1, 34, 100]),
    ):
        assert table["index"].tolist() == pytest.approx(expected)


def test_a_dimension_of_two_indicators_counts_once():
    table = TOWNS.assign(profit=[3.0, 1.0, 2.0])
    scores = dimension_scores(table, OWN | {"profit": "income"}, SIGNS | {"profit": 1}, "min_max")
    # Means of (0, 1), (1/3, 0), (1, 1/2) are 1/2, 1/6, 3/4: on 0 to 1 again 4/7, 0, 1.
    assert scores["income"].tolist() == pytest.approx([4 / 7, 0, 1])
    assert list(scores) == ["income", "labour"]


def test_ties_share_a_rank_and_products_punish_imbalance():
    table = pd.DataFrame({"x": [0.0, 10, 5, 0], "y": [10.0, 0, 5, 0]}, index=list("abcd"))
    own, signs = {"x": "x", "y": "y"}, {"x": 1, "y": 1}
    assert choice(table, own, signs, "min_max")["rank"].tolist() == [2, 2, 2, 4]
    product = choice(table, own, signs, "min_max", "equal", "geometric")
    assert product["rank"].tolist() == [2.5, 2.5, 1, 4]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.floats(1e-3, 1e5),
    shift=st.floats(-1e3, 1e3),
    method=st.sampled_from(NORMALISATIONS),
    weights=st.sampled_from(WEIGHTS),
    aggregation=st.sampled_from(AGGREGATIONS),
)
def test_units_of_measurement_and_order_of_towns_change_nothing(
    seed, scale, shift, method, weights, aggregation
):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(12, 3)), columns=list("xyz"))
    own, signs = {c: c for c in "xyz"}, {"x": 1, "y": -1, "z": 1}
    first = choice(table, own, signs, method, weights, aggregation)
    other = table.assign(y=table["y"] * scale + shift).sample(frac=1, random_state=seed)
    second = choice(other, own, signs, method, weights, aggregation).loc[first.index]
    np.testing.assert_allclose(second["index"], first["index"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(second["rank"], first["rank"])


def test_constant_indicators_are_refused_by_name():
    with pytest.raises(DesignError, match="does not vary") as caught:
        index(TOWNS.assign(wage=1.0), OWN, SIGNS)
    assert caught.value.keys == ["wage"]
    both = TOWNS.assign(copy=TOWNS["wage"])
    with pytest.raises(DesignError, match="cancel out"):
        index(both, OWN | {"copy": "income"}, SIGNS | {"copy": -1})


def test_benefit_of_the_doubt_by_hand():
    # The corner (1/3, 1/3) makes a and b best at once; c reaches two thirds, d lies on a's face.
    scores = np.array([[2.0, 1], [1, 2], [1, 1], [2, 0.5]])
    assert benefit_of_the_doubt(scores, least=0) == pytest.approx([1, 1, 2 / 3, 1])
    # With a third of the weight on each at least, d's best is w = (2/3, 1/3) x 3/5: 1.5 x 3/5.
    assert benefit_of_the_doubt(scores, least=1 / 3) == pytest.approx([1, 1, 2 / 3, 0.9])


@pytest.mark.parametrize("least", [0.0, 0.05, 0.15])
def test_benefit_of_the_doubt_against_linear_programming(least):
    scores = np.random.default_rng(1).uniform(0, 100, (40, 5))
    scores[0] = 0.0
    value = benefit_of_the_doubt(scores, least)
    bounds = least * np.ones((5, 5)) - np.eye(5)
    for i, row in enumerate(scores):
        best = linprog(-row, np.vstack([scores, bounds]), np.r_[np.ones(40), np.zeros(5)])
        assert value[i] == pytest.approx(-best.fun, abs=1e-9)
    # A dimension's units do not matter while no bound ties the weights to each other.
    if least == 0:
        other = benefit_of_the_doubt(scores * [1, 10, 0.1, 5, 1], least)
        np.testing.assert_allclose(other, value, atol=1e-9)


def test_weights_that_data_choose():
    # Two pairs, correlated within and not across: all loadings alike.
    h = np.array([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    assert pca_weights(h[:, 1:]) == pytest.approx([1 / 3] * 3)
    # Correlation 1 of the first two, none with the third: eigenvalues 2, 1, 0, one is kept.
    assert pca_weights(h[:, [1, 1, 2]]) == pytest.approx([0.5, 0.5, 0], abs=1e-9)
    # Shares 1/2, 1/2 say nothing; 1/4, 3/4 have entropy .8113 bits of 1.
    table = [[1, 1], [1, 3]]
    assert entropy_weights(table) == pytest.approx([0, 1], abs=1e-12)
    assert entropy_weights([[1, 1, 2], [3, 3, 3]]) == pytest.approx(
        np.array([0.18872, 0.18872, 0.02905]) / 0.40649, abs=1e-4
    )


def cloud(n=25, seed=6):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("wxyz"))
    return table, {"w": "a", "x": "a", "y": "b", "z": "c"}, dict.fromkeys("wxyz", 1)


def test_bands_hold_the_sure_and_the_unsure():
    table, own, signs = cloud()
    table.loc[0], table.loc[1] = 10.0, -10.0  # best and worst whatever is chosen
    bands = rank_bands(table, own, signs, 400, 1)
    assert bands.loc[0].tolist() == [1, 1, 1]
    assert bands.loc[1].tolist() == [25, 25, 25]
    assert bands["rank_median"].between(bands["rank_low"], bands["rank_high"]).all()
    assert (bands["rank_high"] - bands["rank_low"]).median() > 1
    pd.testing.assert_frame_equal(bands, rank_bands(table, own, signs, 400, 1))
    assert not bands.equals(rank_bands(table, own, signs, 400, 2))


def test_rank_correlation_and_its_bootstrap():
    rng = np.random.default_rng(7)
    score = pd.Series(rng.normal(size=200))
    later = (score + rng.normal(size=200)).iloc[:180]
    region = pd.Series(np.arange(200) % 20).astype(str)
    fit = validate(score, later, region, 499, 1)
    term = fit["spearman"]
    assert term["estimate"] == pytest.approx(stats.spearmanr(score[:180], later).statistic)
    assert fit.n_obs == 180 and fit.n_clusters == 20
    # Without clustering in the data the error is near the textbook's.
    assert term["standard_error"] == pytest.approx((1 - term["estimate"] ** 2) / 180**0.5, rel=0.4)
    assert term["p_value"] == pytest.approx(2 / 500)
    # Every unit five times within its cluster is no news.
    five = [pd.concat([s] * 5, ignore_index=True) for s in (score[:180], later, region[:180])]
    pd.testing.assert_frame_equal(validate(*five, 499, 1).terms, fit.terms)
    for bad in ((later, region.where(region == "x", "x")), (later * 0, region)):
        with pytest.raises(DesignError, match="too few"):
            validate(score, *bad, 99, 1)


def test_an_index_never_predicts_its_own_inputs():
    income = OUTCOMES["log_taxable_pc"]
    apart = ["log_market_potential", "log_core_km", "manufacturing_share", "category"]
    assert independent_indicators(INDICATORS, income) == apart
    late = INDICATORS | {"log_income": INDICATORS["log_income"]._replace(last_year=2017)}
    with pytest.raises(DesignError, match="overlaps") as caught:
        independent_indicators(late, income)
    assert caught.value.keys == ["log_income"]


def panel(n=40, seed=11):
    rng = np.random.default_rng(seed)
    entity = [f"{i:08d}" for i in range(n)]
    fixed = pd.DataFrame({"entity": entity, "name": entity, "category": 1.0 + np.arange(n) % 3})
    fixed = fixed.assign(listed_2014=1.0, town_share=0.9, monotown=1.0, toser=np.nan)
    fixed["region"] = [f"R{i % 8}" for i in range(n)]
    fixed.loc[0, ["monotown", "town_share"]] = [np.nan, 0.2]
    fixed.loc[1, ["monotown", "listed_2014", "category"]] = [0.0, np.nan, np.nan]
    years = pd.DataFrame({"year": range(2012, 2022)})
    frame = fixed.merge(years, how="cross")
    for column, level, spread in (
        ("log_population", 10, 0.03),
        ("log_taxable_pc", 12, 0.1),
        ("transfer_share", 0.4, 0.02),
    ):
        own = rng.normal(level, 5 * spread, n).repeat(10)
        frame[column] = own + rng.normal(0, spread, len(frame))
    measures = frame[["entity", "year"]].assign(
        log_mp_inverse=rng.normal(size=len(frame)), core_1000_km=rng.uniform(0, 999, len(frame))
    )
    regional = pd.DataFrame({"region": [f"R{i}" for i in range(8)]}).merge(years, how="cross")
    return frame, measures, regional.assign(share=rng.uniform(5, 40, len(regional)))


def test_indicators_by_hand():
    frame, measures, share = panel()
    table = indicators(frame, measures, share)
    assert list(table) == list(INDICATORS) and len(table) == 38
    own = frame[frame["entity"] == "00000005"].set_index("year")
    row = table.loc["00000005"]
    early, late = (sorted(own["log_taxable_pc"].loc[y : y + 2])[1] for y in (2012, 2014))
    assert row[["log_income", "income_growth"]].tolist() == pytest.approx([late, late - early])
    growth = own.loc[2016, "log_population"] - own.loc[2012, "log_population"]
    assert row["population_growth"] == pytest.approx(growth)
    here = share[(share["region"] == "R5") & (share["year"] == 2016)]
    assert row["manufacturing_share"] == here["share"].item()
    core = measures.query("entity == '00000005' and year == 2016")["core_1000_km"].item()
    assert row["log_core_km"] == pytest.approx(np.log(1 + core))


def test_nothing_after_2016_reaches_the_index():
    frame, measures, share = panel()
    first = build_potential(frame, measures, share, 60, 1)
    rng = np.random.default_rng(0)
    later = [part.copy() for part in (frame, measures, share)]
    for part in later:
        late = part["year"] > 2016
        for column in part.select_dtypes(float):
            if column not in ("category", "monotown", "listed_2014", "town_share"):
                part.loc[late, column] = rng.normal(size=late.sum())
    later[0]["toser"] = 2018.0
    pd.testing.assert_frame_equal(first, build_potential(*later, 60, 1))


def test_every_listed_entity_has_a_row_but_only_monotowns_a_rank():
    frame, measures, share = panel()
    frame = frame[~((frame["entity"] == "00000007") & (frame["year"] == 2012))]
    table = build_potential(frame, measures, share, 60, 1).set_index("entity")
    assert len(table) == 39 and "00000001" not in table.index
    assert table["index"].isna().sum() == 2
    assert table.loc[["00000000", "00000007"], "index"].isna().all()
    assert table["rank"].min() == 1 and table["rank"].max() == 37
    assert list(table)[5:11] == list(dict.fromkeys(DIMENSIONS.values()))
    with pytest.raises(DesignError, match="no monotown"):
        indicators(frame.assign(monotown=0.0), measures, share)


def test_validation_finds_a_planted_link_and_keeps_the_strict_test_apart():
    frame, measures, share = panel(120)
    table = indicators(frame, measures, share)
    late = frame["year"] == 2021
    gain = -0.5 * table["log_core_km"].reindex(frame["entity"]).fillna(0).to_numpy()
    base = frame[frame["year"] == 2017].set_index("entity")["log_population"]
    frame.loc[late, "log_population"] = (frame["entity"].map(base) + gain)[late]
    fits = validation(frame, measures, share, 199, 1)
    assert set(fits) == {(o, v) for o in OUTCOMES for v in ("all", "independent")}
    assert fits["log_population", "independent"]["spearman"]["ci_low"] > 0.2
    null = fits["log_taxable_pc", "independent"]["spearman"]
    assert null["ci_low"] < 0 < null["ci_high"]
    score = index(table.dropna(), DIMENSIONS, DIRECTIONS)["index"]
    noise = np.random.default_rng(3).normal(size=len(score))
    later = pd.DataFrame({"growth_wage_all": score, "growth_consumption": noise}).reset_index()
    further = validation(frame, measures, share, 199, 1, later)
    assert further["growth_wage_all", "independent"]["spearman"]["estimate"] == pytest.approx(1)
    null = further["growth_consumption", "independent"]["spearman"]
    assert null["ci_low"] < 0 < null["ci_high"]


def test_facts_by_hand():
    table = pd.DataFrame({"name": list("abcdefgh"), "rank": [1, 2, 3, 4, 5, 6, np.nan, np.nan]})
    table["rank_low"] = [1, 1, 2, 3, 4, 5, np.nan, np.nan]
    table["rank_high"] = [2, 3, 4, 5, 6, 6, np.nan, np.nan]
    facts = potential_facts(table)
    # Ranks up to 3 of 6 are the top half.
    expected = {"ranked": 6, "listed": 8, "band": 2, "always_top_half": 2, "never_top_half": 2}
    assert {name: facts[f"potential.{name}"][0] for name in expected} == expected
