"""Entropy balancing: weights under which the controls look like the treated before treatment."""

import numpy as np
import pandas as pd

from monotowns.run.errors import DesignError

#: The weighted means agree with the targets to this share of a standard deviation.
TOLERANCE = 1e-8
STEPS = 200


def entropy_weights(controls, target) -> np.ndarray:
    """Weights nearest to equal ones (Kullback-Leibler) that give the controls the target means.

    Hainmueller (2012), "Entropy balancing for causal effects", equation 6: the dual is minimised
    by damped Newton steps.

    Parameters
    ----------
    controls : array_like, shape (n, k)
    target : array_like, shape (k,)
        Means of the treated.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Positive, mean one.

    Raises
    ------
    DesignError
        No weights give these means: the target lies outside what the controls span.
    """
    controls, target = np.asarray(controls, float), np.asarray(target, float)
    gap = (controls - target) / controls.std(axis=0)
    slope = np.zeros(gap.shape[1])

    def dual(at):
        exponent = gap @ at
        top = exponent.max()
        return top + np.log(np.exp(exponent - top).sum())

    for _ in range(STEPS):
        exponent = gap @ slope
        weight = np.exp(exponent - exponent.max())
        weight /= weight.sum()
        moments = weight @ gap
        if np.abs(moments).max() < TOLERANCE:
            return weight * len(weight)
        hessian = (gap * weight[:, None]).T @ gap - np.outer(moments, moments)
        step = np.linalg.lstsq(hessian, moments, rcond=None)[0]
        size, now = 1.0, dual(slope)
        while dual(slope - size * step) > now - 1e-4 * size * (moments @ step) and size > 1e-10:
            size /= 2
        slope = slope - size * step
    raise DesignError(
        "entropy balancing",
        "no weights give the controls these means",
        expected=target,
        found=controls.mean(axis=0),
        remedy="balance on fewer columns",
    )


def balance_panel(panel, treatment, columns, years) -> pd.DataFrame:
    """Weigh the controls of a panel to the treated on pre-treatment values.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, the treatment (1, 0 or missing) and the columns.
    treatment : str
    columns : sequence of str
        Balanced on their value in each of the years.
    years : sequence of int

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
    values = pd.Series(1.0, index=wide.index)
    values[~treated] = weight * len(inside) / len(outside)
    weights = values.rename("balance_weight").rename_axis("entity").reset_index()
    return weights, table.rename_axis("moment").reset_index()
