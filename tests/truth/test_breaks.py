"""The Nile's flow at Aswan, 1871-1970: one break, 1898 the last year of the old (Cobb 1978)."""

import numpy as np
import pandas as pd
from monotowns.measures.breaks import break_dates
from statsmodels.datasets import nile


def test_the_nile_breaks_after_1898():
    data = nile.load_pandas().data
    # The break is in yearly changes: a year's flow is the change of all water since the start.
    water = pd.DataFrame([np.r_[0, data["volume"].cumsum()]], index=["Nile"])
    water.columns = [1870, *data["year"].astype(int)]
    row = break_dates(water, draws=999, seed=1, trim=15).iloc[0]
    assert row["break_year"] == 1898
    assert row["break_p"] == 0.001
    # Zeileis, Kleiber, Kraemer and Hornik (2003) print 1895 to 1902 (Bai); the set is another one.
    assert 1892 <= row["break_low"] <= 1898 <= row["break_high"] <= 1904
