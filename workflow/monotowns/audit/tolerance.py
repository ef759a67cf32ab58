"""How far two cells may lie apart: another machine's rounding, random draws, the last digit."""

import math
import re
from decimal import Decimal, InvalidOperation

#: Another processor or linear-algebra library orders sums differently. The solvers lose some six
#: of sixteen digits on these designs, and the records are written with ten.
RELATIVE = 1e-6
#: Differences below the written digits of a coefficient that is zero.
ABSOLUTE = 1e-9
#: Two runs with other random draws differ by less than this many standard errors of their
#: difference in all but six of a hundred thousand cells.
ERRORS = 4
#: A bound that is the 2.5 per cent quantile of B draws has a standard error of
#: sqrt(.025 x .975 / B) over the density there; for a normal that is .68 / sqrt(B) of the length.
QUANTILE = 0.68
#: Columns of other tables that are proportions of random draws, with what makes them fractions.
PROPORTIONS = {
    ("planted.csv", "coverage"): 100,
    ("planted.csv", "power"): 100,
    ("turn_grid.csv", "p_value"): 1,
    ("turn_grid.csv", "false_positive_rate"): 1,
    ("turns_chance.csv", "p_value"): 1,
    ("turns_chance.csv", "false_positive_rate"): 1,
    ("outcome_families.csv", "romano_wolf"): 1,
}
#: Words in the ``variance`` of a record whose p-value and bounds come from random draws.
RANDOM = re.compile(r"draws|permutation|bootstrap|randomization")
WITHIN, BEYOND = "within", "beyond"


def graded(column, expected, found, record: dict, draws: int, scale=0) -> tuple[str, str]:
    """Grade one difference.

    Parameters
    ----------
    column : str
    expected, found : str
        The two cells.
    record : dict
        The result record of the row, as text; empty for other tables.
    draws : int
        Random draws where the record's ``variance`` does not give their number.
    scale : float
        What is one, for a proportion of random draws (1 or 100); 0 for anything else.

    Returns
    -------
    tuple
        ``within`` or ``beyond``, and why.
    """
    try:
        before, after = float(expected), float(found)
    except ValueError:
        return BEYOND, "not the same text"
    gap = abs(after - before)
    if gap <= ABSOLUTE + RELATIVE * abs(before):
        return WITHIN, "rounding of another processor or library"
    variance = record.get("variance", "")
    drawn = RANDOM.search(variance) and column in ("p_value", "ci_low", "ci_high")
    if not drawn and not scale:
        return BEYOND, f"relative difference {gap / abs(before) if before else math.inf:.1g}"
    named = re.search(r"([\d,]+) (?:draws|permutations)", variance)
    count = int(named[1].replace(",", "")) if named else int(record.get("draws") or draws)
    if scale or column == "p_value":
        one = scale or 1
        p = min(max((before + after) / 2 / one, 1 / count), 1 - 1 / count)
        error = one * math.sqrt(2 * p * (1 - p) / count)
    else:
        length = float(record["ci_high"]) - float(record["ci_low"])
        error = math.sqrt(2) * QUANTILE * length / math.sqrt(count)
    why = f"{gap / error:.1f} Monte-Carlo standard errors of {count} draws"
    return (WITHIN if gap <= ERRORS * error else BEYOND), why


def last_digit(expected, found) -> bool:
    """Whether two printed numbers are one unit of the last digit of the coarser apart, or less."""
    try:
        before, after = (
            Decimal(text.replace("−", "-").replace(",", "").lstrip("=< "))
            for text in (expected, found)
        )
    except InvalidOperation:
        return False
    return abs(after - before) <= Decimal(1).scaleb(
        max(before.as_tuple().exponent, after.as_tuple().exponent)
    )
