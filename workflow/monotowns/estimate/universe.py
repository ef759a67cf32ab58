"""A universe of specifications, declared as data and written out."""

from itertools import combinations, product

import pandas as pd

from monotowns.run.errors import ConfigError

#: The choices that make up a specification, in the order of :func:`expand`.
CHOICES = ["outcome", "treatment", "controls", "sample", "fixed_effects", "weights"]


def expand(declared: dict) -> pd.DataFrame:
    """Write a declared universe out, one row a specification.

    Parameters
    ----------
    declared : dict
        ``outcomes``, ``treatments``: columns. ``optional_controls``: name -> columns, every subset
        of these sets. ``samples``: names. ``fixed_effects``: lists of columns. ``weights``: columns
        or None.

    Returns
    -------
    pandas.DataFrame
        The choices by name, and ``columns`` and ``effects``: the controls and the fixed effects
        that they stand for.

    Raises
    ------
    ConfigError
        A specification stands twice.
    """
    options = declared.get("optional_controls", {})
    subsets = [s for size in range(len(options) + 1) for s in combinations(options, size)]
    rows = [
        (
            outcome,
            treatment,
            " + ".join(["none", *chosen]),
            sample,
            " + ".join(effects) or "none",
            weights or "none",
            tuple(column for name in chosen for column in options[name]),
            tuple(effects),
        )
        for outcome, treatment, chosen, sample, effects, weights in product(
            declared["outcomes"],
            declared["treatments"],
            subsets,
            declared["samples"],
            declared["fixed_effects"],
            declared.get("weights", [None]),
        )
    ]
    table = pd.DataFrame(rows, columns=[*CHOICES, "columns", "effects"])
    twice = table.duplicated(CHOICES)
    if twice.any():
        raise ConfigError(
            "specification universe", "a specification stands twice", keys=names(table[twice])
        )
    return table


def names(specifications) -> list[str]:
    """Each specification's choices in one line, for messages."""
    return ["; ".join(row) for row in specifications[CHOICES].itertuples(index=False, name=None)]
