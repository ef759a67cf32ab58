from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.measures.classification import (
    GROUP_OF,
    GROUPS,
    adjust,
    classification_steps,
    common_step,
    comparable_groups,
)
from monotowns.measures.entities import locate_industries
from monotowns.measures.exposure import (
    build_exposure,
    industry_growth,
    region_exposure,
    shift_share,
    town_exposure,
    town_shares,
)
from monotowns.measures.industry import krugman, price_index, real_gva
from monotowns.run.errors import DesignError

SNAPSHOT = Path(__file__).parents[1] / "data" / "snapshot"


def structure(region="R", year=2015, system="OKVED-2007", **shares):
    rows = [(region, year, system, s, v) for s, v in shares.items()]
    return pd.DataFrame(rows, columns=["region", "year", "classification", "section", "share"])


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
    groups = comparable_groups(pd.concat([old, new]))
    wide = groups.pivot(index="year", columns="industry", values="share")
    same = {"agriculture": 4, "mining": 16, "manufacturing": 60, "business_services": 20}
    assert wide.loc[2015].to_dict() == wide.loc[2016].to_dict() == same
    with pytest.raises(DesignError, match="unknown section") as caught:
        comparable_groups(structure(A=60.0, R=40.0))  # a section of the other classification
    assert caught.value.keys == [("OKVED-2007", "R")]


def test_price_index_is_mid_year():
    price = price_index({2020: 21.0, 2021: 44.0})
    # December levels 1, 1.21, 1.21 * 1.44; mid-years 1.1 and 1.21 * 1.2.
    assert price[2021] == pytest.approx(1)
    assert price[2020] == pytest.approx(1.1 / (1.21 * 1.2))
    with pytest.raises(DesignError, match="missing"):
        price_index({2019: 1.0, 2021: 1.0})


def test_real_value_added_and_region_years_without_grp():
    rows = {"region": ["R", "R", "T"], "year": [2019, 2020, 2020], "share": [25.0, 25.0, 50.0]}
    shares = pd.DataFrame(rows)
    grp = pd.DataFrame({"region": "R", "year": [2019, 2020], "grp": 400.0})
    # Roubles of the table's last year, whatever later years the price index has.
    for later in ({}, {2022: 1.0}):
        real = real_gva(shares, grp, pd.Series({2019: 0.4, 2020: 0.5} | later))
        assert real[["region", "gva"]].to_numpy().tolist() == [["R", 125.0], ["R", 100.0]]
    with pytest.raises(DesignError, match="no price level"):
        real_gva(shares, grp, pd.Series({2019: 1.0}))


def test_specialisation_leaves_the_own_region_out():
    rows = [
        ("R", "manufacturing", 30.0),
        ("R", "mining", 70.0),
        ("S", "manufacturing", 60.0),
        ("S", "mining", 40.0),
        ("T", "manufacturing", 0.0),
        ("T", "mining", 100.0),
    ]
    gva = pd.DataFrame(rows, columns=["region", "industry", "gva"])
    # The rest of the country has shares of .3, .15 and .45 of manufacturing.
    assert krugman(gva).to_dict() == pytest.approx({"R": 0, "S": 0.9, "T": 0.9})
    own = gva["region"] == "S"
    richer = gva.assign(gva=gva["gva"].where(~own, 7 * gva["gva"]))
    assert krugman(richer)["S"] == pytest.approx(0.9)  # knows shares, not sizes


YEARS = range(2009, 2023)


def drifting(n=9, step=-0.1, noise=0.0, seed=3):
    rng = np.random.default_rng(seed)
    t = np.arange(len(YEARS))
    log = rng.uniform(1, 3, (n, 1)) + rng.normal(0, 0.02, (n, 1)) * t
    log = log + noise * rng.normal(size=log.shape) + step * (np.array(YEARS) >= 2016)
    return pd.DataFrame(np.exp(log), index=[f"R{i}" for i in range(n)], columns=YEARS)


def test_a_step_among_trends_is_estimated_and_removed():
    step = common_step(drifting())
    assert step.estimate == pytest.approx(-0.1, abs=1e-12)
    assert step.placebos.abs().max() < 1e-12  # 2016 never counts for another year
    adjusted = adjust(drifting(), step)
    growth = np.log(adjusted).diff(axis=1).iloc[:, 1:]
    np.testing.assert_allclose(growth, growth.mean(axis=1).to_numpy()[:, None] + 0 * growth)
    assert adjusted.loc[:, 2016:].equals(drifting().loc[:, 2016:])


def test_a_step_by_hand_and_a_region_that_enters_later():
    series = np.exp(pd.DataFrame([[0.0, 1, 3, 4], [0, 2, 3, 5], [np.nan, 1, 7, 8]]))
    series.columns = range(2014, 2018)
    # Changes of 2016 less the mean of the others: 2 - 1, 1 - 2, 6 - 1.
    step = common_step(series)
    assert step.estimate == pytest.approx(1)
    # Of 2015 against 2017 and the other way round, for the two that have both.
    assert step.placebos.to_dict() == pytest.approx({2015: 0, 2017: 0})
    assert step.standard_error == pytest.approx(np.std([1, -1, 5], ddof=1) * np.sqrt(np.pi / 2 / 3))


def test_steps_that_cannot_be_estimated_are_refused():
    for years in (drifting().drop(columns=2012), drifting().loc[:, 2016:]):
        with pytest.raises(DesignError, match="unfit years"):
            common_step(years)
    with pytest.raises(DesignError, match="not positive"):
        common_step(drifting().replace(drifting().iloc[2, 2], 0.0))


def test_the_step_of_2016_in_the_published_structure():
    step = classification_steps(comparable_groups(pd.read_csv(SNAPSHOT / "gva_structure.csv")))
    # The national share fell from 17.23 to 15.79 per cent, log -0.088.
    assert step["manufacturing"] == pytest.approx(-0.088, abs=0.005)
    assert step["business_services"] > 0.3  # imputed rents and the heads of holdings
    assert step.abs().idxmax() == "business_services"


def two_regions():
    rows = [
        ("R", 2019, "mining", 10.0),
        ("R", 2021, "mining", 40.0),
        ("S", 2019, "mining", 10.0),
        ("S", 2021, "mining", 20.0),
        ("R", 2019, "manufacturing", 30.0),
        ("R", 2021, "manufacturing", 30.0),
        ("S", 2019, "manufacturing", 10.0),
        ("S", 2021, "manufacturing", 50.0),
    ]
    return pd.DataFrame(rows, columns=["region", "year", "industry", "gva"])


def test_growth_leaves_the_own_region_out():
    national, outside = industry_growth(two_regions(), 2019, 2021)
    assert national.to_dict() == pytest.approx({"mining": np.log(3), "manufacturing": np.log(2)})
    assert outside.loc["R", "mining"] == pytest.approx(np.log(2))
    assert outside.loc["S", "manufacturing"] == pytest.approx(0)
    with pytest.raises(DesignError, match="in this year"):
        industry_growth(two_regions(), 2015, 2021)


def test_the_step_of_2016_is_taken_off_growth_across_it():
    gva = drifting(step=0.5).stack().rename_axis(["region", "year"]).rename("share").reset_index()
    gva = gva.assign(gva=gva["share"], industry="manufacturing")
    steady = gva.assign(gva=gva["gva"] / np.exp(0.5 * (gva["year"] >= 2016)))
    steady["share"] = steady["gva"]
    for with_step, without in zip(
        industry_growth(gva, 2012, 2021), industry_growth(steady, 2012, 2021), strict=True
    ):
        np.testing.assert_allclose(with_step, without, rtol=1e-9)


def test_exposure_by_hand():
    growth = industry_growth(two_regions(), 2019, 2021)
    shares = pd.DataFrame(
        {"manufacturing": [1.0, 0.0, 0.5], "mining": [0.0, 1.0, 0.5], "trade": 0.0},
        index=list("abc"),
    )
    region = pd.Series({"a": "R", "b": "R", "c": "S"})
    exposure, used, shocks = shift_share(shares, region, *growth)
    assert exposure.tolist() == pytest.approx([np.log(5), np.log(2), np.log(4) / 2])
    assert list(used) == list(shocks.index) == ["manufacturing", "mining"]
    # Rows add up to 1: a shock common to all industries moves all units alike.
    moved = shift_share(shares, region, *(g + 1 for g in growth))[0]
    np.testing.assert_allclose(moved - exposure, 1)


def test_units_without_growth_outside_their_region_are_refused():
    alone = two_regions().query("region == 'R' or industry == 'manufacturing'")
    for gva, industry, region in (
        (two_regions(), "trade", "R"),
        (two_regions(), "mining", "elsewhere"),
        (alone, "mining", "R"),
    ):
        shares = pd.DataFrame({industry: [1.0]}, index=["a"])
        with pytest.raises(DesignError, match="outside the unit's region") as caught:
            shift_share(shares, pd.Series({"a": region}), *industry_growth(gva, 2019, 2021))
        assert caught.value.keys == ["a"]


def test_town_shares_by_hand():
    industries = pd.DataFrame(
        {
            "entity": ["1", "1", "1", "2", "3", None],
            "town": ["a", "a", "b", "c", "d", "e"],
            "industry": ["B", "C", "C", "D", None, "C"],
        }
    )
    shares = town_shares(industries)
    assert shares.loc["1"].to_dict() == {"B": 0.25, "C": 0.75, "D": 0}
    assert list(shares.index) == ["1", "2"]


def test_exposures_from_the_published_tables():
    tables = [pd.read_csv(SNAPSHOT / f"{n}.csv") for n in ("gva_structure", "grp")]
    tables.append(price_index(dict.fromkeys(range(2009, 2023), 5.0)))
    groups = real_gva(comparable_groups(tables[0]), *tables[1:])
    exposure, shares, _ = region_exposure(groups, 2012, 2012, 2021)
    assert len(exposure) == 83 and shares.shape[1] == len(GROUPS)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert exposure.idxmax().startswith("Ханты")  # oil: 68 per cent mining
    with pytest.raises(DesignError, match="answer to the shocks"):
        region_exposure(groups, 2015, 2012, 2021)
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
        exposure, shares, shocks = town_exposure(*tables, industries, *window)
        assert list(shares) == columns
        # Each town's region is small beside the nation, but is not in its own figure.
        assert (exposure - shares @ shocks).abs().between(1e-6, 0.05).all()
    # In one classification sections and groups of one section grow alike.
    shocks = town_exposure(*tables, industries, 2019, 2021)[2]
    assert shocks["C"] == pytest.approx(industry_growth(groups, 2019, 2021)[0]["manufacturing"])


ENTITIES = pd.DataFrame({"entity": ["01", "02"], "region": ["Область", "Край"]})


def test_industries_reach_their_entity_by_region_and_name():
    industries = pd.DataFrame(
        {
            "region": ["Область", "Край", "Край"],
            "town": ["Северск", "г Северск", "Нигде"],
            "section": list("CBC"),
            "strength": "main",
        }
    )
    towns = pd.DataFrame(
        {"region": ["Область", "Край"], "town": ["г. Северск", "Северск"], "entity": ["01", "02"]}
    )
    table = locate_industries(industries, towns, ENTITIES)
    keys = table[["entity", "region", "section"]].to_numpy().tolist()
    assert keys == [["01", "Область", "C"], ["02", "Край", "B"]]
    with pytest.raises(DesignError, match="no town"):
        locate_industries(industries.iloc[2:], towns, ENTITIES)


def test_exposures_reach_their_entities_with_their_shares_and_shocks():
    parts = [
        structure(region, year, "OKVED2", C=c, A=100 - c)
        for region, year, c in (
            ("Область", 2019, 60),
            ("Край", 2019, 20),
            ("Область", 2021, 80),
            ("Край", 2021, 30),
        )
    ]
    grp = pd.DataFrame({"region": ["Область", "Край"], "grp": 100.0})
    grp = grp.merge(pd.DataFrame({"year": [2019, 2021]}), how="cross")
    industries = pd.DataFrame(
        {"entity": ["01"], "region": "Область", "town": "x", "section": "C", "strength": "main"}
    )
    window = {"share_year": 2019, "base": 2019, "last": 2021}
    price = pd.Series(1.0, index=[2019, 2021])
    table, shares, shocks = build_exposure(
        pd.concat(parts), grp, price, industries, ENTITIES, window
    )
    table = table.set_index("entity")
    assert table["manufacturing_base"].to_dict() == {"01": 0.6, "02": 0.2}
    assert table["specialisation_base"].tolist() == pytest.approx([0.8, 0.8])
    assert table.loc["01", "town_exposure"] == pytest.approx(np.log(30 / 20))
    assert np.isnan(table.loc["02", "town_exposure"])
    expected = 0.2 * np.log(80 / 60) + 0.8 * np.log(20 / 40)
    assert table.loc["02", "region_exposure"] == pytest.approx(expected)
    assert shares.groupby(["unit", "key"])["share"].sum().tolist() == pytest.approx([1] * 4)
    growth = shocks.set_index(["unit", "industry"])["growth"]
    assert growth["town", "C"] == growth["region", "manufacturing"] == np.log(110 / 80)
