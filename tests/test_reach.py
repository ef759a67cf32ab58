"""What the tables at hand do not reach, on the rules of the study and on made-up ones."""

from types import SimpleNamespace

import pytest
from monotowns.run.errors import ConfigError
from monotowns.run.reach import Reach


class Files(list):
    """Paths, some with a name, as Snakemake keeps them."""

    def __init__(self, **named):
        super().__init__(
            p for v in named.values() for p in ([v] if isinstance(v, str | type(len)) else v)
        )
        self.named = named

    def items(self):
        return self.named.items()


def rule(name, inputs, **outputs):
    return SimpleNamespace(
        name=name, input=Files(**inputs), output=Files(**outputs), wildcard_names=set()
    )


RULES = [
    rule("build_panel", {"a": "in/incomes.csv"}, panel="panel"),
    rule("build_stages", {"g": "in/grp.csv"}, stages="stages", facts="stages.json"),
    rule("build_potential", {"p": "panel", "s": "stages"}, facts="potential.json"),
    rule("estimate_gap", {"p": "panel", "f": len}, records=["one.csv", "two.csv"]),
    rule("draw", {"x": "potential.json", "y": "one.csv"}, picture="picture"),
]


def reach(*tables, leave_out=()):
    return Reach(lambda: RULES, "in", tables, leave_out)


def test_with_all_tables_everything_is_reached():
    whole = reach("incomes", "grp")
    assert whole.lacking() == {}
    assert whole.made("facts") == ["stages.json", "potential.json"]
    assert whole.made("records") == ["one.csv", "two.csv"]
    whole.refuse_lost_tables("stop")


def test_an_absent_table_takes_along_what_rests_on_it_and_no_more():
    some = reach("incomes")
    assert some.lacking() == {
        "build_stages": "grp",
        "build_potential": "grp",
        "draw": "grp",
    }
    assert some.made("facts") == []
    assert some.has("one.csv", "panel") and not some.has("picture")
    assert some.makes("one.csv") and not some.makes("picture") and not some.makes("elsewhere")


def test_a_rule_may_be_left_out_by_name():
    left = reach("incomes", "grp", leave_out=["build_potential"])
    reason = "build_potential (left out in the config)"
    assert left.lacking() == {"build_potential": reason, "draw": reason}
    left.refuse_lost_tables("stop")
    with pytest.raises(ConfigError, match="did you mean 'build_potential'"):
        reach("incomes", leave_out=["build_potentail"]).refuse_lost_tables("report")


def test_a_lost_table_stops_the_study_and_not_a_fork_that_says_so():
    reach("incomes").refuse_lost_tables("report")
    with pytest.raises(ConfigError, match=r"not there(.|\n)*at: grp"):
        reach("incomes").refuse_lost_tables("stop")
    with pytest.raises(ConfigError, match=r"no panel(.|\n)*at: incomes(.|\n)*found: grp"):
        reach("grp").refuse_no_panel("panel", "rosstat")


def test_as_a_module_with_a_prefix_names_and_paths_are_those_of_the_text():
    rules = [
        rule(f"study_{r.name}", {k: f"away/{p}" for k, p in zip("ab", r.input, strict=False)}, x=[])
        for r in RULES[2:3]
    ]
    rules[0].output = Files(facts="away/potential.json")
    given = {"placed": lambda p: p if p.startswith("away/") else f"away/{p}"}
    called = {"called": lambda r: r.name.removeprefix("study_")}
    found = Reach(lambda: rules, "in", [], ["build_potential"], **given, **called)
    assert found.lacks("potential.json") == ["build_potential (left out in the config)"]
    assert found.makes("potential.json") is False
    assert list(found.lacking()) == ["build_potential"]
    found.refuse_lost_tables("stop")
