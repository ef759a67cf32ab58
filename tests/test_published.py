"""Our tables beside figures that others have published for the same towns."""

import pandas as pd
import pytest
from checkout import ROOT

PUBLISHED = pd.read_csv(ROOT / "data/published_towns.csv", dtype={"code": str})
#: Ours over the published figure where both speak of the same: a hundredth off at most, for a
#: date half a year away or a figure printed with two or three digits.
SAME = (0.99, 1.01)


def table(name):
    return pd.read_csv(ROOT / f"data/snapshot/{name}.csv", dtype={"code": str})


def ours(row, tables):
    """Our figure of a row of the published ones, in its unit."""
    frame = tables[row.table]
    if row.table == "monotowns_2024":
        found = frame.loc[frame["town"].str.split(" ", n=1).str[-1] == row.town, row.column]
    elif row.table == "municipal_incomes":
        of = frame[(frame["code"] == row.code) & (frame["year"] == row.year)].drop_duplicates(
            "year"
        )
        found = of["total"] * 1000 / of["per_resident"]
    elif row.table == "cities":
        found = frame.loc[(frame["code"] == row.code) & (frame["year"] == row.year), row.column]
    else:
        versions = tables["municipal_dictionary"]
        now = versions[(versions["code"] == row.code) & (versions["year_to"] == 9999)]
        of = frame[frame["territory_id"].isin(now["territory_id"]) & (frame["year"] == row.year)]
        if row.table == "municipal_wages":
            of = of[(of["section"] == "all") & (of["months"] == 12)]
        found = of[row.column]
    return found.item()


@pytest.fixture(scope="module")
def tables():
    return {name: table(name) for name in {*PUBLISHED["table"], "municipal_dictionary"}}


@pytest.mark.parametrize(
    "row",
    PUBLISHED.itertuples(index=False),
    ids=lambda row: f"{row.town} {row.column} {row.year}",
)
def test_ours_over_the_published_figure_is_as_stated(tables, row):
    assert row.low <= ours(row, tables) / row.published <= row.high


def test_what_differs_says_why_and_where_it_is_published():
    bounds = PUBLISHED[["low", "high"]].apply(tuple, axis=1)
    assert PUBLISHED.loc[bounds != SAME, "reason"].notna().all()
    # A stated difference is narrow: a wide one would hold any figure.
    assert (PUBLISHED["high"] - PUBLISHED["low"]).max() < 0.021
    assert PUBLISHED["address"].str.match("https?://").all()
    assert not PUBLISHED.duplicated(["code", "table", "column", "year"]).any()
    assert PUBLISHED["town"].nunique() >= 12
