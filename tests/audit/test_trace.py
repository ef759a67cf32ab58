"""What the paper shows, one by one, with the place that each is read from and its own sentence."""

import json

import pandas as pd
import pytest
from monotowns.audit import trace
from monotowns.run.errors import InputError

ROWS = {
    "specification": ["gap", "gap"],
    "term": ["2020", "2021"],
    "estimate": [-0.1, -0.2],
    "standard_error": [0.01, 0.02],
    "ci_low": [-0.12, -0.24],
    "ci_high": [-0.08, -0.16],
    "p_value": [0.2, 0.01],
    "n_obs": 90,
    "n_entities": 9,
    "n_clusters": 5,
    "variance": "CRV1",
}
TEXTS = {
    "main.typ": "",
    "b.typ": '= Data\nOf #n("towns") towns all are located.\n\nThere are #n("towns") of them.',
    "a.typ": 'It fell to #n("gap.2021.estimate") (#interval("gap.2021")), see #n("other").',
}


@pytest.fixture
def run(tmp_path):
    for folder in ("results/facts", "results/estimates"):
        (tmp_path / folder).mkdir(parents=True)
    pd.DataFrame(ROWS).to_csv(tmp_path / "results/estimates/gap.csv", index=False)
    (tmp_path / "results/estimates/gap.flow.csv").write_text("step,rows\n", encoding="utf-8")
    (tmp_path / "results/facts/panel.json").write_text('{"towns": [312, "count"]}')
    numbers = {
        "towns": "312",
        "other": "7",
        "gap.2021.estimate": "−0.200",
        "gap.2021.low": "−0.240",
        "gap.2021.high": "−0.160",
    }
    (tmp_path / "results/numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    claims = {
        "claim": ["fell"],
        "assertion": ["gap[2021] < 0"],
        "sentence": ["It fell to {gap.2021.estimate}."],
    }
    pd.DataFrame(claims).to_csv(tmp_path / "results/claims.csv", index=False)
    return tmp_path


def shown(*names, kind="number"):
    return [{"kind": kind, "name": name, "page": 1} for name in names]


def test_a_number_comes_from_its_record_its_fact_or_the_collection(run):
    found = trace.origins(run)
    assert found["gap.2021.low"] == ("results/estimates/gap.csv", 1)
    assert found["towns"] == ("results/facts/panel.json", -1)
    assert found["other"] == ("results/numbers.json", -1)


def test_a_number_printed_twice_stands_in_each_of_its_sentences(run):
    found = trace.items(shown("towns", "towns", "gap.2021.low"), run, TEXTS)
    assert [item["sentences"] for item in found] == [
        ["Of 312 towns all are located."],  # without the heading before it
        ["There are 312 of them."],
        ["It fell to −0.200 (−0.240 to −0.160), see 7."],
    ]
    assert found[2]["record"]["term"] == "2021"
    # Printed once more than it is written, in a loop: then any of the sentences may be its own.
    often = trace.items(shown("towns", "towns", "towns"), run, TEXTS)
    assert [len(item["sentences"]) for item in often] == [2, 2, 2]


def test_a_claim_brings_its_assertions_and_a_number_of_no_result_is_refused(run):
    (found,) = trace.items(shown("fell", kind="claim"), run, TEXTS)
    assert found["assertions"] == ["gap[2021] < 0"]
    assert found["sentences"] == ["It fell to −0.200."]
    (figure,) = trace.items(shown("map", kind="figure"), run, TEXTS)
    assert figure["file"] == "results/figures/map.svg"
    with pytest.raises(InputError, match=r"no result gives(.|\n)*gap\.2019\.low"):
        trace.items(shown("gap.2019.low"), run, TEXTS)
