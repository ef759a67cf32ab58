import pandas as pd
import pytest
from monotowns.acquire.readers import sheets
from monotowns.run.errors import SourceError

FRAME = pd.DataFrame(
    {"region": ["A", "B", "A", "B"], "year": [2012, 2012, 2013, 2013], "x": [10.0, 20, 11, 22]}
)


def test_figures_and_what_stands_for_none():
    cells = pd.Series([1, 2.5, " 3 ", "", "…", None], name="x")
    assert sheets.numbers(cells, "t").fillna(-1).tolist() == [1, 2.5, 3, -1, -1, -1]
    for odd in ("1,5", "3 тыс", "12*", "-"):
        with pytest.raises(SourceError, match=r"t: not a number(.|\n)*decimal comma") as refusal:
            sheets.numbers(pd.Series([1, odd], name="x"), "t")
        assert f"at: x {odd!r}" in str(refusal.value)
    with pytest.raises(SourceError, match="not a whole number"):
        sheets.numbers(pd.Series([1, 2.5]), "t", whole=True)


def test_heads_are_held_to_their_words():
    expected = {0: ("Код",), 2: ("Доход", "тыс", "!жителя")}
    sheets.heads({0: "Код ОКТМО", 2: "Доход,\n тыс. руб."}, expected, "t")
    for head in ("Доход, млн. руб.", "Расход, тыс. руб.", "Доход на жителя, тыс. руб.", ""):
        with pytest.raises(SourceError, match=r"columns moved, renamed(.|\n)*column 3"):
            sheets.heads({0: "Код", 2: head}, expected, "t")
    with pytest.raises(SourceError, match="no head"):
        sheets.heads({2: "Доход, тыс."}, expected, "t")


def test_columns_and_rows_are_there():
    assert list(sheets.columns(FRAME, {"x": "y", "year": "year"}, "t")) == ["y", "year"]
    with pytest.raises(SourceError, match=r"at: regoin(.|\n)*did you mean 'region'"):
        sheets.columns(FRAME, {"regoin": "region"}, "t")
    with pytest.raises(SourceError, match="no row"):
        sheets.columns(FRAME[:0], {"region": "region"}, "t")


@pytest.mark.parametrize("factor", [0.001, 1000])
def test_a_year_in_another_unit(factor):
    assert sheets.steady(FRAME, "region", "x", "t") is FRAME
    other = FRAME.assign(x=FRAME["x"].where(FRAME["year"] < 2013, FRAME["x"] * factor))
    with pytest.raises(SourceError, match="x 2012 to 2013") as refusal:
        sheets.steady(other, "region", "x", "t")
    assert f"grows {1.1 * factor:.3g}-fold" in str(refusal.value)


def test_a_key_once_and_a_unit_kept():
    assert sheets.once(FRAME, ["region", "year"], "t") is FRAME
    with pytest.raises(SourceError, match=r"stands twice(.|\n)*at: A, B"):
        sheets.once(FRAME, ["region"], "t")
    assert sheets.kept(FRAME, "region", {}, "t") is FRAME
    with pytest.raises(SourceError, match="2013: B"):
        sheets.kept(FRAME[:3], "region", {}, "t")
    assert len(sheets.kept(FRAME[:3], "region", {2013: {"B"}}, "t")) == 3


def test_a_sheet_that_is_missing_and_a_file_that_is_no_workbook(tmp_path):
    with pd.ExcelWriter(tmp_path / "b.xlsx", engine="openpyxl") as book:
        FRAME.to_excel(book, sheet_name="2012", index=False)
    assert sheets.rows(tmp_path / "b.xlsx", "2012")[1] == ["A", 2012.0, 10.0]
    with pytest.raises(SourceError, match=r"b\.xlsx: a sheet is missing(.|\n)*mean '2012'"):
        sheets.rows(tmp_path / "b.xlsx", "2013")
    (tmp_path / "c.xlsx").write_text("<html>")
    with pytest.raises(SourceError, match=r"c\.xlsx: not a workbook"):
        sheets.workbook(tmp_path / "c.xlsx")
