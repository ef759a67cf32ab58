from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monotowns.measures.classification import (
    GROUP_OF,
    GROUPS,
    adjust,
    classification_steps,
    common_step,
    comparable_groups,
)
from monotowns.measures.exposure import (
    ShiftShare,
    industry_growth,
    region_exposure,
    region_shares,
    shift_share,
    town_exposure,
    town_shares,
)
from monotowns.measures.industry import (
    herfindahl,
    krugman,
    location_quotient,
    price_index,
    real_gva,
    specialisation,
)
from monotowns.run.errors import DesignError

SNAPSHOT = Path(__file__).parents[1] / "data" / "snapshot"


def structure(region="R", year=2015, system="OKVED-2007", **shares):
    return pd.DataFrame(
        [(region, year, system, s, v) for s, v in shares.items()],
        columns=["region", "year", "classification", "section", "share"],
    )


def test_every_section_has_one_group():
    letters = ["".join(sorted(g[i] for g in GROUPS.values())) for i in (0, 1)]
    assert sorted("".join(letters[0])) == list("ABCDEFGHIJKLMNOP")
    assert sorted("".join(letters[1])) == list("ABCDEFGHIJKLMNOPQRSTU")
    # The same letter means different things on either side of 2016.
    assert GROUP_OF["OKVED-2007", "C"] == GROUP_OF["OKVED2", "B"] == "mining"
    assert GROUP_OF["OKVED-2007", "D"] == GROUP_OF["OKVED2", "C"] == "manufacturing"


def test_comparable_groups_add_sections_of_either_classification():
    old = structure(A=3.0, B=1.0, C=16.0, D=60.0, K=20.0)
    new = structure(year=2016, system="OKVED2", A=4.0, B=16.0, C=60.0, L=12.0, M=5.0, N=3.0)
    wide = comparable_groups(pd.concat([old, new])).pivot(
        index="year", columns="group", values="share"
    )
    assert wide.loc[2015].to_dict() == wide.loc[2016].to_dict()
    assert wide.loc[2015].to_dict() == {
        "agriculture": 4,
        "mining": 16,
        "manufacturing": 60,
        "business_services": 20,
    }


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (structure(A=60.0, Z=40.0), "unknown section"),
        (structure(A=60.0, D=np.nan), "a value is missing"),
        (pd.concat([structure(A=50.0)] * 2), "a row stands twice"),
        (structure(A=60.0, D=38.0), "do not add up"),
        (pd.concat([structure(A=50.0), structure(system="OKVED2", C=50.0)]), "two classif"),
    ],
)
def test_a_faulty_structure_is_refused_by_name(frame, problem):
    with pytest.raises(DesignError, match=problem) as caught:
        comparable_groups(frame)
    assert caught.value.keys


def test_price_index_is_mid_year():
    price = price_index({2020: 21.0, 2021: 44.0})
    # December levels 1, 1.21, 1.21 * 1.44; mid-years 1.1 and 1.21 * 1.2.
    assert price[2021] == pytest.approx(1)
    assert price[2020] == pytest.approx(1.1 / (1.21 * 1.2))
    with pytest.raises(DesignError, match="missing"):
        price_index({2019: 1.0, 2021: 1.0})


def test_real_value_added_and_region_years_without_grp():
    shares = pd.DataFrame({"region": ["R", "T"], "year": 2020, "share": [25.0, 50.0]})
    grp = pd.DataFrame({"region": ["R"], "year": [2020], "grp": [400.0]})
    real = real_gva(shares, grp, pd.Series({2020: 0.5}))
    assert real[["region", "gva"]].to_numpy().tolist() == [["R", 200.0]]
    with pytest.raises(DesignError, match="no price level"):
        real_gva(shares, grp, pd.Series({2019: 1.0}))
    with pytest.raises(DesignError, match="not a positive number"):
        real_gva(shares, grp.assign(grp=0.0), pd.Series({2020: 1.0}))
    with pytest.raises(DesignError, match="twice"):
        real_gva(shares, pd.concat([grp, grp]), pd.Series({2020: 1.0}))


def test_concentration_by_hand():
    assert herfindahl([[50, 30, 20], [100, 0, 0]]) == pytest.approx([0.38, 1])
    assert krugman([50, 30, 20], [20, 30, 50]) == pytest.approx(0.6)
    assert krugman([1, 0], [0, 7]) == pytest.approx(2)
    assert location_quotient([30, 10], 20) == pytest.approx([1.5, 0.5])


@given(
    st.lists(st.floats(0.1, 100), min_size=3, max_size=8),
    st.floats(0.01, 1e6),
    st.randoms(use_true_random=False),
)
def test_concentration_does_not_know_units_or_order(shares, unit, random):
    shares = np.array(shares)
    order = random.sample(range(len(shares)), len(shares))
    other = shares[::-1]
    assert herfindahl(shares[order] * unit) == pytest.approx(herfindahl(shares))
    assert 1 / len(shares) <= herfindahl(shares) + 1e-12
    assert krugman(shares[order] * unit, other[order]) == pytest.approx(krugman(shares, other))
    assert krugman(shares, unit * shares) == pytest.approx(0, abs=1e-12)


def test_specialisation_leaves_the_own_region_out():
    gva = pd.DataFrame(
        [
            ("R", 2019, "manufacturing", 30.0),
            ("R", 2019, "mining", 70.0),
            ("S", 2019, "manufacturing", 60.0),
            ("S", 2019, "mining", 40.0),
            ("T", 2019, "manufacturing", 0.0),
            ("T", 2019, "mining", 100.0),
        ],
        columns=["region", "year", "group", "gva"],
    )
    table = specialisation(gva).set_index("region")
    assert table.loc["R", "lq_manufacturing"] == pytest.approx(0.3 / 0.3)  # rest: 60 of 200
    assert table.loc["S", "lq_manufacturing"] == pytest.approx(0.6 / 0.15)
    assert table.loc["S", "krugman"] == pytest.approx(0.45 * 2)
    assert table.loc["T", "hhi"] == 1
    with pytest.raises(DesignError, match="no other region"):
        specialisation(gva[gva["region"] == "R"])
    with pytest.raises(DesignError, match="missing"):
        specialisation(gva.iloc[1:])


YEARS = range(2009, 2023)


def drifting(n=9, step=-0.1, noise=0.0, seed=3):
    rng = np.random.default_rng(seed)
    t = np.arange(len(YEARS))
    log = rng.uniform(1, 3, (n, 1)) + rng.normal(0, 0.02, (n, 1)) * t
    log = log + noise * rng.normal(size=log.shape) + step * (np.array(YEARS) >= 2016)
    return pd.DataFrame(np.exp(log), index=[f"R{i}" for i in range(n)], columns=YEARS)


@pytest.mark.parametrize("window", [1, 2, None])
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_step_among_trends_is_found_and_removed(window, statistic):
    step = common_step(drifting(), window=window, statistic=statistic)
    assert step.estimate == pytest.approx(-0.1, abs=1e-12)
    assert step.placebos.abs().max() < 1e-12  # the step's year never speaks for another
    growth = np.log(adjust(drifting(), step)).diff(axis=1).iloc[:, 1:]
    np.testing.assert_allclose(growth, growth.mean(axis=1).to_numpy()[:, None] + 0 * growth)


def test_the_mean_over_all_years_is_least_squares():
    series = drifting(noise=0.05)
    d = np.log(series).diff(axis=1).iloc[:, 1:]
    region = np.repeat(np.eye(len(d)), d.shape[1], axis=0)
    step_year = np.tile(d.columns == 2016, len(d)).astype(float)
    b = np.linalg.lstsq(np.c_[region, step_year], d.to_numpy().ravel(), rcond=None)[0]
    step = common_step(series, statistic="mean")
    assert step.estimate == pytest.approx(b[-1], rel=1e-10)
    # A region that enters later only loses its missing years.
    series.iloc[0, :3] = np.nan
    excess = d[2016] - d.drop(columns=2016).mean(axis=1)
    excess.iloc[0] = d.iloc[0][2016] - d.drop(columns=2016).iloc[0, 3:].mean()
    assert common_step(series, statistic="mean").estimate == pytest.approx(excess.mean())


def test_level_scale_and_later_years_are_kept():
    series = pd.DataFrame([[10.0, 11, 9, 10], [20, 21, 19, 20]], columns=range(2014, 2018))
    step = common_step(series, scale="level", statistic="mean")
    assert step.estimate == pytest.approx(-3)  # -2 against a drift of 1
    assert adjust(series, step).to_numpy().tolist() == [[7, 8, 9, 10], [17, 18, 19, 20]]


def test_steps_that_cannot_be_estimated_are_refused():
    with pytest.raises(DesignError, match="not consecutive"):
        common_step(drifting().drop(columns=2012))
    with pytest.raises(DesignError, match="no year before"):
        common_step(drifting(), year=2009)
    with pytest.raises(DesignError, match="unfit for the log scale"):
        common_step(drifting().replace(drifting().iloc[2, 2], 0.0))
    with pytest.raises(DesignError, match="fewer than two regions"):
        common_step(drifting(1))


def test_the_step_of_2016_in_the_published_structure():
    groups = comparable_groups(pd.read_csv(SNAPSHOT / "gva_structure.csv"))
    step = classification_steps(groups)
    # The national share fell from 17.23 to 15.79 per cent, log -0.088.
    assert step["manufacturing"] == pytest.approx(-0.088, abs=0.005)
    assert step["business_services"] > 0.3  # imputed rents and the heads of holdings
    assert step.abs().idxmax() == "business_services"


def two_regions(first=2019, last=2021):
    rows = [
        ("R", first, "mining", 10.0),
        ("R", last, "mining", 40.0),
        ("S", first, "mining", 10.0),
        ("S", last, "mining", 20.0),
        ("R", first, "manufacturing", 30.0),
        ("R", last, "manufacturing", 30.0),
        ("S", first, "manufacturing", 10.0),
        ("S", last, "manufacturing", 50.0),
    ]
    return pd.DataFrame(rows, columns=["region", "year", "group", "gva"])


def test_growth_leaves_the_own_region_out():
    national, outside = industry_growth(two_regions(), 2019, 2021)
    assert national["mining"] == pytest.approx(np.log(3))
    assert national["manufacturing"] == pytest.approx(np.log(2))
    assert outside.loc["R", "mining"] == pytest.approx(np.log(2))
    assert outside.loc["S", "manufacturing"] == pytest.approx(0)


def test_growth_over_2016_needs_the_steps():
    gva = two_regions(2015, 2016)
    with pytest.raises(DesignError, match="classification changes"):
        industry_growth(gva, 2015, 2016)
    steps = pd.Series({"mining": 0.1, "manufacturing": -0.2})
    national, outside = industry_growth(gva, 2015, 2016, steps=steps)
    assert national["mining"] == pytest.approx(np.log(3) - 0.1)
    assert outside.loc["R", "manufacturing"] == pytest.approx(np.log(5) + 0.2)
    sections = gva.rename(columns={"group": "section"})
    with pytest.raises(DesignError, match="classification changes"):
        industry_growth(sections, 2015, 2016, by="section", steps=steps)
    with pytest.raises(DesignError, match="no such window"):
        industry_growth(gva, 2015, 2018)


def test_exposure_by_hand_and_the_shocks_that_count():
    national, outside = industry_growth(two_regions(), 2019, 2021)
    shares = pd.DataFrame(
        {"manufacturing": [1.0, 0.0, 0.5], "mining": [0.0, 1.0, 0.5]}, index=list("abc")
    )
    region = pd.Series({"a": "R", "b": "R", "c": "S"})
    result = shift_share(shares, region, national, outside)
    expected = [np.log(5), np.log(2), (0 + np.log(4)) / 2]
    np.testing.assert_allclose(result.exposure, expected)
    assert result.effective_shocks() == pytest.approx(2)
    assert result.effective_shocks([1, 0, 0]) == pytest.approx(1)
    # Rows add up to 1: a shock common to all industries moves all units alike.
    moved = shift_share(shares, region, national + 1, outside + 1)
    np.testing.assert_allclose(moved.exposure - result.exposure, 1)


def test_bad_shares_are_refused():
    national, outside = industry_growth(two_regions(), 2019, 2021)
    region = pd.Series({"a": "R"})

    def refuse(row, match, where="R", out=outside):
        shares = pd.DataFrame([row], index=["a"])
        with pytest.raises(DesignError, match=match):
            shift_share(shares, region.replace("R", where), national, out)

    refuse({"mining": 0.9}, "no shares")
    refuse({"mining": 1.5, "manufacturing": -0.5}, "no shares")
    refuse({"trade": 1.0}, "no growth of an industry")
    refuse({"mining": 1.0}, "outside the unit's region", where="elsewhere")
    alone = two_regions().query("region == 'R' or group == 'manufacturing'")
    national, out = industry_growth(alone, 2019, 2021)
    assert np.isnan(out.loc["R", "mining"])
    refuse({"mining": 1.0}, "outside the unit's region", out=out)


def test_town_and_region_shares_by_hand():
    industries = pd.DataFrame(
        {
            "entity": ["1", "1", "1", "2", "3", None],
            "town": ["a", "a", "b", "c", "d", "e"],
            "section": ["B", "C", "C", "D", None, "C"],
        }
    )
    shares = town_shares(industries)
    assert shares.loc["1"].to_dict() == {"manufacturing": 0.75, "mining": 0.25, "utilities": 0}
    assert list(shares.index) == ["1", "2"]
    assert list(town_shares(industries, by="section")) == ["B", "C", "D"]
    with pytest.raises(DesignError, match="no section"):
        town_shares(industries.replace("D", "Z"))
    groups = comparable_groups(structure(A=5.0, B=5.0, D=90.0))
    assert region_shares(groups, 2015).loc["R"].to_dict() == {
        "agriculture": 0.1,
        "manufacturing": 0.9,
    }
    with pytest.raises(DesignError, match="no region in this year"):
        region_shares(groups, 2012)


def test_one_industry_a_town_counts_few_shocks():
    towns = pd.DataFrame(np.eye(3)[[0] * 8 + [1] + [2]], columns=["manufacturing", "mining", "x"])
    few = ShiftShare(pd.Series(dtype=float), towns, pd.Series(dtype=float))
    assert few.effective_shocks() == pytest.approx(1 / (0.64 + 0.01 + 0.01))


def test_exposures_from_the_published_tables():
    structure, grp = (pd.read_csv(SNAPSHOT / f"{n}.csv") for n in ("gva_structure", "grp"))
    price = price_index(dict.fromkeys(range(2009, 2023), 5.0))
    regional = region_exposure(structure, grp, price, 2012, 2012, 2021)
    assert len(regional.exposure) == 83 and regional.shares.shape[1] == len(GROUPS)
    assert regional.exposure.idxmax().startswith("Ханты")  # oil: 68 per cent mining
    assert 1 < regional.effective_shocks() < len(GROUPS)
    industries = pd.DataFrame(
        {
            "entity": list("abc"),
            "town": list("xyz"),
            "section": ["B", "C", "C"],
            "region": ["Кемеровская область", "Челябинская область", "Вологодская область"],
        }
    )
    for window, columns in (
        ((2019, 2021), ["B", "C"]),
        ((2012, 2021), ["manufacturing", "mining"]),
    ):
        towns = town_exposure(structure, grp, price, industries, *window)
        assert list(towns.shares) == columns
        # Each town's region is small beside the nation, but is not in its own figure.
        own = towns.shares @ towns.shocks
        assert (towns.exposure - own).abs().between(1e-6, 0.05).all()
    # In one classification sections and groups of one section grow alike.
    gva = real_gva(comparable_groups(structure), grp, price)
    by_group = industry_growth(gva, 2019, 2021)[0]["manufacturing"]
    towns = town_exposure(structure, grp, price, industries, 2019, 2021)
    assert towns.shocks["C"] == pytest.approx(by_group)
    with pytest.raises(DesignError, match="answer to the shocks"):
        region_exposure(structure, grp, price, 2015, 2012, 2021)
