import pandas as pd
import pytest
from monotowns.manuscript.claims import check_claims, facts_of, report_claims
from monotowns.manuscript.text import (
    claimed,
    filled,
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
FELL = '#claim("fell")[Incomes fell by #n("gap.2021.percent") per cent.]'
CLAIM = {"specification": "gap", "term": 2021, "holds": "negative"}


def test_a_true_claim_is_listed_with_its_sentence():
    table = check_claims({"fell": CLAIM}, f"Before. {FELL} After.", RECORDS)
    assert table.loc[0, "sentence"] == "Incomes fell by {gap.2021.percent} per cent."


def test_a_flipped_sign_stops_the_build_and_quotes_the_sentence():
    flipped = RECORDS.assign(
        estimate=-RECORDS["estimate"], ci_low=-RECORDS["ci_high"], ci_high=-RECORDS["ci_low"]
    )
    with pytest.raises(InputError, match=r"Incomes fell by(.|\n)*needs gap 2021 negative"):
        check_claims({"fell": CLAIM}, FELL, flipped)


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        (CLAIM | {"variance": "wild"}, False),
        (CLAIM | {"holds": "positive"}, False),
        (CLAIM | {"holds": "below", "than": 0.04}, True),
        (CLAIM | {"holds": "above", "than": {"specification": "mp", "term": "x"}}, False),
        ({"specification": "mp", "term": "x", "holds": "positive"}, True),
        ({"specification": "mp", "term": "x", "holds": "above", "than": 0.04}, True),
        (
            {"specification": "mp", "term": "x", "holds": "above", "than": 0.04, "by": "interval"},
            False,
        ),
        ({"specification": "toser", "term": "att", "holds": "null"}, False),  # no MDE in the text
    ],
)
def test_assertions(claim, true):
    if true:
        assert len(check_claims({"fell": claim}, FELL, RECORDS)) == 1
    else:
        with pytest.raises(InputError, match="do not hold"):
            check_claims({"fell": claim}, FELL, RECORDS)


def test_a_null_is_told_only_with_its_detectable_effect():
    text = '#claim("no")[No effect; effects of #n("toser.att.mde") would have been seen.]'
    claim = {"specification": "toser", "term": "att", "holds": "null"}
    assert len(check_claims({"no": claim}, text, RECORDS)) == 1


def test_claims_and_assertions_pair():
    for claims, text in (({}, FELL), ({"fell": CLAIM, "rose": CLAIM}, FELL)):
        with pytest.raises(InputError, match="do not pair"):
            check_claims(claims, text, RECORDS)
    with pytest.raises(InputError, match="not closed"):
        claimed('#claim("a")[open [x]')
    with pytest.raises(InputError, match="twice"):
        claimed(FELL + FELL)


def test_unguarded_sentences_are_found():
    text = f'{FELL} Population rose as well. By #n("a.lower") of method. Доход вырос.'
    assert unguarded(text) == ["Population rose as well.", "Доход вырос."]


def test_typed_digits_are_found_and_years_are_not():
    text = 'In 2014 it was #n("a.b") per cent. It was 12.5 per cent. #set text(size: 9pt)'
    assert typed_digits(text, {"2014"}) == ["12.5 in: It was 12.5 per cent."]
    figure = '#figure(image("/x/1.svg", width: 78%), caption: [Over (12) things.]) <one>'
    assert typed_digits(figure, set()) == []


def test_sentences():
    assert sentences("One. Two {x.y} three?\n\nFour") == ["One.", "Two {x.y} three?", "Four"]


def test_a_sentence_is_told_with_its_numbers():
    source = 'From 2013 to #last it fell by #n("a.p") (#interval("a")), see (@fig).'
    numbers = {"a.p": "−3", "a.low": "−5", "a.high": "−1", "year.last": "2021"}
    assert prose(source) == "From 2013 to {year.last} it fell by {a.p} ({a}), see ()."
    assert filled(prose(source), numbers) == "From 2013 to 2021 it fell by −3 (−5 to −1), see."


def test_the_variance_of_an_assertion_is_told():
    held = [CLAIM, CLAIM | {"variance": "CRV1"}]
    table = check_claims({"fell": held}, FELL, RECORDS)
    assert list(table["assertion"]) == ["gap 2021 negative", "gap 2021 (CRV1) negative"]


def test_a_fork_is_told_what_its_results_do_not_hold_and_not_stopped():
    source = FELL + ' #claim("gone")[It rose.]'
    claims = {"fell": CLAIM | {"holds": "positive"}, "gone": CLAIM | {"term": 1999}}
    table, failed = report_claims(claims, source, RECORDS)
    assert table["claim"].tolist() == ["fell"]
    assert failed["gone"] == "no result gap 1999"
    assert "needs gap 2021 positive; found -0.1000 [-0.2000, -0.0100]" in failed["fell"]
    assert report_claims({"fell": CLAIM}, FELL, RECORDS)[1] == {}


def test_claims_of_a_section_that_is_left_out_are_held_to_nothing():
    gone = '#claim("gone")[It rose.]'
    claims = {"fell": CLAIM, "gone": CLAIM | {"term": 1999}}
    assert check_claims(claims, FELL, RECORDS, gone)["claim"].tolist() == ["fell"]
    with pytest.raises(InputError, match="do not pair"):
        check_claims(claims, FELL, RECORDS)
    with pytest.raises(InputError, match="no such result"):
        check_claims(claims, FELL + gone, RECORDS)


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


FACTS = {"turned.p": 0.2, "turned": 34.0, "expected": 30.0}
CHANCE = '#claim("chance")[As many as by chance.]'


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        ({"fact": "turned.p", "holds": "above", "than": 0.05}, True),
        ({"fact": "turned.p", "holds": "below", "than": 0.05}, False),
        ({"fact": "turned", "holds": "above", "than": {"fact": "expected"}}, True),
        ({"fact": "expected", "holds": "above", "than": {"fact": "turned"}}, False),
        ({"fact": "turned", "holds": "above", "than": {"fact": "gone"}}, False),
        (
            {"fact": "turned.p", "holds": "above", "than": {"specification": "mp", "term": "x"}},
            True,
        ),
        (CLAIM | {"holds": "below", "than": {"fact": "turned.p"}}, True),
    ],
)
def test_a_fact_is_below_or_above(claim, true):
    table, failed = report_claims({"chance": claim}, CHANCE, RECORDS, facts=FACTS)
    assert (failed == {}) is true
    assert len(table) == 1
    if "fact" in claim:
        assert table.loc[0, "estimate"] == FACTS[claim["fact"]] and pd.isna(table.loc[0, "ci_low"])


def test_a_fact_that_is_not_there_stops_the_build_and_what_was_found_is_told():
    gone = {"chance": {"fact": "gone", "holds": "above", "than": 1}}
    with pytest.raises(InputError, match="no result gone"):
        check_claims(gone, CHANCE, RECORDS, facts=FACTS)
    wrong = {"chance": {"fact": "turned", "holds": "below", "than": {"fact": "expected"}}}
    with pytest.raises(InputError, match=r"needs turned below expected; found 34\.0000\n"):
        check_claims(wrong, CHANCE, RECORDS, facts=FACTS)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"fact": "turned", "holds": "negative"}, "a fact has no interval"),
        (
            {"fact": "turned", "holds": "above", "than": 1, "by": "interval"},
            "a fact has no interval",
        ),
        ({"fact": "turned", "specification": "gap", "holds": "above", "than": 1}, "no interval"),
        ({"specification": "gap", "holds": "negative"}, "missing: term"),
        ({"holds": "negative"}, "missing: specification"),
        (CLAIM | {"holds": "above"}, "need than"),
        (CLAIM | {"than": 1}, "need than"),
    ],
)
def test_an_assertion_that_asks_for_nothing_is_refused(claim, told):
    with pytest.raises(InputError, match=f"{told}(.|\n)*chance"):
        check_claims({"chance": claim}, CHANCE, RECORDS, facts=FACTS)


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
