"""What is kept of a run, and how a rerun is graded against it."""

import io
import json
import math

import pandas as pd
import pytest
from monotowns.audit.compare import compare, compared, key_of, report
from monotowns.audit.expected import keep
from monotowns.audit.tolerance import graded, last_digit
from monotowns.run.tables import read_table, write_table

RECORD = {
    "specification": "gap",
    "term": "2021",
    "estimate": "-0.1239586986",
    "ci_low": "-0.17",
    "ci_high": "-0.07",
    "p_value": "0.004",
    "variance": "CRV1(region)",
    "standard_error": "0.025",
    "n_obs": "100",
    "n_entities": "10",
    "n_clusters": "9",
}


@pytest.fixture
def run(tmp_path):
    """A small finished run, and what was kept of it."""
    root = tmp_path / "run"
    for folder in (
        "data/panel",
        "data/snapshot",
        "results/tables",
        "results/facts",
        "results/figures",
        "envs",
    ):
        (root / folder).mkdir(parents=True)
    wild = RECORD | {"variance": "wild cluster bootstrap, 999 draws", "p_value": "0.05"}
    pd.DataFrame([RECORD, wild]).to_csv(root / "results/estimates.csv", index=False)
    panel = pd.DataFrame(
        [(f"0100{e}000", year, f"{e}.5", f"{year}.25") for e in range(3) for year in (2013, 2014)],
        columns=["entity", "year", "income", "people"],
    )
    write_table(panel, root / "data/panel/panel.parquet")
    write_table(panel.rename(columns={"income": "mp"}), root / "data/panel/measures.parquet")
    panel.head(2).to_csv(root / "data/snapshot/incomes.csv", index=False)
    panel.head(3).to_csv(root / "results/tables/flow.csv", index=False)
    numbers = {"gap.2021.estimate": "−0.124", "gap.2021.p": "= 0.004"}
    (root / "results/numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    facts = {"stages.p": [0.26, "p"], "stages.turned": [34.0, "count"]}
    (root / "results/facts/stages.json").write_text(json.dumps(facts), encoding="utf-8")
    for name in ("claims.csv", "checklist.csv"):
        panel.head(1).to_csv(root / "results" / name, index=False)
    (root / "results/figures/gap.svg").write_text("<svg/>", encoding="utf-8")
    (root / "results/paper.pdf").write_bytes(b"%PDF")
    (root / "envs/requirements.lock").write_text("pandas==3", encoding="utf-8")
    keep(root, tmp_path / "expected")
    return root


def differences(run):
    keep(run, run.parent / "anew")
    return compare(run.parent / "expected", run.parent / "anew", draws=999)


def change(path, before, after, times=1):
    parquet = path.suffix == ".parquet"
    text = read_table(path).to_csv(index=False) if parquet else path.read_text(encoding="utf-8")
    assert text.count(before) >= times
    text = text.replace(before, after, times)
    if parquet:
        write_table(pd.read_csv(io.StringIO(text), dtype=str), path)
    else:
        path.write_text(text, encoding="utf-8")


def test_the_same_bytes_are_full_agreement(run):
    found = differences(run)
    assert found.empty
    # estimates, numbers, claims, checklist, a table, facts; snapshot, two panels, figure, paper
    assert compared(run.parent / "expected") == 6 + 5
    assert report(found, 11) == ("full", ["FULL: all 11 files agree byte for byte."], [])


@pytest.mark.parametrize(
    ("file", "before", "after", "key", "column", "sides"),
    [
        (
            "results/estimates.csv",
            "-0.1239586986",
            "-0.1239786986",
            "specification=gap term=2021 variance=CRV1(region)",
            "estimate",
            ("-0.1239586986", "-0.1239786986"),
        ),
        ("results/tables/flow.csv", "1.5", "1.6", "entity=01001000", "income", ("1.5", "1.6")),
        (
            "results/facts/stages.json",
            "34.0",
            "35.0",
            "name=stages.turned",
            "value",
            ("34.0", "35.0"),
        ),
        (
            "results/numbers.json",
            "u22120.124",
            "u22120.125",
            "name=gap.2021.estimate",
            "value",
            ("−0.124", "−0.125"),
        ),
        ("data/panel/panel.parquet", "2.5,2014.25", "2.5,2014.26", "year=2014", "people", None),
        ("data/panel/measures.parquet", "1.5,2013.25", "1.7,2013.25", "year=2013", "mp", None),
        ("data/snapshot/incomes.csv", "0.5", "0.50", "", "", None),
        ("results/figures/gap.svg", "<svg/>", "<svg></svg>", "", "", None),
    ],
)
def test_a_single_perturbed_cell_is_named_exactly(run, file, before, after, key, column, sides):
    change(run / file, before, after)
    found = differences(run)
    assert len(found) == 1
    row = found.iloc[0]
    # Further columns may be needed to identify the row.
    assert key in row["key"]
    assert (row["file"], row["column"], row["grade"]) == (file, column, "beyond")
    assert sides in (None, (row["expected"], row["found"]))
    grade, summary, details = report(found, 11)
    assert grade == "failed"
    assert file in summary[1]
    assert file in details[0]


def test_rounding_is_partial_agreement_and_the_printed_numbers_follow(run):
    change(run / "results/estimates.csv", "-0.1239586986", "-0.1239586987")
    change(run / "results/numbers.json", "\\u22120.124", "\\u22120.123")
    found = differences(run)
    assert set(found["grade"]) == {"within"}
    assert report(found, 11)[0] == "partial"


def test_a_printed_number_does_not_hide_behind_rounding(run):
    """One estimate off in its tenth digit excuses the last printed digit, and nothing more."""
    change(run / "results/estimates.csv", "-0.1239586986", "-0.1239586987")
    change(run / "results/numbers.json", "\\u22120.124", "99.9")
    change(run / "results/claims.csv", "0.5", "0.7")
    found = differences(run).set_index("file")["grade"]
    assert found["results/numbers.json"] == found["results/claims.csv"] == "beyond"


def test_files_that_came_or_went_are_named(run):
    (run / "results/tables/new.csv").write_text("a\n1\n", encoding="utf-8")
    (run / "data/panel/extra.csv").write_text("a\n1\n", encoding="utf-8")
    (run / "results/figures/gap.svg").unlink()
    found = differences(run)
    assert list(found["file"]) == [
        "data/panel/extra.csv",
        "results/tables/new.csv",
        "results/figures/gap.svg",
    ]
    assert set(found["grade"]) == {"beyond"}


def test_causes_stand_before_consequences(run):
    change(run / "results/claims.csv", "0.5", "0.6")
    (run / "results/paper.pdf").write_bytes(b"%PDF other")
    change(run / "results/estimates.csv", "-0.1239586986", "-0.1239586987")
    change(run / "data/panel/panel.parquet", "0.5,2013.25", "0.6,2013.25")
    change(run / "data/panel/panel.parquet", "2.5,2014.25", "2.5,2014.26")
    change(run / "data/snapshot/incomes.csv", "0.5", "0.6")
    found = differences(run)
    assert list(dict.fromkeys(found["file"])) == [
        "data/snapshot/incomes.csv",
        "data/panel/panel.parquet",
        "results/estimates.csv",
        "results/claims.csv",
        "results/paper.pdf",
    ]
    # Of the panel every changed row is named, with the columns that changed.
    panel = found[found["file"] == "data/panel/panel.parquet"]
    assert list(panel["column"]) == ["income, people"] * 2


def test_an_excuse_of_rounding_does_not_cover_pictures_and_pages(run):
    change(run / "results/estimates.csv", "-0.1239586986", "-0.1239586987")
    (run / "results/paper.pdf").write_bytes(b"%PDF other")
    found = differences(run).set_index("file")["grade"]
    assert found.to_dict() == {"results/estimates.csv": "within", "results/paper.pdf": "beyond"}


def test_a_row_that_came_or_went_is_named(run):
    path = run / "data/panel/panel.parquet"
    write_table(read_table(path)[:-1], path)
    found = differences(run)
    assert ("entity=01002000 year=2014", "(row)") in set(
        zip(found["key"], found["column"], strict=True)
    )


def test_random_draws_are_judged_by_their_own_error(run):
    # By hand: at p = .0575 the difference of two runs of 999 draws has the standard error
    # sqrt(2 x .0575 x .9425 / 999) = .01042; .065 - .05 is 1.4 of them, .10 - .05 is 4.2 (at .075).
    change(run / "results/estimates.csv", "0.05,", "0.065,")
    found = differences(run)
    assert (found.iloc[0]["grade"], found.iloc[0]["why"][:3]) == ("within", "1.4")
    change(run / "results/estimates.csv", "0.065,", "0.10,")
    found = differences(run)
    assert (found.iloc[0]["grade"], found.iloc[0]["why"][:3]) == ("beyond", "4.2")


def test_the_same_difference_without_draws_is_beyond():
    assert graded("p_value", "0.05", "0.065", RECORD, 999)[0] == "beyond"
    drawn = RECORD | {"variance": "permutation of years"}
    assert graded("p_value", "0.05", "0.065", drawn, 999)[0] == "within"
    assert graded("estimate", "0.05", "0.065", drawn, 999)[0] == "beyond"
    # A proportion in per cent of 200 draws: 94 against 97 is 1.4 errors of their difference.
    grade, why = graded("coverage", "94.0", "97.0", {"draws": "200"}, 999, scale=100)
    error = 100 * math.sqrt(2 * 0.955 * 0.045 / 200)
    assert (grade, why.split(" ")[0]) == ("within", f"{3 / error:.1f}")


def test_text_is_never_within_tolerance():
    assert graded("step", "sample", "panel", {}, 999) == ("beyond", "not the same text")


def test_the_key_is_the_fewest_leading_columns():
    table = pd.DataFrame({"a": ["x", "x", "y"], "b": ["1", "2", "1"], "c": ["0.5", "0.5", "0.5"]})
    assert key_of(table) == ["a", "b"]
    assert key_of(table.head(1)) == ["a"]


def test_keeping_anew_forgets_files_that_no_longer_exist(run):
    (run / "results/tables/flow.csv").unlink()
    keep(run, run.parent / "expected")
    assert differences(run).empty
    assert not (run.parent / "expected/tables/flow.csv").exists()


@pytest.mark.parametrize(
    ("expected", "found", "close"),
    [
        ("−0.037", "−0.038", True),
        ("−0.037", "−0.039", False),
        ("22,358", "22,359", True),
        ("+0.9", "−0.1", False),
        ("= 0.049", "= 0.050", True),
        ("< 0.001", "= 0.001", True),
        ("0.1", "0.15", True),  # of the coarser one
        ("0.1", "0.25", False),
        ("Moscow", "Moskva", False),
    ],
)
def test_printed_numbers_one_unit_of_the_last_digit_apart(expected, found, close):
    assert last_digit(expected, found) is close
    assert last_digit(found, expected) is close
