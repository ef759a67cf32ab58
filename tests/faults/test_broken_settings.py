"""Every wrong setting is refused before anything runs, by one message that says what to write."""

import subprocess
import sys

import pytest
from checkout import ROOT, checkout
from monotowns.estimate.specification import load_section, load_specifications
from monotowns.run import schema
from monotowns.run.errors import ConfigError
from monotowns.run.settings import check_config

CONFIG, SPECIFICATIONS = "config/config.yaml", "config/specifications.yaml"
YEARS = {"first": 2012, "last": 2021}
TEXT = {p: (ROOT / p).read_text(encoding="utf-8") for p in (CONFIG, SPECIFICATIONS)}

# (what stands there, what is written instead, words of the message)
BROKEN_CONFIGS = [
    ("seed:", "sed:", ["unknown key 'sed', did you mean 'seed'?", "missing: seed"]),
    ("seed: 20140729", "seed: one", ["seed: wrong type: expected integer, found 'one'"]),
    ("seed: 20140729", "seed: -1", ["seed: -1 is less than the minimum of 0"]),
    ("seed: 20140729", "seed: true", ["seed: wrong type: expected integer, found True"]),
    ("seed: 20140729", "seed: 1\nseed: 2", ["the key 'seed' stands twice", "line 4, column 1"]),
    ("author: Anonymous", "author: ''", ["author: '' should be non-empty"]),
    ("acquisition: snapshot", "acquisition: downlaod", ["did you mean 'download'?"]),
    ("  first: 2012 ", "  frist: 2012 ", ["years: unknown key 'frist', did you mean 'first'?"]),
    ("  first: 2012 ", "  first: 1990 ", ["years.first: 1990 is less than the minimum of 2012"]),
    ("  first: 2012 ", "  first: '2012' ", ["years.first: wrong type: expected integer"]),
    ("  first: 2012 ", "  first: 2021 ", ["the window is empty", "found: 2021 to 2021"]),
    ("  first: 2012 ", "\tfirst: 2012 ", ["not a YAML file", "cannot start any token"]),
    (
        "list: 2014, town_share_min: 0.5",
        "list: 2015, town_share_min: 0.5",
        ["monotown.main.list: unknown value 2015, did you mean '2014'?"],
    ),
    ("town_share_min: 0.8", "town_share_min: 80", ["strict.town_share_min: 80 is greater"]),
    ("town_share_min: 0.8", "share_min: 0.8", ["did you mean 'town_share_min'?"]),
    ("  main: {list: 2014", "  mian: {list: 2014", ["monotown: missing: main"]),
    ("  any: {list: 2014", "  a b: {list: 2014", ["monotown: 'a b' does not match"]),
    ("kappa_km: 200", "kappa_km: 0", ["kappa_km: 0 is less than or equal to the minimum of 0"]),
    ("kappa_km: 200", "kappa_km: .nan", ["market_potential.kappa_km: not a finite number"]),
    ("kappa_km: 200", "kappa_km: .inf", ["market_potential.kappa_km: not a finite number"]),
    ("kappa_km: 200", "kappa_m: 200000", ["did you mean 'kappa_km'?"]),
    ("cores: [250000, 500000, 1000000]", "cores: [500000, 250000]", ["not a rising list", "cores"]),
    ("cores: [250000, 500000, 1000000]", "cores: 250000", ["cores: wrong type: expected array"]),
    ("rings_km: [50, 100, 200]", "rings_km: [50, 50]", ["not a rising list", "rings_km"]),
    ("years: [2012, 2013]", "years: [2011]", ["balance.years", "expected: 2012 to 2021"]),
    ("threshold: 1.0 ", "threshold: 1,0 ", ["stages.threshold: wrong type", "found '1,0'"]),
    ("share_year: 2012", "share_year: 2020", ["years in the wrong order", "2020, 2019, 2021"]),
    ("kind: nearest, size: 10", "kind: nearst, size: 10", ["did you mean 'nearest'?"]),
    ("kind: nearest, size: 10", "kind: nearest, size: 2.5", ["whole numbers", "spatial main"]),
    ("    band: {", "    Band 1: {", ["not a name of this list: Band 1", "^[a-z][a-z0-9_]*$"]),
    ("permutation: 999", "permutation: 9", ["draws.permutation: 9 is less than the minimum of 99"]),
    ("permutation: 999", "permutations: 999", ["did you mean 'permutation'?"]),
    ("  2015: 12.91\n", "", ["no inflation for a year", "at: 2015"]),
    ("  2015: 12.91\n", "  2015: 1291\n", ["deflator.2015: 1291 is greater than the maximum"]),
    ("  2015: 12.91\n", "  2015: 12.91\n  2015: 1\n", ["the key '2015' stands twice"]),
    ("rank_size: [20000", "rank_size: [x", ["rank_size.0: wrong type: expected integer"]),
    ("author: Anonymous", "author: [", ["not a YAML file", "line 2, column 9"]),
    (
        "author: Anonymous",
        "a: &a [1, 1]\nb: &b [*a, *a]\nc: &c [*b, *c]\nauthor: *c",
        ["more than 100000 values"],
    ),
    ("author: Anonymous", "author: !!python/object/apply:os.getcwd []", ["not a YAML file"]),
]
BROKEN_SPECIFICATIONS = [
    (
        "outcome: log_taxable_pc, sample: main",
        "outcom: log_taxable_pc, sample: main",
        ["defaults", "did you mean 'outcome'?"],
    ),
    ("estimator: ols", "estimator: olss", ["agglomeration_between.estimator", "mean 'ols'?"]),
    ("sample: urban_okrugs", "sample: urban_okrug", ["gap_urban_okrugs", "mean 'urban_okrugs'?"]),
    ("gap_urban_okrugs: {question: gap", "gap_urban_okrugs: {question: gab", ["mean 'gap'?"]),
    ("monotown, base: 2013, f", "monotown, base: 1913, f", ["gap_main", "expected: 2012 to 2021"]),
    ("monotown, base: 2013", "monotown", ["gap_main", "event_study needs base"]),
    ("treatment: monotown, base", "treatment: 'a + b', base", ["gap_main.treatment", "'a + b'"]),
    ("{known: true}", "{knwon: true}", ["did you mean 'known'?"]),
    ("{known: true}", "{known: yes please}", ["known: wrong type: expected boolean"]),
    (
        "year: {min: 2014, max: 2019}",
        "year: {min: 2019, max: 2014}",
        ["years_2014_2019", "no value lies in this range", "min 2019 above max 2014"],
    ),
    ("year: {max: 2019}", "year: {max: lsat}", ["a bound is no number", "found: lsat"]),
    ("capital: [0]", "capital: 0", ["samples.large_towns.capital"]),
    ("instruments: [log_mp_instrument]", "controls: [a]", ["the estimator iv needs instruments"]),
    ("estimator: iv", "estimator: ols", ["instruments is not read by the estimator ols", "iv"]),
    ("variances: [crv3, wild]", "variances: [crv4]", ["gap_urban_okrugs.variances.0", "crv4"]),
    (
        "treatment: toser_cohort, sample",
        "treatment: toser_cohort, base: 2013, sample",
        ["toser_imputation", "base is not read by the estimator imputation"],
    ),
    (
        "treatment: toser_cohort, sample",
        "treatment: [toser_cohort, x], sample",
        ["toser_imputation", "imputation takes one treatment"],
    ),
    ("options: {anticipation: 1}", "options: {antcipation: 1}", ["did you mean 'anticipation'?"]),
    ("control_group: never", "control_group: nobody", ["expected: not_yet, never"]),
    ("anticipation: 1", "anticipation: yes", ["option anticipation", "expected: int"]),
    (
        "weights: balance_weight}",
        "weights: balance_weight, variances: [crv3]}",
        ["gap_balanced", "unweighted fits only"],
    ),
    ("  gap_main: {question: gap", "  gap_after: {question: gap", ["'gap_after' stands twice"]),
    ("  gap_main: {question", "  ../../gap: {question", ["'../../gap' does not match"]),
    ("  gap_rings: {question", "  gap_rings: 3\n  gap_r: {question", ["gap_rings: wrong type"]),
    ("samples: [everything,", "samples: [everythin,", ["gap_curve", "mean 'everything'?"]),
    ("specification: gap_after", "specification: gap_aftr", ["gap_family", "mean 'gap_after'?"]),
    ("\nspecifications:", "\nspecification:", ["did you mean 'specifications'?"]),
]


def message(folder, path, old, new):
    """The refusal of a settings file in which one place is changed."""
    assert old in TEXT[path]
    file = folder / path.rpartition("/")[2]
    file.write_text(TEXT[path].replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        if path == CONFIG:
            check_config(schema.read(file), file)
        else:
            load_specifications(file, YEARS)
            load_section(file, "curves"), load_section(file, "families")
    assert str(refusal.value).startswith(str(file))
    return str(refusal.value)


@pytest.mark.parametrize(("old", "new", "words"), BROKEN_CONFIGS)
def test_a_broken_config_is_refused(tmp_path, old, new, words):
    text = message(tmp_path, CONFIG, old, new)
    assert [w for w in words if w not in text] == [], text


@pytest.mark.parametrize(("old", "new", "words"), BROKEN_SPECIFICATIONS)
def test_a_broken_specification_is_refused(tmp_path, old, new, words):
    text = message(tmp_path, SPECIFICATIONS, old, new)
    assert [w for w in words if w not in text] == [], text


def test_a_fault_in_the_defaults_is_told_once(tmp_path):
    text = message(tmp_path, SPECIFICATIONS, "cluster: region}", "clustr: region}")
    assert text.count("clustr") == 1


def test_a_file_that_is_not_there_names_the_nearest(tmp_path):
    (tmp_path / "specifications.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"no such file(.|\n)*mean 'specifications.yaml'"):
        load_specifications(tmp_path / "specification.yaml", YEARS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return checkout(tmp_path_factory.mktemp("broken"))


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        (CONFIG, "seed: 20140729", "seed: 1\nseed: 2", "the key 'seed' stands twice"),
        (SPECIFICATIONS, "estimator: ols", "estimator: olss", "did you mean 'ols'?"),
        ("data/sources.yaml", "publisher:", "publishr:", "did you mean 'publisher'?"),
    ],
)
def test_the_workflow_says_it_and_nothing_else(copy, path, old, new, words):
    original = (copy / path).read_text(encoding="utf-8")
    (copy / path).write_text(original.replace(old, new, 1), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "-n"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    (copy / path).write_text(original, encoding="utf-8")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.strip().startswith(f"{path}: ")
    assert "File " not in done.stderr and "Traceback" not in done.stderr
    assert not (copy / "results/tables").exists()
