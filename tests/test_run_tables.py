import numpy as np
import pandas as pd
import pytest
from monotowns.run.tables import read_table, ten_digits, write_table


def test_ten_digits_are_those_that_a_csv_keeps():
    values = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)
    values = np.r_[values, 0.0, -0.0, np.nan, np.inf, 22350.0, 1e15, 0.1 + 0.2]
    written = np.array([float(f"{value:.10g}") for value in values])
    np.testing.assert_allclose(ten_digits(values), written, rtol=1e-15)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_comes_back_as_it_was_written(tmp_path, ending):
    table = pd.DataFrame(
        {"entity": ["01000000", "02"], "year": [2012, 2013], "x": [1 / 3, np.nan], "k": ["a", None]}
    )
    for _ in range(2):
        write_table(table, tmp_path / f"t.{ending}")
        table = read_table(tmp_path / f"t.{ending}")
    assert table["entity"].tolist() == ["01000000", "02"]
    assert table["x"].iloc[0] == 0.3333333333 and table["x"].isna().tolist() == [False, True]
    assert table["year"].dtype == int and table["k"].isna().tolist() == [False, True]


def test_only_the_columns_that_are_needed_are_read(tmp_path):
    write_table(pd.DataFrame({"a": [1], "b": [2.0]}), tmp_path / "t.parquet")
    assert list(read_table(tmp_path / "t.parquet", {"b", "not there"})) == ["b"]
