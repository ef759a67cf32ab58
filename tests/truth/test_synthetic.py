"""California's Proposition 99, the example of Arkhangelsky et al. (2021, Table 1)."""

from pathlib import Path

import pandas as pd
import pytest
from monotowns.estimate.synthetic import synthetic_did

#: Packs sold per resident by state, 1970-2000 (Abadie, Diamond and Hainmueller 2010).
SALES = Path(__file__).with_name("cigarette_sales.csv")


def test_proposition_99():
    wide = pd.read_csv(SALES, index_col="state").rename_axis(columns="year")
    rows = wide.stack().rename("sales").reset_index().astype({"year": int})
    rows = rows.rename(columns={"state": "entity"})
    rows["cohort"] = 1989 * (rows["entity"] == "California")
    fit = synthetic_did(rows, "sales", "cohort", placebos=200, seed=1)
    assert fit["att"]["estimate"] == pytest.approx(-15.604, abs=5e-4)
    # One treated state: no jackknife; their placebo error is 8.4, from 200 draws known to a tenth.
    assert pd.isna(fit["att"]["standard_error"])
    error, p = fit.details["placebo"][1989]
    assert error == pytest.approx(8.4, rel=0.35)
    assert 0.02 < p < 0.25
