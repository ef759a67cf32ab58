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


def monotowns_in_book(cities, places) -> pd.DataFrame:
    """List the monotowns of the layer of cities, with the years in which each is in the book.

    Parameters
    ----------
    cities : pandas.DataFrame
        ``city``, ``town``, ``entity``, ``year``, ``alone``, ``log_shipments``.
    places : pandas.DataFrame
        ``entity``, ``listed_2014``, ``monotown``, ``toser``, ``section``, ``group``.

    Returns
    -------
    pandas.DataFrame
        One row a city whose entity holds a town of the list of 2014: ``main`` (1 by the main
        definition), ``first``, ``last``, ``years``, ``with_shipments`` (years).
    """
    columns = ["entity", "listed_2014", "monotown", "toser", "section", "group"]
    rows = cities.merge(places[columns], on="entity")
    rows = rows[rows["listed_2014"] > 0].rename(columns={"monotown": "main"})
    key = ["town", "city", "alone", "main", "toser", "section", "group"]
    of = rows.groupby(key, dropna=False)
    table = of["year"].agg(first="min", last="max", years="size")
    table["with_shipments"] = of["log_shipments"].count()
    return table.reset_index().sort_values(["town", "city"], ignore_index=True)


def regions_by_monotowns(places, panel, year, least) -> pd.Series:
    """Group of every region by the share of its residents who live in monotown entities.

    Parameters
    ----------
    places, panel : pandas.DataFrame
        ``entity``, ``monotown``; ``entity``, ``region``, ``year``, ``population``.
    year : int
        Of the residents.
    least : float
        Share from which a region is one ``with monotowns``.
    """
    people = panel[panel["year"] == year].merge(places[["entity", "monotown"]], on="entity")
    main = people["population"].where(people["monotown_y"] == 1, 0.0)
    share = main.groupby(people["region"]).sum() / people.groupby("region")["population"].sum()
    return share.ge(least).map({True: "with monotowns", False: "other regions"})


def industries_of_towns(places, panel, year) -> pd.DataFrame:
    """Count the monotown entities and their residents by section and group of divisions.

    Returns
    -------
    pandas.DataFrame
        ``section``, ``group`` (empty: the division is not known, or has none), ``entities``,
        ``residents`` (of ``year``), ``share_entities``, ``share_residents``, ``strong`` (entities
        whose evidence is town-forming or main).
    """
    people = panel[panel["year"] == year].set_index("entity")["population"]
    rows = places[(places["monotown"] == 1) & places["section"].notna()]
    rows = rows.assign(
        residents=rows["entity"].map(people),
        strong=rows["strength"].isin(["town-forming", "main"]),
        group=rows["group"].fillna(""),
    )
    of = rows.groupby(["section", "group"])
    table = of.agg(
        entities=("entity", "size"), residents=("residents", "sum"), strong=("strong", "sum")
    )
    for column in ("entities", "residents"):
        table[f"share_{column}"] = table[column] / table[column].sum()
    return table.reset_index()


def effective_shocks(industries) -> pd.DataFrame:
    """How many equal shocks the shares of industries amount to: one over the sum of squares.

    A design by sections has the first number, one by groups the second; entities whose group is
    not known count with their section, each as one more group.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``activities``, ``by_entities``, ``by_residents``.
    """
    rows = []
    for design, keys in (("sections", ["section"]), ("groups", ["section", "group"])):
        sums = industries.groupby(keys)[["entities", "residents"]].sum()
        shares = sums / sums.sum()
        rows.append((design, len(sums), *(1 / (shares**2).sum())))
    return pd.DataFrame(rows, columns=["design", "activities", "by_entities", "by_residents"])
