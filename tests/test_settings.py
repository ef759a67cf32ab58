import copy
from pathlib import Path

import pytest
import yaml
from monotowns.estimate.specification import load_specifications
from monotowns.run.errors import ConfigError
from monotowns.run.provenance import code_of
from monotowns.run.settings import check_config, complete_config, merged

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def test_the_committed_config_passes():
    assert check_config(CONFIG) == CONFIG


def test_all_faults_are_reported_at_once():
    config = copy.deepcopy(CONFIG) | {"sed": 1, "seed": -1}
    with pytest.raises(ConfigError, match=r"2 faults(.|\n)*seed(.|\n)*sed"):
        check_config(config)


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
    with pytest.raises(FileNotFoundError):
        code_of(library, tmp_path / "nowhere.py")


def layers(tmp_path, local=None):
    """The default config, and a fork's layer if any, as files."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    if local is not None:
        (tmp_path / "local.yaml").write_text(yaml.safe_dump(local), encoding="utf-8")
    return tmp_path / "config.yaml", tmp_path / "local.yaml"


def test_layers_merge_key_by_key_and_null_removes():
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 3}
    assert merged(below, {"a": {"y": [9]}, "b": None}) == {"a": {"x": 1, "y": [9]}}
    assert below == {"a": {"x": 1, "y": [1, 2]}, "b": 3}  # no layer is changed
    assert merged(below, {"a": 5}) == {"a": 5, "b": 3}


def test_a_run_s_settings_lie_over_the_fork_s_and_these_over_the_defaults(tmp_path):
    local = {"seed": 2, "market_potential": {"kappa_km": 150}, "monotown": {"strict": None}}
    config = {"seed": 3}
    complete_config(config, *layers(tmp_path, local))
    assert config["seed"] == 3
    assert config["market_potential"] == CONFIG["market_potential"] | {"kappa_km": 150}
    assert set(config["monotown"]) == set(CONFIG["monotown"]) - {"strict"}
    without = {}
    (tmp_path / "local.yaml").unlink()
    complete_config(without, *layers(tmp_path))
    assert without == CONFIG


def test_a_fault_of_a_layer_names_it_and_the_nearest_key(tmp_path):
    paths = layers(tmp_path, {"market_potential": {"kapa_km": 150}})
    with pytest.raises(ConfigError, match=r"local.yaml(.|\n)*did you mean 'kappa_km'"):
        complete_config({}, *paths)
    paths[1].write_text("years: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"local.yaml: not a YAML file"):
        complete_config({}, *paths)


def test_what_russia_s_tables_cannot_carry_is_free_for_another_country():
    other = copy.deepcopy(CONFIG) | {"years": {"first": 1990, "last": 1995}}
    other["deflator"] = dict.fromkeys(range(1990, 1996), 2.0)
    other["balance"]["years"] = [1990, 1991]
    with pytest.raises(ConfigError, match="1990 is less than the minimum of 2012"):
        check_config(other)
    other["data"] = other["data"] | {"layout": "municipalities"}
    assert check_config(other)


def test_later_specification_files_add_overrule_and_remove(tmp_path):
    mine = {
        "derived": {"log_social_pc": {"of": "social", "per": "population", "log": True}},
        "specifications": {
            "gap_main": {"outcome": "log_social_pc"},
            "gap_any": None,
        },
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine), encoding="utf-8")
    first = ROOT / "config/specifications.yaml"
    before = load_specifications(first, CONFIG["years"])
    after = load_specifications([first, tmp_path / "mine.yaml"], CONFIG["years"])
    assert set(before) - set(after) == {"gap_any"}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"gap_main"}
    assert after["gap_main"]["derived"] == mine["derived"]
    assert after["gap_main"]["base"] == before["gap_main"]["base"]
