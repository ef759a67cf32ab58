import pandas as pd
import pytest
from monotowns.acquire.drift import COLUMNS, drift, summary
from monotowns.run.errors import ContractError

SNAPSHOT = pd.DataFrame(
    {"year": ["2012", "2012", "2013"], "code": ["01", "02", "01"], "total": ["5.0", "", "7.0"]}
)
KEY = ["year", "code"]


def rows(frame):
    return [tuple(row) for row in frame.drop(columns="table").itertuples(index=False)]


def test_equal_tables_do_not_drift():
    frame = drift("t", SNAPSHOT, SNAPSHOT.copy(), KEY)
    assert frame.empty and list(frame.columns) == COLUMNS
    # A table read with its types is the same table as its text.
    typed = pd.DataFrame({"code": ["01"], "total": [5.0], "social": [float("nan")]})
    text = pd.DataFrame({"code": ["01"], "total": ["5.0"], "social": [""]})
    assert drift("t", text, typed, ["code"]).empty


def test_every_changed_cell_is_a_row():
    now = SNAPSHOT.assign(total=["5.1", "6.0", "7.0"])
    frame = drift("t", SNAPSHOT, now, KEY)
    assert set(frame["table"]) == {"t"}
    assert rows(frame) == [
        ("year=2012 code=01", "total", "5.0", "5.1"),
        ("year=2012 code=02", "total", "", "6.0"),
    ]
    assert rows(drift("t", now, SNAPSHOT, KEY)) == [(k, c, n, s) for k, c, s, n in rows(frame)]


def test_rows_and_columns_on_one_side():
    now = pd.DataFrame({"year": ["2012", "2014"], "code": ["01", "01"], "share": ["1", "2"]})
    assert rows(drift("t", SNAPSHOT, now, KEY)) == [
        ("", "total", "(present)", "(absent)"),
        ("", "share", "(absent)", "(present)"),
        ("year=2012 code=02", "(row)", "(present)", "(absent)"),
        ("year=2013 code=01", "(row)", "(present)", "(absent)"),
        ("year=2014 code=01", "(row)", "(absent)", "(present)"),
    ]


def test_rows_that_share_a_key_are_compared_in_their_order():
    twice = pd.DataFrame({"code": ["01", "01"], "total": ["1", "2"]})
    assert drift("t", twice, twice, ["code"]).empty
    changed = twice.assign(total=["1", "3"])
    assert rows(drift("t", twice, changed, ["code"])) == [("code=01 #2", "total", "2", "3")]
    assert rows(drift("t", twice, twice[:1], ["code"])) == [
        ("code=01 #2", "(row)", "(present)", "(absent)")
    ]


def test_another_order_alone_is_drift_too():
    order = ("", "(order)", "", "")
    assert rows(drift("t", SNAPSHOT, SNAPSHOT[::-1].reset_index(drop=True), KEY)) == [order]
    assert rows(drift("t", SNAPSHOT, SNAPSHOT[["code", "year", "total"]], KEY)) == [order]


def test_a_missing_key_column_is_refused():
    with pytest.raises(ContractError, match=r"new table of t(.|\n)*at: code"):
        drift("t", SNAPSHOT, SNAPSHOT.drop(columns="code"), KEY)


def test_the_summary_counts_and_shows_the_first():
    now = SNAPSHOT.assign(total=["5.1", "6.0", "7.1"])
    now.loc[3] = ["2014", "01", "1"]
    text = summary(drift("t", SNAPSHOT, now, KEY), shown=2)
    assert text.splitlines()[0] == "3 cells differ, 0 rows are gone, 1 are new"
    assert "(row)" in text and "and 2 more" in text
