"""Facts counted by hand on small tables."""

import numpy as np
import pandas as pd
import pytest
from monotowns.studies.facts import panel_facts


def values(facts):
    return {name: value for name, (value, _) in facts.items()}


def test_facts_of_a_panel_of_three_entities():
    # a: monotown 2013-2021 with two listed towns; b: monotown from 2015 only; c: never.
    rows = [("a", y, 1, 2) for y in (2013, 2015, 2021)]
    rows += [("b", y, 1, 1) for y in (2015, 2021)] + [("c", y, 0, 0) for y in (2013, 2015, 2021)]
    panel = pd.DataFrame(rows, columns=["entity", "year", "monotown", "listed_2014"])
    panel["territory_id"] = panel["entity"].map({"a": 1, "b": 2, "c": 3})
    matched = pd.DataFrame({"list": ["monotowns_2014"], "official": [3], "rows": [np.nan]})
    coverage = pd.DataFrame({"year": [2013, 2013, 2021, 2021], "panel": [45, 45, 80, None]})
    coverage["published"] = [50.0, 50.0, 100.0, 9.0]
    access = pd.DataFrame({"territory_id": [1, 2, 3], "market_access": [1.0, 2.0, 3.0]})
    measures = panel[["entity", "year"]].assign(log_mp_inverse=[1.0] * 3 + [3.0] * 2 + [2.0] * 3)
    found = values(panel_facts(panel, matched, coverage, measures, access))
    assert found["panel.entities"] == 3 and found["panel.rows"] == 8
    assert found["panel.per_year"] == pytest.approx(8 / 3)
    assert (found["panel.monotowns"], found["panel.listed_towns"]) == (2, 3)
    assert (found["panel.around_2014"], found["panel.around_2020"]) == (1, 2)
    assert found["panel.residents_share"] == pytest.approx(85)  # 90 and 80 per cent; a gap is none
    assert found["market_access.rank_correlation"] == pytest.approx(0.5)  # ranks 1 3 2 beside 1 2 3
    assert found["monotowns_2014.official"] == 3 and "monotowns_2014.rows" not in found
    assert "panel.residents_share" not in panel_facts(panel, matched, coverage.iloc[:0])
