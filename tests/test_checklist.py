import pandas as pd
import pytest
from monotowns.manuscript.checklist import verdicts
from monotowns.run.errors import InputError

RECORDS = pd.DataFrame({"specification": ["s"], "term": ["x"], "p_value": [0.03], "variance": "x"})
ITEM = {"id": "a", "item": "what", "artefact": "f.csv"}
CHECK = ITEM | {"check": {"specification": "s", "term": "x", "above": 0.05}, "headline": "gap"}


def checked(*items, facts=None, present=("f.csv",), acknowledged=None, stop=True):
    return verdicts(items, RECORDS, facts or {}, present, acknowledged or {}, stop)


def test_verdicts():
    passed = CHECK | {"id": "b", "check": {"fact": "f", "below": 2}}
    noted = {k: v for k, v in CHECK.items() if k != "headline"} | {"id": "c"}
    table = checked(ITEM, passed, noted, facts={"f": 1.5})
    assert table["verdict"].tolist() == ["shown", "passed", "failed"]
    assert table.loc[2, "told"] == "s x p_value = 0.03, needs above 0.05"


def test_a_failed_headline_check_stops_the_paper_unless_acknowledged():
    with pytest.raises(InputError, match=r"headline rests on failed(.|\n)*0.03"):
        checked(CHECK)
    table = checked(CHECK, acknowledged={"a": "known"})
    assert table.loc[0, ["verdict", "reason"]].tolist() == ["failed", "known"]


def test_what_does_not_exist_and_idle_reasons_are_refused():
    lost = [{"fact": "g", "above": 1}, {"specification": "t", "term": "x", "above": 1}]
    items = [ITEM | {"artefact": "g.csv"}, *(ITEM | {"check": check} for check in lost)]
    with pytest.raises(InputError, match=r"g\.csv.*result: g.*result: t x p_value"):
        checked(*items)
    with pytest.raises(InputError, match="did not fail"):
        checked(ITEM, acknowledged={"a": "why"})


def test_a_fork_reports_what_is_absent_or_failed_and_goes_on():
    lost = ITEM | {"id": "b", "check": {"fact": "g", "above": 1}}
    elsewhere = ITEM | {"id": "c", "artefact": "g.csv"}
    table = checked(CHECK, lost, elsewhere, acknowledged={"c": "idle"}, stop=False)
    assert table["verdict"].tolist() == ["failed", "absent", "absent"]
    assert table["reason"].tolist() == ["", "", ""]
