"""What two-way fixed effects average over when adoption is staggered (Goodman-Bacon 2021)."""

import numpy as np
import pandas as pd

from monotowns.estimate import cohorts
from monotowns.estimate import regression as twoway
from monotowns.estimate.record import Fit, wald_terms

KINDS = ("earlier_vs_later", "later_vs_earlier", "treated_vs_never")


def bacon(rows: pd.DataFrame, outcome, cohort, cluster="entity"):
    """Decompose the two-way fixed effects estimate into its two-by-two comparisons.

    Returns
    -------
    Fit
        ``twfe`` with its clustered standard error; for each kind of comparison its mean estimate
        and ``weight <kind>`` (the weights sum to one, the products to ``twfe``), without
        uncertainty. ``details["comparisons"]`` lists the pairs.

    Raises
    ------
    DesignError
        Also if the panel is not balanced: the decomposition is exact on balanced panels only.
    """
    from diff_diff import BaconDecomposition

    frame = cohorts.check(rows, outcome, cohort, cluster)
    cohorts.need_balance(frame)
    on = (frame[cohort] > 0) & (frame["year"] >= frame[cohort])
    plain = twoway.least_squares(
        frame.assign(on=on.astype(float)), outcome, ["on"], ["entity", "year"], cluster
    )
    result = BaconDecomposition(weights="exact").fit(
        frame, outcome=outcome, unit="entity", time="year", first_treat=cohort
    )
    effect, weight = result.effect_by_type(), result.weight_by_type()
    kinds = [kind for kind in KINDS if weight[kind] > 0]
    parts = wald_terms(
        [*kinds, *(f"weight {kind}" for kind in kinds)],
        [*(effect[kind] for kind in kinds), *(weight[kind] for kind in kinds)],
        np.full(2 * len(kinds), np.nan),
    )
    terms = pd.concat([plain.terms.assign(term="twfe"), parts], ignore_index=True)
    adopted = frame[frame[cohort] > 0].groupby(cohort)["entity"].nunique()
    return Fit(
        terms,
        "bacon",
        plain.variance,
        len(frame),
        frame["entity"].nunique(),
        frame[cluster].nunique(),
        details={"cohorts": adopted.to_dict(), "comparisons": result.to_dataframe()},
    )
