"""What the tables at hand do not reach, read from the rules themselves.

A fork may lack a table: another country has no territories of advanced development, its regions
publish no structure of value added. What needs such a table is left out of the run, and the paper
says so in the place where it would have stood. What a rule needs is said once, by its inputs.
"""

from operator import attrgetter
from pathlib import Path

from monotowns.run.errors import ConfigError
from monotowns.run.schema import nearest

#: How a rule is reported that the config leaves out.
BY_CONFIG = "(left out in the config)"
NAME = attrgetter("name")


class Reach:
    """What rules can make of the tables that there are.

    Parameters
    ----------
    rules : callable
        Returns the rules defined so far, with ``name``, ``input`` and ``output`` (paths; inputs
        that are functions are not looked at) and ``wildcard_names``.
    folder : str
        Folder of the source tables, as the rules write it.
    tables : collection of str
        Names of the tables at hand.
    leave_out : sequence of str
        Rules that the config leaves out.
    placed, called : callable, optional
        Where a path of the rules' text lies in this run, and what a rule is called in that text:
        as a module of another workflow the study has a prefix for both.
    """

    def __init__(self, rules, folder, tables, leave_out=(), placed=str, called=NAME):
        self.rules, self.placed, self.called = rules, placed, called
        self.folder = str(placed(folder))
        self.tables, self.leave_out = set(tables), list(leave_out)

    def lacks(self, *paths) -> list[str]:
        """Names of the tables, or rules left out, that stand between here and these files."""
        makers = {str(path): rule for rule in self.rules() for path in rule.output}
        found: dict[str, list[str]] = {}

        def behind(path):
            if path not in found:
                found[path] = []
                if path in makers:
                    found[path] = of_rule(makers[path])
                elif str(Path(path).parent) == self.folder and Path(path).stem not in self.tables:
                    found[path] = [Path(path).stem]
            return found[path]

        def of_rule(rule):
            if self.called(rule) in self.leave_out:
                return [f"{self.called(rule)} {BY_CONFIG}"]
            inputs = [str(path) for path in rule.input if not callable(path)]
            return [name for path in inputs for name in behind(path)]

        return list(
            dict.fromkeys(name for path in paths for name in behind(str(self.placed(path))))
        )

    def has(self, *paths) -> bool:
        """Whether these files can be made."""
        return not self.lacks(*paths)

    def makes(self, path) -> bool:
        """Whether a rule makes this file, and can run."""
        made = {str(made) for rule in self.rules() for made in rule.output}
        return str(self.placed(path)) in made and self.has(path)

    def made(self, name: str) -> list[str]:
        """The outputs of a name, of all rules so far that can run."""
        named = [dict(rule.output.items()).get(name, []) for rule in self.rules()]
        paths = [[part] if isinstance(part, str) else part for part in named]
        return [path for part in paths for path in part if self.has(path)]

    def lacking(self) -> dict[str, str]:
        """Rule -> what it lacks, of all rules so far that cannot run."""
        whole = [rule for rule in self.rules() if rule.output and not rule.wildcard_names]
        found = {self.called(rule): self.lacks(*rule.output) for rule in whole}
        return {name: ", ".join(lack) for name, lack in found.items() if lack}

    def refuse_no_panel(self, panel, layout: str) -> None:
        """Raise ConfigError when a table is absent without which there is no panel."""
        if lost := self.lacks(panel):
            raise ConfigError(
                "config, data",
                f"no panel of layout {layout} without these tables",
                keys=lost,
                found=", ".join(sorted(self.tables)) or "no table",
                remedy="name their folder under data, or another layout (see data/README.md)",
            )

    def refuse_lost_tables(self, policy: str) -> None:
        """Stop the study's own run when a table is not there; a fork says that it is meant.

        Raises
        ------
        ConfigError
            An unknown rule is to be left out; or, with ``policy`` ``stop``, a rule lacks a table
            and is not left out by the config.
        """
        names = [self.called(rule) for rule in self.rules()]
        for name in self.leave_out:
            if name not in names:
                where, problem = "config, leave_out", f"unknown stage '{name}'"
                raise ConfigError(where, problem, remedy=nearest(name, names))
        words = [word for why in self.lacking().values() for word in why.split(", ")]
        lost = list(dict.fromkeys(word for word in words if not word.endswith(BY_CONFIG)))
        if policy == "stop" and lost:
            raise ConfigError(
                "config, data.folder",
                "the study needs what is not there",
                keys=lost,
                remedy="restore it; a fork without it says claims: report, or leaves stages out",
            )


def tables_in(folder) -> set[str]:
    """Names of the tables in a folder."""
    return {path.stem for path in Path(folder).glob("*.csv")}
