"""Identities, row counts and verdicts: each rule met by the real tables and broken by one cell."""

from pathlib import Path

import pandas as pd
import pytest
from monotowns.panel.contracts import identities, panel, verdicts
from monotowns.panel.contracts.verdicts import KNOWN_FAULTS, ROW_COUNTS, load_listed
from monotowns.run.errors import ContractError
from monotowns.run.tables import read_table

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tables():
    read = {p.stem: read_table(p) for p in sorted((ROOT / "data/snapshot").glob("*.csv"))}
    for name in ("crosswalk", "towns"):
        read[f"hand_{name}"] = pd.read_csv(ROOT / f"data/corrections/{name}.csv", dtype=str)
    return read


def known():
    return load_listed(ROOT / "data/known_faults.csv", KNOWN_FAULTS)


def test_the_committed_tables_keep_every_identity_but_for_the_known_faults(tables):
    found = verdicts.of_identities(identities.IDENTITIES, tables, [])
    assert all(v.rows > 0 for v in found)
    # The known faults are all found and nothing else is.
    assert [v for v in verdicts.excuse(found, known()) if v.failing] == []
    assert sum(len(v.failing) for v in found) == len(known())


# Rule -> table, cell that is changed, words of the message.
BREAKS = {
    "one_territory": ("municipal_dictionary", {"year_to": 9999}, "03726000 2018 9999"),
    "one_code": ("municipal_dictionary", {"territory_id": 1}, "1 "),
    "one_region": ("municipal_dictionary", {"region": "Алтай"}, "Алтай"),
    "known_regions": ("municipal_incomes", {"code": "02601000"}, "2010 02 1"),
    "per_resident": ("municipal_incomes", {"per_resident": 5.0}, "5.0"),
    "settlements": ("population_2024", {"population": 1}, "settlements"),
    "municipalities": ("population_2024", {"population": 1}, "municipalities"),
    "published_residents": ("population_regions", {"population": 1.0}, "after"),
    "town_within": ("monotowns_2024", {"town_population": 10**7}, "10000000"),
    "town_lives": ("monotowns_2024", {"town_population": 0}, ""),
    "towns_in_regions": ("towns_2020", {"population": 10**8}, "towns 10"),
    "centres": ("municipal_dictionary", {"lat": 80.0}, "Залесовский"),
    "grp_residents": ("grp", {"region": "Атлантида"}, "Атлантида"),
    "groups_within": ("regional_groups", {"shipments": 1e9}, "manufacturing_shipments_okved2"),
    "same_product": ("regional_product", {"value": 1.0}, "Алтайский край 2001 1.0"),
    "sections": ("gva_structure", {"year": 2010}, "2010"),
    "hand_codes": ("hand_crosswalk", {"code": "99999999"}, "99999999"),
    "hand_towns": ("hand_towns", {"town": "Китеж"}, "Китеж"),
}
#: Where the change is made; elsewhere in the first row.
ROWS = {
    "one_territory": lambda f: f["code"].eq("03726000") & f["year_from"].eq(2018),
    "settlements": lambda f: f["level"].eq("municipality") & f["code"].eq("01602000"),
    "municipalities": lambda f: f["level"].eq("municipality") & f["code"].eq("01602000"),
    "published_residents": lambda f: f["year"].eq(2023) & f["region"].eq("Омская область"),
    "town_within": lambda f: f["town_population"].gt(0) & f["municipality_population"].gt(0),
    "town_lives": lambda f: f["town_population"].gt(0),
    "grp_residents": lambda f: f["year"].eq(2012),
    "groups_within": lambda f: f["group"].eq("C18"),
}


@pytest.mark.parametrize("rule", BREAKS)
def test_one_wrong_cell_breaks_its_identity(tables, rule):
    name, change, words = BREAKS[rule]
    frame = tables[name].copy()
    rows = ROWS.get(rule, lambda f: pd.Series(f.index == 0, index=f.index))(frame)
    at = frame.index[rows][0]
    for column, value in change.items():
        frame[column] = frame[column].astype(object)
        frame.loc[at, column] = value
        if not isinstance(value, str):
            frame[column] = pd.to_numeric(frame[column])
    check = getattr(identities, f"_{rule}")
    before = check(tables)[1]
    after = check(tables | {name: frame})[1]
    new = [case for case in after if case not in before]
    assert new and any(words in case for case in new)


def test_the_centres_in_their_outline_are_counted(tables):
    outlines = tables["borders"].copy()
    own = outlines["territory_id"] == 525
    assert own.sum() == 1
    outlines.loc[own, "wkt"] = "POLYGON ((20 55, 21 55, 21 56, 20 55))"
    assert "2075 of 2327 inside" in identities._centres(tables | {"borders": outlines})[1]


def test_every_rule_of_the_list_is_broken_by_some_test():
    listed = {check.__name__ for _, _, check in identities.IDENTITIES}
    of_tables = {"names", "places", "sums", "unit"}
    assert listed == {f"_{rule}" for rule in (*BREAKS, *UNITS)} | of_tables
    with_region = {t for t, _, check in identities.IDENTITIES if check.__name__ == "names"}
    wrong = pd.DataFrame({"region": ["Область", "Край"]})
    known = {"municipal_dictionary": pd.DataFrame({"region": ["Область"]})}
    assert len(with_region) == 15
    for table, _, check in identities.IDENTITIES:
        if check.__name__ == "names":
            assert check(known | {table: wrong}) == (2, ["Край"])


#: Rule -> table, column, year of which the unit changes, words of the message.
UNITS = {
    "city_residents": ("cities", "population", 2013, "2013: ratio 1000"),
    "steady_wages": ("municipal_wages", "wage", 2023, "-fold"),
    "steady_months": ("consumption", "all", 2024, "2024-1: "),
}


@pytest.mark.parametrize("rule", UNITS)
def test_another_unit_in_a_layer_is_found(tables, rule):
    name, column, year, words = UNITS[rule]
    frame = tables[name].copy()
    other = frame["year"] == year
    if rule == "steady_wages":
        other &= frame["months"] == 12
    frame[column] = frame[column].where(~other, frame[column] * 1000)
    found = getattr(identities, f"_{rule}")(tables | {name: frame})[1]
    assert any(words in case for case in found)


def test_the_cities_are_pinned_by_the_municipal_database(tables):
    rules = [check for _, _, check in identities.IDENTITIES if check.__name__ == "unit"]
    for column, check in zip(identities.PINNED, rules, strict=True):
        frame = tables["cities"].assign(**{column: tables["cities"][column] * 1000})
        assert any(": ratio 1" in case for case in check({"cities": frame})[1]), column


def test_territories_of_a_table_are_the_dictionary_s(tables):
    for name, _, check in identities.IDENTITIES:
        if check.__name__ == "places":
            frame = tables[name].assign(territory_id=-7)
            assert check(tables | {name: frame})[1] == ["-7"]


def built():
    """A panel of two entities and two years with all that it was made from."""
    codes = ["10601000", "10602000"]
    rows = pd.DataFrame({"entity": codes * 2, "year": [2012, 2012, 2013, 2013]})
    steps = [("printed", 9, 3), ("removed", 4, 1), ("formed", 5, 2), ("removed", 1, 1)]
    versions = pd.DataFrame({"code": codes, "territory_id": [1, 2], "year_to": 9999})
    town = pd.DataFrame({"region": ["A"], "town": ["t"], "category": [1]})
    towns = pd.concat([town.assign(list="monotowns_2024"), town.assign(list="toser")])
    return {
        "panel": rows.assign(taxable=6.0, social=4.0, total=10.0, members=1),
        "measures": rows.copy(),
        "sample_flow": pd.DataFrame([*steps, ("kept", 4, 2)], columns=["step", "rows", "entities"]),
        "crosswalk": pd.DataFrame({"code": codes, "name": ["a", "b"], "entity": codes}).assign(
            reason="code"
        ),
        "coverage": pd.DataFrame({"region": ["A"], "year": [2012], "share": [0.99]}),
        "municipal_dictionary": versions.assign(year_from=2018, change_from=None, change_to=None),
        "towns": towns.assign(entity=codes[0]).reset_index(drop=True),
        "monotowns_2024": town.assign(municipality_population=float("nan"), town_population=7.0),
        "population_2024": pd.DataFrame({"code": codes[:1], "population": [7]}),
    }


def test_a_panel_that_is_what_it_was_made_from_keeps_every_identity():
    found = verdicts.of_identities(panel.IDENTITIES, built(), [])
    assert [v for v in found if v.failing] == []
    assert all(v.rows > 0 for v in found)


@pytest.mark.parametrize(
    ("rule", "table", "row", "change", "words"),
    [
        ("incomes_add_up", "panel", 0, {"total": 14.0}, "10601000 2012 14.0"),
        ("flow_adds_up", "sample_flow", 3, {"rows": 2}, "rows left and kept: 3, 4"),
        ("flow_adds_up", "sample_flow", 4, {"entities": 3}, "entities kept and in the panel: 3, 2"),
        ("printed_once", "crosswalk", 1, {"code": "10601000", "name": "a"}, "10601000 a"),
        ("entity_known", "crosswalk", 1, {"entity": "10999000"}, "10602000 b 10999000"),
        ("entity_region", "crosswalk", 1, {"code": "20602000"}, "20602000 b 10602000"),
        ("town_placed", "towns", 1, {"entity": "10602000"}, "toser A t 10602000"),
        ("town_placed", "towns", 0, {"entity": None}, "monotowns_2024 A t"),
        ("town_residents", "population_2024", 0, {"population": 8}, "A t 10601000"),
        ("published_residents", "coverage", 0, {"share": 1.3}, "A 2012 1.3"),
        ("measured", "measures", 2, {"year": 2014}, "10601000 2014"),
    ],
)
def test_one_wrong_cell_breaks_the_panels_identity(rule, table, row, change, words):
    tables = built()
    for column, value in change.items():
        tables[table].loc[row, column] = value
    _, cases = getattr(panel, f"_{rule}")(tables)
    assert words in "; ".join(cases)


def counted(frame, **rows):
    """What fails when these rows by year are the reviewed ones."""
    years = [year.removeprefix("y") for year in rows]
    reviewed = pd.DataFrame({"table": "t", "year": years, "rows": list(rows.values())})
    (verdict,) = verdicts.of_counts({"t": frame}, reviewed)
    assert verdict.word == ("failed" if verdict.failing else "passed")
    return verdict.failing


def test_row_counts_by_year_and_in_all():
    frame = pd.DataFrame({"year": [2012, 2012, 2013]})
    assert counted(frame, y2012="2", y2013="1") == []
    assert counted(frame[1:], y2012="2", y2013="1") == ["2012: 2 reviewed, 1 found"]
    assert counted(pd.DataFrame({"year": [2012, 2012, 2014]}), y2012="2", y2013="1") == [
        "2013: 1 reviewed, 0 found",
        "2014: none reviewed, 1 found",
    ]
    towns = frame.rename(columns={"year": "town"})
    assert counted(towns, y="3") == []
    assert counted(towns[:1], y="3") == ["all rows: 3 reviewed, 1 found"]


def test_the_committed_counts_are_those_of_the_committed_tables(tables):
    snapshot = {k: v for k, v in tables.items() if not k.startswith("hand_")}
    reviewed = load_listed(ROOT / "data/row_counts.csv", ROW_COUNTS)
    assert set(reviewed["table"]) == set(snapshot)
    assert [v for v in verdicts.of_counts(snapshot, reviewed) if v.failing] == []


def test_a_table_of_which_no_count_is_listed_is_reported_and_does_not_stop():
    reviewed = pd.DataFrame({"table": ["a"], "year": ["2012"], "rows": ["1"]})
    new = pd.DataFrame({"year": [2012, 2013]})
    found = verdicts.of_counts({"b": new}, reviewed)
    assert [v.word for v in found] == ["not reviewed"]
    assert found[0].failing == ["2012: none reviewed, 1 found", "2013: none reviewed, 1 found"]
    verdicts.stop_if_failed(found)


def test_a_list_kept_by_hand_that_cannot_be_read_is_one_clear_error(tmp_path):
    path = tmp_path / "known.csv"
    path.write_text("table,rule,case,reason\nt,r,c,why\nt,r,c,this, and that\n", encoding="utf-8")
    with pytest.raises(ContractError, match="quotation marks"):
        load_listed(path, KNOWN_FAULTS)
    path.write_text("table,rule,case,reason\nt,r,c,\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"empty cell(.|\n)*line 2"):
        load_listed(path, KNOWN_FAULTS)
    with pytest.raises(ContractError, match="other columns"):
        load_listed(path, ROW_COUNTS)


def test_a_known_fault_is_set_apart_and_one_that_is_gone_fails():
    found = [verdicts.Verdict("t", "r", 9, ["a", "b"])]
    faults = pd.DataFrame({"table": "t", "rule": "r", "case": ["a", "c"], "reason": "why"})
    table = verdicts.to_table(verdicts.excuse(found, faults)).set_index("table")
    assert table.loc["t", ["rows", "failing", "known", "verdict"]].tolist() == [9, 1, 1, "failed"]
    assert table.loc["t", "examples"] == "b"
    assert table.loc["known_faults", ["examples", "verdict"]].tolist() == ["t: r: c", "failed"]


def test_all_failures_stop_the_run_at_once_and_none_hides_another():
    good, bad = verdicts.Verdict("t", "kept", 3), verdicts.Verdict("t", "broken", 3, ["k1", "k2"])
    verdicts.stop_if_failed([good])
    drifted = verdicts.Verdict("t", "read anew", 1, ["cell"], if_failing=verdicts.DRIFTED)
    verdicts.stop_if_failed([drifted])
    with pytest.raises(
        ContractError, match=r"2 of 3(.|\n)*broken: 2 cases, e.g. k1, k2(.|\n)*u: w"
    ):
        verdicts.stop_if_failed([good, bad, verdicts.Verdict("u", "w", 1, ["x"])])
    # An identity over a table whose columns are gone says so beside that table's own failure.
    check = [("u", "sum", lambda tables: (1, list(tables["u"]["gone"])))]
    judged = verdicts.of_identities(check, {"u": pd.DataFrame()}, [bad])
    assert "not computable: KeyError" in judged[0].failing[0]
    with pytest.raises(KeyError):
        verdicts.of_identities(check, {"u": pd.DataFrame()}, [good])


@pytest.mark.parametrize("table", ["toser", "grp", "market_access", "towns_2020"])
def test_a_fork_that_lacks_a_table_is_judged_on_the_others(tables, table):
    others = {name: frame for name, frame in tables.items() if name != table}
    found = verdicts.excuse(verdicts.of_identities(identities.IDENTITIES, others, []), known())
    assert table not in {v.table for v in found}
    assert [v for v in found if v.failing] == []


def test_the_verdict_on_columns_counts_rows_and_names_them(tables):
    grp = tables["grp"].copy()
    grp.loc[[5, 9], "grp"] = -1.0
    grp.loc[20, ["region", "year"]] = grp.loc[21, ["region", "year"]].to_numpy()
    judged = verdicts.to_table(verdicts.of_schemas({"grp": grp})).set_index("rule")
    assert judged.loc["grp: never missing, greater_than(0)", ["failing", "verdict"]].tolist() == [
        2,
        "failed",
    ]
    assert judged.loc["one row a region, year", "failing"] == 1
    assert (judged["rows"] == len(grp)).all()
    short = verdicts.of_schemas({"grp": grp.drop(columns="grp")})
    assert ["grp: no such column"] in [v.failing for v in short]


def test_drift_is_reported_and_does_not_stop():
    drift = pd.DataFrame({"key": ["year=2012"], "column": ["grp"], "snapshot": ["1"], "now": ["2"]})
    none = drift.iloc[:0]
    found = verdicts.of_drifts({"grp": drift, "toser": none})
    verdicts.stop_if_failed(found)
    table = verdicts.to_table(found)
    assert table[["table", "verdict"]].to_numpy().tolist() == [["grp", "drifted"]]
    assert table.loc[0, "examples"] == "year=2012 grp: 1 -> 2"
    facts = verdicts.facts(table)
    assert facts["drift.cells"][0] == 1 and facts["drift.tables"][0] == "grp"
