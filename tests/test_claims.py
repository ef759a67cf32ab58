import pandas as pd
import pytest
from monotowns.manuscript.claims import check_claims, check_guards, facts_of
from monotowns.manuscript.text import (
    claimed,
    filled,
    needs_of,
    prose,
    sentences,
    typed_digits,
    unguarded,
    without_result,
)
from monotowns.run import schema
from monotowns.run.errors import InputError

RECORDS = pd.DataFrame(
    [
        ("gap", "2021", -0.1, -0.2, -0.01, "CRV1(region)"),
        ("toser", "att", -0.02, -0.06, 0.02, "x"),
        ("gap", "2021", -0.1, -0.3, 0.1, "wild"),
        ("mp", "x", 0.05, 0.01, 0.09, "x"),
    ],
    columns=["specification", "term", "estimate", "ci_low", "ci_high", "variance"],
)
FACTS = {"turned.p": 0.2, "turned": 34.0, "expected": 30.0}
FELL = '#claim("fell")[Incomes fell by #n("gap.2021.percent") per cent.]'
GONE = '#claim("gone")[It rose.]'
GAP = {"specification": "gap", "term": 2021}
FALL = GAP | {"holds": "negative"}
MP = {"specification": "mp", "term": "x"}
ATT = {"specification": "toser", "term": "att", "holds": "null"}


def check(claims, source=FELL, records=RECORDS, left_out="", stop=True):
    return check_claims(claims, source, records, FACTS, left_out, stop)


def test_a_true_claim_is_listed_with_its_sentence_and_variance():
    claims = {"fell": [FALL, FALL | {"variance": "CRV1"}]}
    table, failed = check(claims, f"Before. {FELL} After.")
    assert set(table["sentence"]) == {"Incomes fell by {gap.2021.percent} per cent."}
    assert list(table["assertion"]) == ["gap 2021 negative", "gap 2021 (CRV1) negative"]
    assert failed == {}


def test_a_flipped_sign_stops_the_build_and_quotes_the_sentence():
    flipped = {"estimate": -RECORDS["estimate"], "ci_low": -RECORDS["ci_high"]}
    flipped = RECORDS.assign(**flipped, ci_high=-RECORDS["ci_low"])
    with pytest.raises(InputError, match=r"Incomes fell by(.|\n)*needs gap 2021 negative"):
        check({"fell": FALL}, records=flipped)


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        (FALL | {"variance": "wild"}, False),
        (GAP | {"holds": "positive"}, False),
        (GAP | {"holds": "below", "than": 0.04}, True),
        (GAP | {"holds": "above", "than": MP}, False),
        (GAP | {"holds": "below", "than": {"fact": "turned.p"}}, True),
        (MP | {"holds": "positive"}, True),
        (MP | {"holds": "above", "than": 0.04}, True),
        (MP | {"holds": "above", "than": 0.04, "by": "interval"}, False),
        (ATT, False),  # no detectable effect in the text
        ({"fact": "turned.p", "holds": "above", "than": 0.05}, True),
        ({"fact": "turned.p", "holds": "below", "than": 0.05}, False),
        ({"fact": "turned", "holds": "above", "than": {"fact": "expected"}}, True),
        ({"fact": "expected", "holds": "above", "than": {"fact": "turned"}}, False),
        ({"fact": "turned", "holds": "above", "than": {"fact": "gone"}}, False),
        ({"fact": "turned.p", "holds": "above", "than": MP}, True),
    ],
)
def test_assertions(claim, true):
    table, failed = check({"fell": claim}, stop=False)
    assert (failed == {}) is true and len(table) == 1
    if "fact" in claim:
        assert table.loc[0, "estimate"] == FACTS[claim["fact"]] and pd.isna(table.loc[0, "ci_low"])


def test_a_null_is_claimed_only_with_its_detectable_effect():
    text = '#claim("no")[No effect; effects of #n("toser.att.mde") would have been seen.]'
    assert check({"no": ATT}, text)[1] == {}


def test_claims_and_assertions_pair():
    for claims, text in (({}, FELL), ({"fell": FALL, "rose": FALL}, FELL)):
        with pytest.raises(InputError, match="do not pair"):
            check(claims, text)
    with pytest.raises(InputError, match="not closed"):
        claimed('#claim("a")[open [x]')
    with pytest.raises(InputError, match="twice"):
        claimed(FELL + FELL)


def test_what_fails_stops_the_study_and_is_listed_in_a_fork():
    claims = {"fell": GAP | {"holds": "positive"}, "gone": FALL | {"term": 1999}}
    with pytest.raises(InputError, match=r"2 claims do not hold(.|\n)*no result gap 1999"):
        check(claims, FELL + GONE)
    table, failed = check(claims, FELL + GONE, stop=False)
    assert table["claim"].tolist() == ["fell"]
    assert failed["gone"] == "no result gap 1999"
    assert "needs gap 2021 positive; found -0.1000 [-0.2000, -0.0100]" in failed["fell"]
    fact = {"fact": "turned", "holds": "below", "than": {"fact": "expected"}}
    with pytest.raises(InputError, match=r"needs turned below expected; found 34\.0000\n"):
        check({"fell": fact})


def test_claims_of_a_section_that_is_left_out_are_not_checked():
    claims = {"fell": FALL, "gone": FALL | {"term": 1999}}
    assert check(claims, left_out=GONE)[0]["claim"].tolist() == ["fell"]


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"fact": "turned", "holds": "negative"}, "a fact has no interval"),
        ({"fact": "turned", "holds": "above", "than": 1, "by": "interval"}, "no interval"),
        ({"fact": "turned", "specification": "gap", "holds": "above", "than": 1}, "no interval"),
        ({"specification": "gap", "holds": "negative"}, "missing: term"),
        ({"holds": "negative"}, "missing: specification"),
        (GAP | {"holds": "above"}, "need than"),
        (FALL | {"than": 1}, "need than"),
    ],
)
def test_an_assertion_that_asks_for_nothing_is_refused(claim, message):
    with pytest.raises(InputError, match=f"{message}(.|\n)*fell"):
        check({"fell": claim})


def test_an_unknown_key_of_an_assertion_names_the_nearest():
    claims = {"literals": [], "claims": {"a": {"fact": "x", "hold": "above", "than": 1}}}
    with pytest.raises(InputError, match="unknown key 'hold', did you mean 'holds'"):
        schema.check(claims, "claims", "claims.yaml", InputError)
    claims["claims"]["a"] = [{"fact": "x", "holds": "abov", "than": 1}]
    with pytest.raises(InputError, match="unknown value 'abov', did you mean 'above'"):
        schema.check(claims, "claims", "claims.yaml", InputError)


def test_facts_are_the_numbers_as_computed():
    groups = [{"a": [1.25, "share"], "year": ["2022", "year"]}, {"which": ["2018", "text"]}]
    assert facts_of(groups) == {"a": 1.25, "year": 2022.0}


def test_unguarded_sentences_are_found():
    text = f'{FELL} Population rose as well. By #n("a.lower") of method. Доход вырос.'
    assert unguarded(text) == ["Population rose as well.", "Доход вырос."]
    with pytest.raises(InputError, match=r"gap\.typ(.|\n)*nothing checks it(.|\n)*as well"):
        check_guards({"gap.typ": text}, [])


def test_typed_digits_are_found_and_years_are_not():
    text = 'In 2014 it was #n("a.b") per cent. It was 12.5 per cent. #set text(size: 9pt)'
    assert typed_digits(text, {"2014"}) == ["12.5 in: It was 12.5 per cent."]
    with pytest.raises(InputError, match="typed by hand"):
        check_guards({"gap.typ": text}, ["2014"])
    figure = '#figure(image("/x/1.svg", width: 78%), caption: [Over (12) things.]) <one>'
    assert typed_digits(figure, set()) == []


def test_sentences():
    assert sentences("One. Two {x.y} three?\n\nFour") == ["One.", "Two {x.y} three?", "Four"]


def test_a_sentence_is_written_with_its_numbers():
    source = 'From 2013 to #last it fell by #n("a.p") (#interval("a")), see (@fig).'
    numbers = {"a.p": "−3", "a.low": "−5", "a.high": "−1", "year.last": "2021"}
    assert prose(source) == "From 2013 to {year.last} it fell by {a.p} ({a}), see ()."
    assert filled(prose(source), numbers) == "From 2013 to 2021 it fell by −3 (−5 to −1), see."


def test_the_needs_of_a_section_stand_in_its_first_line():
    source = '// needs: analyse_toser build_potential\n#import "../lib.typ": *\n// needs: x'
    assert needs_of(source) == ["analyse_toser", "build_potential"]
    assert needs_of('#import "../lib.typ": *\n// needs: x') == []


def test_what_a_text_shows_without_a_result_is_listed_by_kind():
    source = """#n("a.n") and #n("b.n"), #interval("c"); #result_figure("gap", [G])
    #result_figure("map", [M]) #result_table("/results/tables/t.csv", (), [T])"""
    numbers, present = {"a.n", "c.low"}, ["results/figures/gap.svg"]
    found = without_result(source, numbers, present)
    assert {kind: list(names) for kind, names in found.items()} == {
        "number": ["b.n", "c.high"],
        "figure": ["map"],
        "table": ["results/tables/t.csv"],
    }
