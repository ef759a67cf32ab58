import numpy as np
import pandas as pd
import pytest
from monotowns.panel.municipalities import build_panel
from monotowns.run.errors import ConfigError, ContractError

MAIN = {"main": {"list": 2001, "town_share_min": 0.5}}
YEARS = {"first": 2000, "last": 2001}
DEFLATOR = {2000: 0.0, 2001: 100.0}


def tables():
    """Three places over three years; A is a company town, B one by a minor part."""
    rows = [(e, y, 1000.0, 2.0) for e in "ABC" for y in (1999, 2000, 2001)]
    places = pd.DataFrame(rows, columns=["entity", "year", "population", "taxable"])
    places = places.assign(name=places["entity"], region="R", lat=0.0, lon=0.0)
    towns = pd.DataFrame(
        {"list": 2001, "entity": ["A", "B"], "town": ["a", "b"], "town_share": [0.9, 0.2]}
    )
    return places, towns


def test_a_minor_company_town_is_neither_treated_nor_control():
    panel, towns, flow = build_panel(*tables(), MAIN, YEARS, DEFLATOR)
    marks = panel.drop_duplicates("entity").set_index("entity")["monotown"]
    assert marks["A"] == 1 and marks["C"] == 0 and np.isnan(marks["B"])
    assert list(towns["entity"]) == ["A", "B"]
    assert flow.set_index("step")["rows"].to_dict() == {"printed": 6, "removed": 0, "kept": 6}


def test_income_is_in_prices_of_the_last_year():
    # 2,000 a year for 1,000 residents are 2 each; prices doubled in 2001.
    panel, _, _ = build_panel(*tables(), MAIN, YEARS, DEFLATOR)
    income = panel[panel["entity"] == "C"].set_index("year")["log_taxable_pc"]
    assert np.exp(income[2001]) == pytest.approx(2)
    assert np.exp(income[2000]) == pytest.approx(4)


def test_rows_without_income_or_residents_are_counted_out():
    places, towns = tables()
    places.loc[places["year"] == 2000, "taxable"] = [np.nan, 0.0, 2.0]
    panel, _, flow = build_panel(places, towns, MAIN, YEARS, DEFLATOR)
    assert len(panel) == 4
    assert flow.set_index("step")["rows"]["removed"] == 2


def test_a_status_of_some_towns_comes_with_its_year():
    status = pd.DataFrame({"entity": ["A", "B"], "established": ["2001-05-03", None]})
    panel, _, _ = build_panel(*tables(), MAIN, YEARS, DEFLATOR, status)
    year = panel.drop_duplicates("entity").set_index("entity")["toser"]
    assert year["A"] == 2001 and year["B"] == 0 and np.isnan(year["C"])


def test_social_payments_make_the_total_and_their_share():
    places, towns = tables()
    panel, _, _ = build_panel(places.assign(social=2.0), towns, MAIN, YEARS, DEFLATOR)
    assert panel["transfer_share"].tolist() == [0.5] * 6
    assert (panel["log_total_pc"] - panel["log_taxable_pc"]).tolist() == pytest.approx(
        [np.log(2)] * 6
    )


def test_what_the_tables_do_not_have_is_refused_by_name():
    places, towns = tables()
    with pytest.raises(ContractError, match=r"company_towns: an entity is no mun(.|\n)*at: D"):
        build_panel(places, towns.assign(entity=["A", "D"]), MAIN, YEARS, DEFLATOR)
    status = pd.DataFrame({"entity": ["D"], "established": ["2001"]})
    with pytest.raises(ContractError, match=r"toser: an entity is no municipality(.|\n)*at: D"):
        build_panel(places, towns, MAIN, YEARS, DEFLATOR, status)
    late = {"main": MAIN["main"] | {"list": 2014}}
    with pytest.raises(ConfigError, match=r"no such list(.|\n)*found: 2014"):
        build_panel(places, towns, late, YEARS, DEFLATOR)
    with pytest.raises(ConfigError, match="no municipality has a row in these years"):
        build_panel(places, towns, MAIN, {"first": 1950, "last": 1951}, DEFLATOR)


@pytest.mark.parametrize("other", ["A ", "A\u00a0", "a", "\u0410", "0A"])
@pytest.mark.parametrize("column", ["entity", "region"])
def test_a_name_in_two_spellings_is_refused(column, other):
    """A space, a no-break space, another case, the Cyrillic letter, a zero in front."""
    places, towns = tables()
    places["region"] = "A"
    places.loc[1, column] = other
    with pytest.raises(ContractError, match=rf"column {column}: one name in two") as refusal:
        build_panel(places, towns, MAIN, YEARS, DEFLATOR)
    assert {repr("A"), repr(other)} == set(refusal.value.keys)
