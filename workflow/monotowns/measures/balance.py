"""Entropy balancing: weights under which the controls look like the treated before treatment.

Neither statsmodels 0.15 (its treatment effects weigh by the propensity score), linearmodels 7.1 nor
diff-diff balances moments exactly; scipy solves the dual.
"""

import numpy as np
import pandas as pd
from scipy.optimize import root
from scipy.special import softmax

from monotowns.run.errors import DesignError

#: The weighted means agree with the targets to this share of a standard deviation.
TOLERANCE = 1e-8


def entropy_weights(controls, target) -> np.ndarray:
    """Weights nearest to equal ones (Kullback-Leibler) that give the controls the target means.

    Hainmueller (2012), "Entropy balancing for causal effects", equation 6: positive weights of mean
    one. There are none if the means of the treated lie outside what the controls span.
    """
    controls, target = np.asarray(controls, float), np.asarray(target, float)
    gap = (controls - target) / controls.std(axis=0)

    def spread(slope):
        weight = softmax(gap @ slope)
        mean = weight @ gap
        return (gap * weight[:, None]).T @ gap - np.outer(mean, mean)

    # The dual's gradient is solved for zero: its value is flat to rounding long before.
    solution = root(lambda slope: softmax(gap @ slope) @ gap, np.zeros(gap.shape[1]), jac=spread)
    if not np.abs(solution.fun).max() < TOLERANCE:
        raise DesignError(
            "entropy balancing",
            "no weights give the controls these means",
            expected=target,
            found=controls.mean(axis=0),
            remedy="balance on fewer columns",
        )
    return softmax(gap @ solution.x) * len(gap)


def balance_panel(panel, treatment, columns, years) -> pd.DataFrame:
    """Weigh the controls of a panel to the treated on pre-treatment values.

    The treatment is 1, 0 or missing; each column is balanced on its value in each of the years.

    Returns
    -------
    weights : pandas.DataFrame
        ``entity``, ``balance_weight``: 1 for the treated; controls add up to the number of the
        treated; entities without the values are absent.
    table : pandas.DataFrame
        ``moment``, ``treated``, ``controls``, ``controls_weighted``, ``standardised_difference``
        (before weighting, in standard deviations of the treated).
    """
    rows = panel[panel["year"].isin(years) & panel[treatment].notna()]
    wide = rows.pivot(index="entity", columns="year", values=list(columns)).dropna()
    wide.columns = [f"{column} {year}" for column, year in wide.columns]
    treated = rows.drop_duplicates("entity").set_index("entity")[treatment].loc[wide.index] == 1
    if treated.all() or not treated.any():
        raise DesignError("entropy balancing", "treated or controls are absent", keys=[treatment])
    inside, outside = wide[treated], wide[~treated]
    weight = entropy_weights(outside, inside.mean())
    weighted = pd.Series(weight @ outside.to_numpy() / len(outside), index=wide.columns)
    table = pd.DataFrame(
        {"treated": inside.mean(), "controls": outside.mean(), "controls_weighted": weighted}
    )
    table["standardised_difference"] = (table["treated"] - table["controls"]) / inside.std()
    values = pd.Series(1.0, index=wide.index, name="balance_weight")
    values[~treated] = weight * len(inside) / len(outside)
    return values.reset_index(), table.rename_axis("moment").reset_index()
