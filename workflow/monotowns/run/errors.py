"""The errors a user can act on.

Each names where the fault is, which rows or keys show it, what was expected, what was found and
what to do next. The scripts print them without a traceback; everything else is a bug and keeps
its traceback.
"""

from collections.abc import Iterable


def examples(keys: Iterable[object], shown: int = 5) -> str:
    """Write the first keys of a collection and say how many were left off."""
    keys = list(keys)
    head = ", ".join(str(key) for key in keys[:shown])
    return head if len(keys) <= shown else f"{head} and {len(keys) - shown} more"


class InputError(ValueError):
    """An input that the study refuses.

    Parameters
    ----------
    where : str
        The file, setting or argument at fault.
    problem : str
        What is wrong, in one clause.
    keys : iterable, optional
        The rows, codes or columns that show it.
    expected, found : object, optional
        What would have been right and what was there.
    remedy : str, optional
        The next step for the reader.
    """

    def __init__(self, where, problem, *, keys=(), expected=None, found=None, remedy=None):
        self.where, self.problem, self.keys = where, problem, list(keys)
        self.expected, self.found, self.remedy = expected, found, remedy
        lines = [f"{where}: {problem}"]
        if self.keys:
            lines.append(f"  at: {examples(self.keys)}")
        if expected is not None:
            lines.append(f"  expected: {expected}")
        if found is not None:
            lines.append(f"  found: {found}")
        if remedy is not None:
            lines.append(f"  do: {remedy}")
        super().__init__("\n".join(lines))


class ConfigError(InputError):
    """A setting or a specification that cannot be run as written."""


class SourceError(InputError):
    """A source file that could not be acquired or is not the registered one."""


class ContractError(InputError):
    """A table that breaks its contract."""


class DesignError(InputError):
    """A sample or design from which the estimand cannot be estimated."""
