"""The stages of industry as result records."""

import numpy as np
import pandas as pd

from monotowns.estimate.record import TERMS, Fit


def stage_fits(table: pd.DataFrame, step, grid: pd.DataFrame) -> dict:
    """The common step of 2016 and, for every rule, the turns beyond chance.

    Parameters
    ----------
    table, step
        From :func:`monotowns.measures.stages.build_stages`.
    grid : pandas.DataFrame
        From :func:`monotowns.measures.stages.turn_grid`, with ``share`` and ``null``.

    Returns
    -------
    dict
        Name -> (:class:`Fit`, group). Of the step, the p-value is its rank
        among the same statistic at all other years; of a rule, the estimate is the number of
        regions that turned less that expected by chance, with the 90 per cent range of chance
        taken off the same way, and the permutation p-value.
    """
    regions, rows = table["region"].nunique(), len(table)
    beyond = (step.placebos.abs() >= abs(step.estimate)).sum()
    p_value = (1 + beyond) / (1 + len(step.placebos))
    first = (f"step {step.year}", step.estimate, step.standard_error, np.nan, np.nan, p_value)
    fits = {
        "step": (
            Fit(
                pd.DataFrame([first], columns=TERMS),
                "common step",
                f"spread over regions, p among {len(step.placebos)} other years",
                rows,
                regions,
                regions,
            ),
            "robustness",
        ),
    }
    for (share, null), part in grid.groupby(["share", "null"], sort=True):
        terms = [
            (
                f"k {r.k} threshold {r.threshold:g}",
                r.turned - r.expected,
                np.nan,
                r.turned - r.high,
                r.turned - r.low,
                r.p_value,
            )
            for r in part.itertuples()
        ]
        main = share == "adjusted" and null.startswith("years")
        name = f"turns_{share}_{'together' if null.startswith('years') else 'apart'}"
        found = Fit(
            pd.DataFrame(terms, columns=TERMS),
            "turns beyond chance",
            f"permutation of years, {null}",
            rows,
            regions,
            regions,
        )
        fits[name] = (found, "headline" if main else "robustness")
    return fits
