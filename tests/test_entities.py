import json

import numpy as np
import pandas as pd
import pytest
from monotowns.studies.facts import rouble_facts, save_facts


def test_roubles_by_hand():
    # Two monotown entities earn 12 and 24 thousand roubles a resident and year.
    panel = pd.DataFrame(
        {"year": 2021, "monotown": 1, "taxable": [1200.0, 4800.0], "population": [100.0, 200.0]}
    )
    records = pd.DataFrame(
        {
            "specification": ["gap_main"],
            "term": ["2021"],
            "estimate": [np.log(0.5)],
            "standard_error": [0.1],
            "n_clusters": [82],
        }
    )
    facts = rouble_facts(records, panel)
    assert facts["gap.level"][0] == pytest.approx(20_000 / 12)
    # Without the halving the mean would be twice as high: the change is minus one mean.
    assert facts["gap.main.roubles"][0] == pytest.approx(-20_000 / 12)


def test_facts_are_written_as_plain_numbers_and_texts(tmp_path):
    save_facts({"n": [np.int64(6), "count"], "y": [np.int64(2021), "year"]}, tmp_path / "f.json")
    read = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert read == {"n": [6.0, "count"], "y": ["2021", "year"]}
