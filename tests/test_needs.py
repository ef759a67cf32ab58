import re

import pytest
import yaml
from checkout import ROOT
from monotowns.run import needs
from monotowns.run.errors import ConfigError
from monotowns.run.settings import load_specifications

ALL = needs.tables_in(ROOT / "data/snapshot") | {"curves", "families"}
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
SPECIFICATIONS = load_specifications(ROOT / "config/specifications.yaml", CONFIG["years"])


def test_russia_s_tables_carry_everything():
    assert needs.lacking("rosstat", ALL) == {}
    assert needs.sections_lacking({}) == {}
    assert needs.specifications_lacking(SPECIFICATIONS, ALL, {}) == {}
    assert set(needs.panel_tables("rosstat", ALL)) < ALL


def test_an_absent_table_takes_along_what_rests_on_it_and_no_more():
    lack = needs.lacking("rosstat", ALL - {"toser"})
    assert lack == {"analyse_toser": "toser", "draw_toser": "toser"}
    assert set(needs.sections_lacking(lack)) == {"abstract", "toser", "conclusion"}
    out = needs.specifications_lacking(SPECIFICATIONS, ALL - {"toser"}, lack)
    assert set(out) == {name for name in SPECIFICATIONS if name.startswith("toser_")}
    assert set(out.values()) == {"toser"}


def test_a_lack_is_named_through_the_stages_between():
    lack = needs.lacking("rosstat", ALL - {"grp"})
    assert lack["draw_potential"] == "grp"
    out = needs.specifications_lacking(SPECIFICATIONS, ALL - {"grp"}, lack)
    assert {"reindustrialisation_triple", "reindustrialisation_towns"} <= set(out)
    assert "gap_main" not in out


def test_a_stage_may_be_left_out_by_name():
    lack = needs.lacking("rosstat", ALL, ["analyse_spatial"])
    assert lack == dict.fromkeys(
        ["analyse_spatial", "draw_spatial"], "analyse_spatial (left out in the config)"
    )
    with pytest.raises(ConfigError, match="did you mean 'analyse_spatial'"):
        needs.lacking("rosstat", ALL, ["analyse_spacial"])


def test_without_its_first_tables_there_is_no_panel():
    with pytest.raises(ConfigError, match=r"no panel(.|\n)*company_towns"):
        needs.panel_tables("municipalities", {"municipalities"})


def test_stages_and_sections_are_the_workflow_s():
    rules = "".join(p.read_text("utf-8") for p in (ROOT / "workflow/rules").glob("*.smk"))
    assert set(needs.STAGES) <= set(re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)", rules, re.M))
    sections = {path.stem for path in (ROOT / "paper/sections").glob("*.typ")}
    assert set(needs.SECTIONS) == sections


def test_a_lost_table_stops_the_study_and_not_a_fork_that_says_so():
    lack = needs.lacking("rosstat", ALL - {"toser"})
    needs.stop_at_lost_tables(lack, "report")
    with pytest.raises(ConfigError, match=r"not there(.|\n)*at: toser"):
        needs.stop_at_lost_tables(lack, "stop")
    needs.stop_at_lost_tables({}, "stop")
    meant = needs.lacking("rosstat", ALL - {"toser"}, ["analyse_toser"])
    needs.stop_at_lost_tables(meant, "stop")
