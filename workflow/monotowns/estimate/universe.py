"""A universe of specifications, declared as data and written out."""

from itertools import combinations, product

import pandas as pd

from monotowns.run.errors import ConfigError

#: Keys of a declared universe, each with what it is if not declared.
UNIVERSE = {
    "outcomes": None,
    "treatments": None,
    "controls": {"none": []},
    "optional_controls": {},
    "samples": {"all": None},
    "fixed_effects": [[]],
    "weights": [None],
}
#: The choices that make up a specification, in the order of :func:`expand`.
CHOICES = ["outcome", "treatment", "controls", "sample", "fixed_effects", "weights"]


def expand(universe: dict) -> pd.DataFrame:
    """Write a declared universe out, one row a specification.

    Parameters
    ----------
    universe : dict
        ``outcomes``, ``treatments``: columns. ``controls``: name -> columns, one set at a time.
        ``optional_controls``: name -> columns, every subset of these sets on top. ``samples``:
        name -> boolean column, None for all rows. ``fixed_effects``: lists of columns.
        ``weights``: columns or None. See :data:`UNIVERSE` for what may be left out.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``treatment``, ``controls``, ``sample``, ``fixed_effects``, ``weights`` (the
        choices by name) and ``control_columns``, ``mask``, ``effects`` (what they stand for). Drop
        rows to leave combinations out.

    Raises
    ------
    ConfigError
        An unknown key, nothing declared for a key, or one specification twice.
    """
    unknown = [key for key in universe if key not in UNIVERSE]
    declared = UNIVERSE | universe
    empty = [key for key, value in declared.items() if not value and key != "optional_controls"]
    if unknown or empty:
        raise ConfigError(
            "specification universe",
            "unknown or empty keys",
            keys=unknown + empty,
            expected=", ".join(UNIVERSE),
        )
    options = declared["optional_controls"]
    subsets = [s for size in range(len(options) + 1) for s in combinations(options, size)]
    rows = [
        (
            outcome,
            treatment,
            " + ".join([name, *extra]),
            sample,
            " + ".join(effects) or "none",
            weights or "none",
            tuple(columns) + tuple(c for e in extra for c in options[e]),
            mask,
            tuple(effects),
        )
        for outcome, treatment, (name, columns), extra, (sample, mask), effects, weights in product(
            declared["outcomes"],
            declared["treatments"],
            declared["controls"].items(),
            subsets,
            declared["samples"].items(),
            declared["fixed_effects"],
            declared["weights"],
        )
    ]
    table = pd.DataFrame(rows, columns=[*CHOICES, "control_columns", "mask", "effects"])
    twice = table.duplicated(CHOICES)
    if twice.any():
        raise ConfigError(
            "specification universe", "a specification stands twice", keys=names(table[twice])
        )
    return table


def names(specifications) -> list[str]:
    """Each specification's choices in one line, for messages."""
    return ["; ".join(row) for row in specifications[CHOICES].itertuples(index=False, name=None)]
