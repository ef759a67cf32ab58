import copy
from pathlib import Path

import pytest
import yaml
from monotowns import schema
from monotowns.errors import ConfigError
from monotowns.provenance import code_of
from monotowns.settings import ESTIMATORS, check_config, load_section, load_specifications

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def test_the_committed_config_passes():
    assert check_config(CONFIG) == CONFIG


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("sed",), 1, "did you mean 'seed'"),
        (("years", "frist"), 2012, "did you mean 'first'"),
        (("years", "first"), 1990, "1990 is less than the minimum of 2012"),
        (("seed",), "one", "wrong type"),
        (("acquisition",), "downlaod", "did you mean 'download'"),
        (("cores",), [500000, 250000], "rising"),
        (("monotown", "main", "town_share_min"), 50, "town_share_min: 50 is greater"),
        (("deflator",), {2012: 6.58}, "no inflation"),
    ],
)
def test_a_broken_config_is_one_clear_error(path, value, words):
    config = copy.deepcopy(CONFIG)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ConfigError, match=words):
        check_config(config)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("outcome:", "outcom:", "did you mean 'outcome'"),
        ("estimator: ols", "estimator: olss", "did you mean 'ols'"),
        ("sample: urban_okrugs", "sample: urban_okrug", "did you mean 'urban_okrugs'"),
        ("base: 2013", "base: 1913", "year out of range"),
        ("treatment: monotown, base: 2013", "treatment: monotown", "base year"),
        ("treatment: monotown,", "treatment: 'a+b',", "does not match"),
        ("{known: true}", "{knwon: true}", "did you mean 'known'"),
    ],
)
def test_a_broken_specification_names_the_nearest(tmp_path, old, new, words):
    text = (ROOT / "config/specifications.yaml").read_text(encoding="utf-8")
    (tmp_path / "s.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_specifications(tmp_path / "s.yaml", CONFIG["years"])


def test_all_faults_are_told_at_once():
    config = copy.deepcopy(CONFIG) | {"sed": 1, "seed": -1}
    with pytest.raises(ConfigError, match=r"2 faults(.|\n)*seed(.|\n)*sed"):
        check_config(config)


def test_an_edit_of_one_specification_changes_no_other():
    path = ROOT / "config/specifications.yaml"
    specifications = load_specifications(path, CONFIG["years"])
    assert specifications["gap_main"]["outcome"] == "log_taxable_pc"  # from the defaults
    assert set(specifications["gap_main"]["rows"]) == {"monotown"}


def test_a_curve_comes_with_its_own_samples_and_dummies():
    path = ROOT / "config/specifications.yaml"
    curve = load_section(path, "curves")["gap_curve"]
    assert set(curve["dummies"]) == {"from_2014"}
    assert curve["samples"]["urban_okrugs"]["kind"] == ["городской округ"]
    family = load_section(path, "families")["gap_family"]
    assert family["specification"] == "gap_after"


@pytest.mark.parametrize(
    ("section", "old", "new", "words"),
    [
        ("curves", "samples: [everything,", "samples: [everythin,", "did you mean 'everything'"),
        ("families", "specification: gap_after", "specification: gap_aftr", "mean 'gap_after'"),
    ],
)
def test_a_curve_or_family_of_unknown_names_is_refused(tmp_path, section, old, new, words):
    text = (ROOT / "config/specifications.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "s.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_section(tmp_path / "s.yaml", section)


def test_schema_and_library_know_the_same_estimators():
    fields = schema.load("specifications")["properties"]["specifications"]["additionalProperties"]
    assert set(fields["properties"]["estimator"]["enum"]) == set(ESTIMATORS)


def test_code_digest_sees_logic_in_reach_and_nothing_else(tmp_path):
    library = tmp_path / "lib"
    library.mkdir()
    for name in ("__init__", "near", "far"):
        (library / f"{name}.py").write_text('"""Doc."""\nX = 1\n')
    script = tmp_path / "script.py"
    script.write_text("from lib.near import X\n")
    before = code_of(library, script)
    (library / "near.py").write_text('"""Other doc."""\nX = 1  # comment\n')
    assert code_of(library, script) == before
    (library / "far.py").write_text("X = 2\n")
    assert code_of(library, script) == before
    (library / "near.py").write_text("X = 2\n")
    assert code_of(library, script) != before
    chosen = code_of(library, script, "far")
    (library / "far.py").write_text("X = 3\n")
    assert code_of(library, script, "far") != chosen
    with pytest.raises(FileNotFoundError):
        code_of(library, script, "nowhere")
