import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.record import RECORD
from monotowns.studies import toser_layers as layers
from monotowns.studies.cohorts import TABLE
from panels import grid

SETTINGS = {
    "path": [2012, 2015],
    "level": 2013,
    "pass": 0.05,
    "placebos": 19,
    "cities": [2006, 2019],
    "jump": 0.3,
}


def cities(effect=0.0, entities=40, dip=0.0, seed=2):
    """A book of cities of which five got the status, one alone in its cohort."""
    rng = np.random.default_rng(seed)
    frame = grid(entities, range(2006, 2020))
    who, year = frame["entity"].to_numpy(), frame["year"].to_numpy()
    first = np.zeros(entities)
    first[:5] = [2016, 2016, 2017, 2017, 2018]
    on = (first[who] > 0) & (year >= first[who])
    y = rng.normal(size=entities)[who] + effect * on + 0.05 * rng.normal(size=len(frame))
    y -= dip * ((first[who] == 2016) & (year >= 2013) & ~on)
    outcomes = dict.fromkeys(layers.CITIES, y)
    return frame.assign(toser_cohort=first[who], all=1, **outcomes)


def test_an_effect_on_two_cities_is_found_by_permutation():
    rows = cities(0.4)
    fits, pool, apart, table = layers.few_treated(rows, "log_wage", [], SETTINGS, 199, 1)
    assert (pool, apart) == ([2016, 2017], [2018])
    assert list(table) == TABLE
    by = table.set_index(["method", "cohort"])
    assert by.loc[("imputation", "pooled"), "permutation_p"] < 0.02
    assert by.loc[("synthetic", "2016"), "estimate"] == pytest.approx(0.4, abs=0.1)
    assert by.loc[("imputation", "2018"), "estimate"] == pytest.approx(0.4, abs=0.15)
    # One city shows no spread of its own; its placebo error is that of others.
    assert np.isnan(fits["imputation"]["cohort 2018"]["standard_error"])
    assert fits["synthetic"]["cohort 2018"]["standard_error"] > 0


def test_cities_that_fell_before_their_status_are_not_pooled():
    part = layers.cities(cities(dip=0.4), [], SETTINGS, 199, 1)
    assert part.facts["toser.cities.pool.log_wage"] == ["2017", "text"]
    assert part.facts["toser.cities.apart.log_wage"] == ["2016, 2018", "text"]
    barred = layers.few_treated(cities(), "log_wage", [2017], SETTINGS, 99, 1)
    assert barred[1] == [2016]


def test_who_is_a_city_of_the_comparison():
    book = pd.DataFrame(
        {
            "city": ["a", "b", "c", "d", "e", "e"],
            "town": ["A", "B", "C", "D", "E", "E"],
            "year": [2010, 2010, 2010, 2010, 2010, 2005],
            "entity": [1, 2, 3, 4, 5, 5],
        }
    )
    places = pd.DataFrame(
        {
            "entity": [1, 2, 3, 4, 5],
            "region": "r",
            # Status in 2016; undated; a capital; below the definition; status after the window.
            "toser": [2016, 0, np.nan, np.nan, 2020],
            "monotown": [1, 1, 0, np.nan, 1],
            "capital": [0, 0, 1, 0, 0],
        }
    )
    rows = layers.eligible_cities(book, places, [2006, 2019])
    assert dict(zip(rows["entity"], rows["toser_cohort"], strict=True)) == {"a": 2016, "e": 0}


def growth(entities=8):
    """Growth of .1 and .15 in turn; the last entity of each eight jumps."""
    who = np.arange(entities)
    rise = 0.1 + 0.05 * (who % 2) + 0.5 * (who % 8 == 7)
    return pd.DataFrame({"entity": who} | {f"growth_{o}": rise for o in layers.MONTHS})


def test_growth_of_towns_with_the_status_and_without_the_one_that_jumps():
    towns = pd.DataFrame(
        {"entity": range(8), "region": list("abcdabcd"), "category": [1, 1, 2, 2] * 2}
    )
    towns["toser_cohort"] = 2017 * (towns["entity"] % 2)
    part = layers.months(growth(), towns, 0.3)
    assert part.facts["toser.months.jumps.wage_all"] == [1, "count"]
    steady = part.fits["toser_months_steady_wage_all"][1]["status"]
    assert steady["estimate"] == pytest.approx(0.05)
    assert part.fits["toser_months_wage_all"][1]["status"]["estimate"] > 0.1
    assert set(part.table["entities"]) == {3, 4}


def test_holm_by_hand():
    table = pd.DataFrame(
        {
            "cohort": "pooled",
            "method": "path",
            "outcome": list("abc"),
            "p_value": [0.01, 0.04, 0.03],
        }
    )
    assert layers.family(table).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_published_effects_stand_beside_like_outcomes():
    ours = pd.DataFrame(
        {
            "layer": "cities",
            "outcome": ["log_workers", "log_workers", "log_shipments"],
            "cohort": ["pooled", "2016", "pooled"],
            "method": "imputation",
            "estimate": 0.0,
            "detectable": [0.1, 0.2, 0.3],
        }
    )
    published = pd.DataFrame(
        {"study": ["s", "t"], "outcome": "jobs", "beside": ["log_workers", np.nan], "effect": 0.1}
    )
    table = layers.detectable(ours, published)
    assert table["outcome"].tolist() == ["log_workers", "log_shipments"]
    assert table["study"].fillna("").tolist() == ["s", ""]
    assert table["published_outcome"].fillna("").tolist() == ["jobs", ""]


def test_every_layer_gives_records_facts_and_rows():
    rng = np.random.default_rng(3)
    frame = grid(90, range(2012, 2022))
    who, year = frame["entity"].to_numpy(), frame["year"].to_numpy()
    town = who < 60
    first = np.where(town, np.array([2017, 2018, 0, 0])[who % 4], 0)
    # Of the others some lie 20, some 70 and some 400 km north of two with the status.
    near = np.array([50.2, 50.65, 54.0])[who // 4 % 3]
    frame = frame.assign(
        toser_cohort=first.astype(float),
        monotown=town.astype(int),
        category=1 + who % 2 * 1.0,
        region="r" + pd.Series(who % 5).astype(str),
        lat=np.select([~town, who % 4 == 2, who % 4 == 3], [near, near, 54.0], 50.0),
        lon=30 + 3.0 * np.where(town, who // 4, who % 15) + 0.1 * (who % 4 == 1),
    )
    # The countryside catches up: all entities would show an effect that there is none of.
    catching = 0.05 * (~town) * (year - 2012)
    frame["log_taxable_pc"] = rng.normal(size=90)[who] + catching
    for outcome in ("log_taxable_pc", *layers.MUNICIPAL):
        frame[outcome] = frame.get(outcome, 0) + 0.05 * rng.normal(size=len(frame))
    entities = frame.drop_duplicates("entity")
    places = entities[["entity", "region", "monotown", "toser_cohort"]].rename(
        columns={"toser_cohort": "toser"}
    )
    places = places.assign(
        urban_2013=places["monotown"] * 1.0, capital=0, toser=places["toser"].replace(0, np.nan)
    )
    book = cities().drop(columns=["toser_cohort", "all"]).rename(columns={"entity": "city"})
    book = book.assign(entity=book["city"], town=book["city"].astype(str))
    wide = growth(56)
    for outcome in layers.MONTHS:
        wide[f"growth_{outcome}"] += 0.01 * rng.normal(size=56)
    municipal = pd.DataFrame(columns=TABLE)
    municipal.loc[0] = dict.fromkeys(TABLE, 1) | {
        "layer": "municipalities",
        "outcome": "log_taxable_pc",
        "method": "path",
        "cohort": "pooled",
        "p_value": 0.2,
    }
    municipal = municipal.astype({"passes": int})
    records, facts, table = layers.study(
        frame, places, book, wide, municipal, SETTINGS, 99, 1, [0, 50, 100]
    )
    assert list(records) == RECORD
    assert set(table["layer"]) == {"municipalities", "cities", "months"}
    assert facts["toser.spillover.rural"][0] < -0.05
    assert abs(facts["toser.spillover.urban"][0]) < 0.05
    assert facts["toser.holm.log_taxable_pc"][0] <= 1
    assert facts["toser.pool.log_total_pc"][0] in ("2017, 2018", "2017", "2018")
