import numpy as np
import pandas as pd
import pytest
from monotowns.manuscript.numbers import of_facts, of_records, written
from monotowns.run.errors import InputError


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (np.log(1.1), "percent", "+10.0"),
        (np.log(0.9), "percent", "−10.0"),
        (-0.0371, "estimate", "−0.037"),
        (-0.0001, "estimate", "0.000"),
        (0.0, "percent", "0.0"),
        (0.0004, "p", "< 0.001"),
        (0.0312, "p", "= 0.031"),
        (23198, "count", "23,198"),
        (2021, "year", "2021"),
        (98.52, "share", "98.5"),
        (-0.9451, "correlation", "−0.95"),
    ],
)
def test_numbers_as_printed(value, kind, text):
    assert written(value, kind).removeprefix("+") == text.removeprefix("+")


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "estimate"), (np.inf, "p"), (1, "metres")])
def test_what_must_not_reach_the_text(value, kind):
    with pytest.raises(InputError):
        written(value, kind)


RECORD = {
    "specification": "s",
    "term": "x",
    "estimate": -0.1,
    "standard_error": 0.05,
    "ci_low": -0.2,
    "ci_high": 0.0,
    "p_value": 0.05,
    "n_obs": 1000,
    "n_entities": 100,
    "n_clusters": 10,
    "variance": "CRV1(region), fixest",
}


def test_records_by_term_and_by_further_variance():
    wild = {"variance": "wild cluster bootstrap(region)", "standard_error": np.nan, "ci_low": -0.3}
    numbers = of_records(pd.DataFrame([RECORD, RECORD | wild]))
    assert numbers["s.x.low"] == "−0.200"
    assert numbers["s.x.wild cluster bootstrap.low"] == "−0.300"
    assert numbers["s.n"] == "1,000"
    # Student's t with 9 degrees of freedom: (2.262 + 0.883) standard errors.
    assert numbers["s.x.mde"] == "0.157"
    assert "s.x.wild cluster bootstrap.se" not in numbers


def test_a_name_given_twice_is_refused():
    assert of_facts({"a": [1, "count"]}, {"b": [0.5, "share"]}) == {"a": "1", "b": "0.5"}
    with pytest.raises(InputError, match="given twice"):
        of_facts({"a": [1, "count"]}, {"a": [2, "count"]})
