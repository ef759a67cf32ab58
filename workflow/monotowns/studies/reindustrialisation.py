"""Did places grow with the industries they depend on? Shift-share inference on their exposure."""

import pandas as pd

from monotowns.estimate import regression, shiftshare
from monotowns.estimate.record import to_records
from monotowns.run.errors import DesignError

OUTCOME = "log_taxable_pc"
#: Specification -> whose industries the exposure goes by, and group of the records.
DESIGNS = {
    "reindustrialisation_towns_change": ("town", "headline"),
    "reindustrialisation_firm_towns_change": ("firm_town", "robustness"),
    "reindustrialisation_regions_change": ("region", "robustness"),
}


def study(panel, exposure, shares, shocks, window, seed):
    """Growth of towns and regions by their exposure to the growth of industries.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``region``, ``monotown`` and the outcome.
    exposure, shares, shocks : pandas.DataFrame
        From :func:`monotowns.measures.exposure.build_exposure`.
    window : dict
        ``base`` and ``last``: three years to the base are compared with those after it.
    seed : int

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict of pandas.DataFrame
        ``rotemberg``.
    """
    before, after = (window["base"] - 2, window["base"]), (window["base"] + 1, window["last"])
    units = changes(panel, OUTCOME, before, after).merge(exposure, on="entity")
    monotowns = panel.loc[panel["monotown"] == 1, "entity"]
    records, weights, facts = [], [], {}
    for name, (unit, group) in DESIGNS.items():
        of_regions = unit == "region"
        rows = units if of_regions else units[units["entity"].isin(monotowns)]
        rows = rows.assign(
            key=rows["region" if of_regions else "entity"], exposure=rows[f"{unit}_exposure"]
        )
        part = shares[shares["unit"] == unit].pivot(index="key", columns="industry", values="share")
        growth = shocks[shocks["unit"] == unit].set_index("industry")["growth"]
        fits, table, effective = exposure_fits(rows, part, growth)
        about = {
            "specification": name,
            "question": "reindustrialisation",
            "group": group,
            "outcome": f"change of {OUTCOME}",
            "sample": "all entities" if of_regions else "monotowns of known industry",
            "weights": "none",
            "seed": seed,
        }
        records += [to_records(fit, **about) for fit in fits.values()]
        weights.append(table.assign(specification=name))
        largest = table.loc[table["weight"].abs().idxmax()]
        facts |= {
            f"{name}.effective": [effective, "ratio"],
            f"{name}.shocks": [len(table), "count"],
            f"{name}.largest": [largest["shock"].replace("_", " "), "text"],
            f"{name}.largest_weight": [largest["weight"], "ratio"],
        }
    return pd.concat(records), facts, {"rotemberg": pd.concat(weights)}


def changes(panel: pd.DataFrame, outcome: str, before, after) -> pd.DataFrame:
    """Mean of an outcome after less its mean before, for entities with a value in both windows.

    A window is its first and its last year; the columns are ``entity``, ``region``, ``change``.
    """
    early, late = (
        panel[panel["year"].between(*window)].groupby("entity")[outcome].mean()
        for window in (before, after)
    )
    region = panel.drop_duplicates("entity").set_index("entity")["region"]
    change = (late - early).dropna()
    return pd.DataFrame({"region": region[change.index], "change": change}).reset_index()


def exposure_fits(units: pd.DataFrame, shares: pd.DataFrame, shocks: pd.Series):
    """Regress changes on exposure under every variance that the design has.

    Units have ``entity``, ``region``, ``key`` (row of ``shares``), ``change`` and ``exposure``.

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
    y = units["change"].to_numpy()
    fits = {
        "akm": shiftshare.fit(y, units["exposure"], part),
        "akm0": shiftshare.fit(y, units["exposure"], part, null_imposed=True),
        "region": regression.least_squares(units, "change", ["exposure"], (), "region"),
    }
    # The identity of the weights needs shocks that are the same for all: nobody's region is out.
    weights = shiftshare.rotemberg(y, part, shocks[part.columns])
    return fits, weights, shiftshare.effective_shocks(part)
