"""First looks at the layers of data: who is in them, what their outcomes are, how groups moved.

Nothing is estimated here. A path is the mean of units that are seen in every year of its window, so
that it is not moved by who enters and who leaves.
"""

import numpy as np
import pandas as pd

#: Group of an entity -> how it is called in tables and legends.
MONOTOWN, URBAN, RURAL, UNKNOWN = "monotowns", "other urban okrugs", "districts", "not classed"
GROUPS = (MONOTOWN, URBAN, RURAL)


def group_of(places: pd.DataFrame, year: int) -> pd.Series:
    """Group of every entity, indexed by entity.

    Monotowns by the main definition; entities with a listed town below it are ``not classed``,
    and so are those whose kind in ``year`` is not known.
    """
    kind = places[f"urban_{year}"].map({1.0: URBAN, 0.0: RURAL}).fillna(UNKNOWN)
    kind = kind.mask(places["monotown"] == 1, MONOTOWN).mask(places["monotown"].isna(), UNKNOWN)
    return kind.set_axis(places["entity"])


def describe(panel, unit, group, outcomes, layer) -> pd.DataFrame:
    """Mean, spread and number of each outcome by group.

    Parameters
    ----------
    panel : pandas.DataFrame
        With the column of the ``unit`` and the outcomes.
    group : array_like, shape (n,)
        Of each row.
    outcomes : sequence of str
    layer : str

    Returns
    -------
    pandas.DataFrame
        ``layer``, ``outcome``, ``group``, ``mean``, ``sd``, ``rows``, ``units``; absent pairs have
        no row.
    """
    frame = panel.assign(group=np.asarray(group))
    rows = []
    for outcome in outcomes:
        for name, of in frame.dropna(subset=[outcome]).groupby("group"):
            values = of[outcome]
            spread = values.std() if len(values) > 1 else np.nan
            rows.append((layer, outcome, name, values.mean(), spread, len(of), of[unit].nunique()))
    columns = ["layer", "outcome", "group", "mean", "sd", "rows", "units"]
    return pd.DataFrame(rows, columns=columns)


def paths(panel, unit, time, group, outcomes, base, layer) -> pd.DataFrame:
    """Mean of each outcome by group and time, as a difference from the base time.

    Parameters
    ----------
    panel, unit, outcomes, layer
        See :func:`describe`.
    time : str
        Column of the time; ``base`` is one of its values.
    group : array_like, shape (n,)

    Returns
    -------
    pandas.DataFrame
        ``layer``, ``outcome``, ``group``, ``time``, ``mean`` (log points from the base), ``low``
        and ``high`` (minus and plus two standard errors of the mean), ``units``. A unit enters with
        every time at which the outcome is published for anybody, or not at all.
    """
    frame = panel.assign(group=np.asarray(group))
    tables = []
    for outcome in outcomes:
        rows = frame.dropna(subset=[outcome])
        wide = rows.pivot(index=unit, columns=time, values=outcome).dropna()
        change = wide.sub(wide[base], axis=0)
        of = change.groupby(rows.drop_duplicates(unit).set_index(unit)["group"])
        mean, error = of.mean(), 2 * of.sem()
        long = pd.concat(
            {"mean": mean.stack(), "low": (mean - error).stack(), "high": (mean + error).stack()},
            axis=1,
        ).reset_index(names=["group", "time"])
        long["units"] = long["group"].map(of.size())
        tables.append(long.assign(layer=layer, outcome=outcome))
    columns = ["layer", "outcome", "group", "time", "mean", "low", "high", "units"]
    return pd.concat(tables, ignore_index=True)[columns]
