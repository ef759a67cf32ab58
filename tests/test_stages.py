import numpy as np
import pandas as pd
import pytest
from monotowns.measures.breaks import break_dates
from monotowns.measures.classification import Step
from monotowns.measures.stages import (
    STAGES,
    build_stages,
    stage_series,
    stage_table,
    turn_grid,
    turns,
)
from monotowns.run.errors import DesignError
from monotowns.studies.stages import APART, TOGETHER, beyond_chance, stage_facts, stage_fits

CODES = dict(zip("nIdR", STAGES, strict=True)) | {"-": None}
NAN = np.nan


def coded(levels, **rule):
    letters = {value: key for key, value in CODES.items()}
    return "".join(letters[s] for s in stage_series(levels, **rule)[0])


@pytest.mark.parametrize(
    ("name", "levels", "stages"),
    [
        ("rise", [12, 13, 14, 15, 16], "IIIII"),
        ("fall", [16, 15, 14, 13, 12], "Idddd"),
        ("plateau, never a threshold off", [16, 15.5, 16.2, 15.4, 16], "IIIII"),
        ("never industrialised", [2, 3, 1, 2, 3], "nnnnn"),
        ("becomes industrialised", [8, 9, 11, 9], "nnId"),
        # V: the turn's low is still falling; back within a threshold of the peak ends the turn.
        ("V", [20, 17, 14, 15, 16, 17, 18, 19.5], "IddRRRRI"),
        ("the third year just missing", [20, 17, 14, 15, 16, 16], "Iddddd"),
        ("the data end a year early", [20, 17, 14, 15, 16], "Idddd"),
        ("rising, but by less than the threshold", [20, 17, 14, 14.3, 14.6, 14.9], "Iddddd"),
        ("rising by exactly the threshold", [20, 17, 14, 14.3, 14.6, 15.0], "IddRRR"),
        ("a dip of less than the threshold", [20, 19.1, 19.3, 19.5, 20.6], "IIIII"),
        # W: two rising years are no turn, the second low is.
        ("W", [20, 15, 16, 17, 14, 15, 16, 17], "IddddRRR"),
        ("W with the higher low last", [20, 14, 16, 15, 16, 17, 18], "IdddRRR"),
        # Λ after V: a fall of a threshold from the highest since the turn ends it.
        ("relapse", [20, 14, 15, 16, 17, 16.5, 15.9, 17], "IdRRRRdd"),
        ("a missing year breaks a rise", [20, 14, 15, NAN, 16, 17, 16], "Idd-ddd"),
        ("the peak is kept over a gap", [20, NAN, 14, 15, 16, 17], "I-dRRR"),
        ("late start", [NAN, NAN, 20, 14, 13], "--Idd"),
    ],
)
def test_constructed_series(name, levels, stages):
    assert coded(levels) == stages, name


def test_rules_by_k_and_threshold():
    levels = [20, 17, 14, 15, 16, 15.5]
    assert coded(levels, k=2) == "IddRRR"
    assert coded(levels, k=2, threshold=2.5) == "Iddddd"
    found = turns([[20, 14, 15, 16, 17, 18]], k=3, threshold=1.0)[0]
    assert found.tolist() == [False, True, True, False, False, False]  # its start comes first


def test_a_stricter_rule_never_finds_more():
    rng = np.random.default_rng(0)
    paths = 20 + rng.normal(size=(500, 14)).cumsum(axis=1)
    counts = [[turns(paths, k, c).any(axis=1) for c in (0.5, 1, 2, 3)] for k in (1, 2, 3, 4)]
    found = np.array(counts)
    assert (found[1:] <= found[:-1]).all() and (found[:, 1:] <= found[:, :-1]).all()
    # A level added to a series, or a change of units with the threshold, changes nothing.
    np.testing.assert_array_equal(turns(paths + 5, 3, 1.0), turns(paths, 3, 1.0))
    np.testing.assert_array_equal(turns(paths * 8, 3, 8.0), turns(paths, 3, 1.0))


def regions(**series):
    rows = [
        (region, 2010 + t, share, gva)
        for region, (shares, volumes) in series.items()
        for t, (share, gva) in enumerate(zip(shares, volumes, strict=True))
    ]
    return pd.DataFrame(rows, columns=["region", "year", "share_adjusted", "gva"])


def test_share_against_volume():
    fall = [20, 18, 16, 15, 16, 17, 18]
    table = stage_table(
        regions(
            both=(fall, [100, 90, 80, 70, 75, 80, 85]),
            share=(fall, [100, 101, 102, 103, 90, 90, 90]),
        )
    ).set_index(["region", "year"])
    kinds = table["kind"].unstack("region").to_dict("list")
    # Falling: against the peak of 2010. Rising: against the turn of 2013.
    assert kinds["both"][1:] == ["share and volume"] * 6
    assert kinds["share"][1:4] == ["share only"] * 3
    assert kinds["share"][4:] == ["share only"] * 3  # share up, volume down
    assert table["kind"].isna().sum() == 2
    assert (table["turn_year"] == 2013).all()
    # Of equal peaks the last is the one to compare with.
    equal = stage_table(regions(a=([20, 20, 18], [100, 80, 90]))).set_index("year")
    assert equal.loc[2012, "kind"] == "share only"


def test_turn_years_are_missing_without_a_turn_or_an_industry_and_unseen_years_have_no_row():
    up = [4, 2, 3, 4, 5]
    table = stage_table(regions(small=(up, [1] * 5), falling=([30, 29, 28, 27, 26], [1] * 5)))
    assert table["turn_year"].isna().all()
    assert set(table.loc[table["region"] == "small", "stage"]) == {"not industrialised"}
    gap = stage_table(regions(a=([20, 15, 14, 13, 12], [1] * 5)).drop(index=1))
    assert gap["year"].tolist() == [2010, 2012, 2013, 2014]
    assert gap["stage"].iloc[1] == "de-industrialising"


def test_grid_counts_and_chance():
    # Changes -6, +2, +2, +2: of the 4 orders of the one fall only the first leaves three rises
    # in a row below the peak.
    shares = pd.DataFrame([[20, 14, 16, 18, 20.0]] * 3, columns=range(2010, 2015))
    grid = turn_grid(shares, [3], [1.0], draws=4000, seed=1).iloc[0]
    assert grid["turned"] == grid["regions"] == 3
    assert grid["false_positive_rate"] == pytest.approx(1 / 4, abs=0.03)
    assert grid["p_value"] == pytest.approx(1 / 4, abs=0.03)  # all regions share the order
    alone = turn_grid(shares, [3], [1.0], draws=4000, seed=1, together=False).iloc[0]
    assert alone["false_positive_rate"] == pytest.approx(1 / 4, abs=0.02)
    assert alone["p_value"] == pytest.approx(1 / 64, abs=0.01)


def test_grid_is_reproducible_and_ignores_the_small_and_the_unseen():
    rng = np.random.default_rng(5)
    shares = pd.DataFrame(20 + rng.normal(size=(30, 14)).cumsum(axis=1), columns=range(2009, 2023))
    shares.iloc[0, :2] = NAN
    first = turn_grid(shares, [2, 3], [1.0, 2.0], 200, seed=9)
    pd.testing.assert_frame_equal(first, turn_grid(shares, [2, 3], [1.0, 2.0], 200, seed=9))
    small = pd.DataFrame([[1.0] * 14], columns=shares.columns, index=["x"])
    more = turn_grid(pd.concat([shares, small]), [2, 3], [1.0, 2.0], 200, seed=9)
    pd.testing.assert_frame_equal(first, more)
    with pytest.raises(DesignError, match="floor"):
        turn_grid(small, [3], [1.0], 10, seed=1)


@pytest.mark.montecarlo
def test_p_values_of_the_grid_are_uniform_without_turns():
    rng = np.random.default_rng(2)
    values = []
    for seed in range(200):
        common = rng.normal(size=(1, 14))
        paths = 20 + (common + rng.normal(size=(20, 14))).cumsum(axis=1)
        shares = pd.DataFrame(paths, columns=range(2009, 2023))
        values.append(turn_grid(shares, [3], [1.0], 199, seed, floor=0.0)["p_value"].iloc[0])
    # Counts are discrete, so the test may be a little conservative; 10 per cent +- 3 se.
    assert 0.03 < np.mean(np.array(values) <= 0.1) < 0.17


def test_break_dates_against_a_search_by_hand_and_another_library():
    import ruptures

    rng = np.random.default_rng(4)
    change = rng.normal(size=(6, 13)) + 3 * (np.arange(13) >= 7)
    series = pd.DataFrame(
        np.c_[np.zeros(6), change.cumsum(axis=1)], index=list("abcdef"), columns=range(2009, 2023)
    )
    table = break_dates(series, 199, 1).set_index("region")
    for region, row in zip(series.index, change, strict=True):
        cut = ruptures.Dynp("l2", min_size=3, jump=1).fit(row).predict(n_bkps=1)[0]
        # The change into 2009 + cut + 1 is the first at the new rate.
        assert table.loc[region, "break_year"] == 2009 + cut
        ssr = [
            ((row[:c] - row[:c].mean()) ** 2).sum() + ((row[c:] - row[c:].mean()) ** 2).sum()
            for c in range(3, 11)
        ]
        inside = 3 + np.flatnonzero(13 * (np.array(ssr) / min(ssr) - 1) <= 7.352)
        assert table.loc[region, "break_low"] == 2009 + inside[0]
        assert table.loc[region, "break_high"] == 2009 + inside[-1]
    assert (table["break_p"] < 0.05).all()


def test_breaks_know_no_units_and_skip_short_series():
    rng = np.random.default_rng(8)
    series = pd.DataFrame(rng.normal(size=(4, 14)).cumsum(axis=1), columns=range(2009, 2023))
    series.iloc[1, :2] = NAN
    series.iloc[2, :6] = NAN  # eight years left, too few
    table = break_dates(series, 99, 1)
    assert table["region"].tolist() == [0, 1, 3]
    pd.testing.assert_frame_equal(table, break_dates(series * 7 + 2, 99, 1))
    series.iloc[3, 5] = NAN
    with pytest.raises(DesignError, match="within a series"):
        break_dates(series, 99, 1)
    with pytest.raises(DesignError, match="one exact rate"):
        break_dates(pd.DataFrame([np.arange(14.0)], columns=range(2009, 2023)), 99, 1)
    with pytest.raises(DesignError, match="not consecutive"):
        break_dates(series.drop(columns=2012), 99, 1)


def test_a_product_from_tables_of_both_classifications():
    """Four regions whose classification takes a tenth of manufacturing away in 2016."""
    years = range(2009, 2023)
    rng = np.random.default_rng(3)
    true = {f"R{i}": 20 + rng.normal(0, 0.3, 14) for i in range(3)}
    true["V"] = np.r_[np.linspace(30, 20, 8), np.linspace(22, 28, 6)]
    rows, grp = [], []
    for region, shares in true.items():
        for year, share in zip(years, shares, strict=True):
            system, letter, rest = ("OKVED-2007", "D", "K") if year < 2016 else ("OKVED2", "C", "L")
            seen = share if year < 2016 else share * 0.9
            rows += [(region, year, system, letter, seen), (region, year, system, rest, 100 - seen)]
            grp.append((region, year, 1000.0))
    rows += [("composite", 2009, "OKVED-2007", "D", 100.0)]
    structure = pd.DataFrame(rows, columns=["region", "year", "classification", "section", "share"])
    grp = pd.DataFrame(grp, columns=["region", "year", "grp"])
    price = pd.Series(1.0, index=years)
    table, step = build_stages(structure, grp, price, 99, 1)
    assert step.estimate == pytest.approx(np.log(0.9), abs=0.03)
    assert "composite" not in set(table["region"])  # no GRP of its own
    v = table[table["region"] == "V"].set_index("year")
    assert v.loc[2016, "turn_year"] == 2016
    assert v.loc[2017:2021, "stage"].eq("re-industrialising").all()
    assert v.loc[2015, "share_adjusted"] == pytest.approx(
        v.loc[2015, "share"] * np.exp(step.estimate)
    )
    assert v.loc[2018, "share_adjusted"] == v.loc[2018, "share"]
    np.testing.assert_allclose(table["gva"], 10 * table["share_adjusted"])
    assert v["break_year"].unique().tolist() == [2016]
    assert not table.duplicated(["region", "year"]).any() and table.notna()["share"].all()


RULE = ["k", "threshold", "regions", "turned", "expected", "low", "high"]
RULE += ["false_positive_rate", "p_value"]
GRID = pd.DataFrame(
    [
        (3, 1.0, 4, 2, 1.5, 1, 3, 0.375, 0.3, "adjusted", TOGETHER, "turn"),
        (2, 1.0, 4, 4, 3.5, 3, 4, 0.875, 0.2, "adjusted", TOGETHER, "turn"),
        (3, 1.0, 4, 2, 0.5, 0, 1, 0.125, 0.03, "adjusted", APART, "turn"),
        (2, 1.0, 4, 4, 2.5, 1, 3, 0.625, 0.02, "adjusted", APART, "turn"),
        (3, 1.0, 4, 1, 0.8, 0, 2, 0.2, 0.5, "published", TOGETHER, "turn"),
        (3, 1.0, 4, 3, 2.5, 1, 4, 0.625, 0.6, "adjusted", TOGETHER, "fall"),
    ],
    columns=[*RULE, "share", "null", "direction"],
)
STEP = Step(-0.09, 0.02, pd.Series([0.01, -0.1, 0.05]))


def four_regions():
    stages = {
        2009: ["industrialised"] * 4,
        2013: ["de-industrialising"] + ["industrialised"] * 3,
        2019: ["re-industrialising"] * 4,
        2022: ["de-industrialising"] * 3 + ["industrialised"],
    }
    kinds = ["share only", "share and volume", "share only", ""]
    rows = [
        (region, year, stage, kind, p)
        for year, of in stages.items()
        for region, stage, kind, p in zip("abcd", of, kinds, [0.01, 0.2, 0.9, None], strict=True)
    ]
    return pd.DataFrame(rows, columns=["region", "year", "stage", "kind", "break_p"])


def test_records_by_hand():
    fits = stage_fits(four_regions(), STEP, GRID)
    # One of three other years moved more: rank 2 of 4.
    assert fits["step"]["step 2016"]["p_value"] == pytest.approx(0.5)
    row = fits["turns_adjusted_together"]["k 3 threshold 1"]
    assert row[["estimate", "ci_low", "ci_high", "p_value"]].tolist() == [0.5, -1, 1, 0.3]
    assert fits["turns_published_together"].n_entities == 4


def test_facts_by_hand():
    facts = stage_facts(four_regions(), STEP, GRID, rising_years=3, threshold=1)
    expected = {
        "turned": 2,
        "turned.p": 0.3,
        "apart.p": 0.03,
        "published.turned": 1,
        "grid.rules": 2,
        "grid.p": 0.2,
        "grid.apart.p": 0.02,
        "breaks": 1,
        "breaks.regions": 3,
        "breaks.expected": 0.15,
        "years_after_2020": 2,
        "falling": 75,  # three of four
        "2013.de-industrialising": 1,
        "share_only": 2,
        "share_and_volume": 1,
        "step.placebo": 0.1,
    }
    assert {name: facts[f"stages.{name}"][0] for name in expected} == pytest.approx(expected)


def test_what_turned_beyond_chance_by_hand():
    grid = pd.DataFrame({"k": [3], "threshold": [1.0], "turned": [9.0], "expected": [5.5]})
    terms = beyond_chance(grid.assign(low=2.0, high=8.0, p_value=0.03))
    assert terms.iloc[0].drop("standard_error").tolist() == ["k 3 threshold 1", 3.5, 1, 7, 0.03]
