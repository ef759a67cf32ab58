"""Growth of places by their exposure to the growth of industries, with shift-share inference."""

import numpy as np
import pandas as pd

from monotowns.estimate import regression as twoway
from monotowns.estimate import shiftshare
from monotowns.run.errors import DesignError


def changes(panel: pd.DataFrame, outcome: str, before, after) -> pd.DataFrame:
    """Mean of an outcome after less its mean before, by entity.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``region`` and the outcome.
    before, after : (int, int)
        First and last year of either window; an entity needs a value in each.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``region``, ``change``.
    """
    parts = {
        name: panel[panel["year"].between(*window)].groupby("entity")[outcome].mean()
        for name, window in (("before", before), ("after", after))
    }
    change = (parts["after"] - parts["before"]).dropna().rename("change")
    region = panel.drop_duplicates("entity").set_index("entity")["region"]
    return pd.DataFrame({"region": region.loc[change.index], "change": change}).reset_index()


def exposure_fits(units: pd.DataFrame, shares: pd.DataFrame, shocks: pd.Series):
    """Regress changes on exposure under every variance that the design has.

    Parameters
    ----------
    units : pandas.DataFrame
        ``entity``, ``region``, ``key`` (row of ``shares``), ``change`` and ``exposure``.
    shares : pandas.DataFrame, shape (m, S)
        Rows add up to one.
    shocks : pandas.Series, shape (S,)

    Returns
    -------
    fits : dict
        ``akm``, ``akm0`` (Adao, Kolesar and Morales 2019) and ``region`` (ordinary clustering, for
        comparison): :class:`monotowns.estimate.record.Fit`, one term ``exposure``.
    weights : pandas.DataFrame
        Rotemberg weights (Goldsmith-Pinkham, Sorkin and Swift 2020).
    effective : float
        Effective number of shocks.
    """
    units = units.dropna(subset=["change", "exposure"])
    units = units[units["key"].isin(shares.index)]
    if len(units) < 3:
        raise DesignError("exposure design", "fewer than three units", found=len(units))
    part = shares.loc[units["key"]]
    part = part.loc[:, (part > 0).any()]
    growth = shocks.loc[part.columns].to_numpy()
    y, x = units["change"].to_numpy(), units["exposure"].to_numpy()
    ones, matrix = np.ones((len(units), 1)), part.to_numpy(float)
    fits = {
        "akm": shiftshare.fit(y, x, ones, matrix),
        "akm0": shiftshare.fit(y, x, ones, matrix, null_imposed=True),
        "region": twoway.least_squares(units, "change", ["exposure"], (), "region"),
    }
    own = matrix @ growth  # the identity of the weights needs shocks that are the same for all
    weights = shiftshare.rotemberg(y, own, ones, matrix, growth - growth.mean())
    weights = weights.assign(shock=list(part.columns), growth=growth)
    return fits, weights, shiftshare.effective_shocks(matrix)
