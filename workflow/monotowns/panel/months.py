"""The layer of months: wages by section and spending of entities, quarters of 2023 and 2024."""

import numpy as np
import pandas as pd

from monotowns.panel.territories import components

#: A quarter's own wage, taken from two means since January, may differ this many times from the
#: mean: beyond it late payments and changed lists of employers speak, not wages.
PLAUSIBLE = 2.5
#: A wage that changes more than this in a year (log points) is of another list of employers.
CHANGED = 0.7
#: Least mean wage, roubles a month: a third of the statutory minimum of 2023. Below it nobody works
#: full time, or the figure is of another kind.
LEAST = 5_400
SECTIONS = ("all", "B", "C")


def entity_of(versions: pd.DataFrame) -> pd.Series:
    """Entity of every territory id: that of the code of its newest version."""
    newest = versions.sort_values("year_to").drop_duplicates("territory_id", keep="last")
    return newest.set_index("territory_id")["code"].map(components(versions)).rename("entity")


def own_wages(wages: pd.DataFrame) -> pd.DataFrame:
    """Take every quarter's own wage out of the means since January.

    The mean over m months times m, less the same of the quarter before, over three months; the
    number of employees is not published, so that it is held constant within the year.

    Parameters
    ----------
    wages : pandas.DataFrame
        ``territory_id``, ``year``, ``months``, ``section``, ``wage``.

    Returns
    -------
    pandas.DataFrame
        With ``quarter`` and ``own``, roubles a month; missing where the quarter before is, or the
        result is further than :data:`PLAUSIBLE` times from the mean.
    """
    key = ["territory_id", "section", "year"]
    frame = wages.sort_values([*key, "months"], ignore_index=True)
    total = frame["wage"] * frame["months"]
    before = total.groupby([frame[c] for c in key]).shift().fillna(0)
    months = frame.groupby(key)["months"].diff()
    own = (total - before) / 3
    whole = (months == 3) | (frame["months"] == 3)
    near = own.between(frame["wage"] / PLAUSIBLE, frame["wage"] * PLAUSIBLE)
    frame["own"] = own.where(whole & near)
    frame["quarter"] = frame["months"] // 3
    return frame


def build(wages, consumption, ages, versions) -> pd.DataFrame:
    """Join the municipal wages and spending to entities and quarters.

    Territories of one entity are weighted by their residents.

    Returns
    -------
    pandas.DataFrame
        One row an entity, year and quarter: ``wage_<section>`` (mean since January), its quarter's
        own ``wage_<section>_own``, ``consumption`` (roubles a month per person, mean of the three
        months, missing unless all are there), their logs ``log_wage_<section>`` and
        ``log_consumption``.
    """
    entity = entity_of(versions)
    people = ages.groupby("territory_id")["residents"].mean()
    tables = []
    frame = own_wages(wages[wages["wage"] >= LEAST])
    for section in SECTIONS:
        of = frame[frame["section"] == section]
        for column, name in (("wage", f"wage_{section}"), ("own", f"wage_{section}_own")):
            tables.append(weighted(of, column, entity, people).rename(name))
    quarter = consumption.assign(quarter=(consumption["month"] - 1) // 3 + 1)
    key = ["territory_id", "year", "quarter"]
    spent = quarter.groupby(key)["all"].agg(["mean", "size"])
    spent = spent["mean"].where(spent["size"] == 3).reset_index()
    tables.append(weighted(spent, "mean", entity, people).rename("consumption"))
    table = pd.concat(tables, axis=1).sort_index()
    for section in SECTIONS:
        for column in (f"wage_{section}", f"wage_{section}_own"):
            table[column] = table[column].mask(other_employers(table[column]))
    for column in [*(f"wage_{s}" for s in SECTIONS), "consumption"]:
        table[f"log_{column}"] = np.log(table[column])
    return table.reset_index()


def other_employers(wage: pd.Series) -> pd.Series:
    """Mark wages of an entity and quarter that change beyond :data:`CHANGED` in a year.

    The figures of both years are marked: which list of employers is the right one is not known.
    """
    wide = np.log(wage.unstack("year"))
    changed = wide.max(axis=1) - wide.min(axis=1) > CHANGED
    return changed.reindex(wage.index.droplevel("year")).set_axis(wage.index)


def weighted(frame, column, entity, people) -> pd.Series:
    """Mean of a column over the territories of an entity, weighted by residents."""
    frame = frame.dropna(subset=[column])
    weight = frame["territory_id"].map(people)
    # Alone in its entity a territory needs no weight.
    weight = weight.fillna(1.0)
    keys = [frame["territory_id"].map(entity).rename("entity"), frame["year"], frame["quarter"]]
    sums = (frame[column] * weight).groupby(keys).sum()
    return sums / weight.groupby(keys).sum()


def growth(panel: pd.DataFrame) -> pd.DataFrame:
    """Log growth of wages and spending of every entity from the first year to the last.

    A wage is the mean since January: of both years the longest one that both have is taken, which
    is the whole year's for nearly all. It counts every month once; the mean over the four means
    would count January four times and December once, and a quarter's own wage is a difference of
    means over lists of employers that change. Spending is by month, so that the quarters seen in
    both years are averaged.

    Parameters
    ----------
    panel : pandas.DataFrame
        From :func:`build`: two years.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year`` (the last), ``growth_wage_<section>``, ``growth_consumption``: log
        points, roubles of each year; missing where no quarter is seen in both years.
        ``log_<name>``: the same figures of the last year, roubles a month.
    """
    first, last = panel["year"].min(), panel["year"].max()
    columns = {}
    for name in (*(f"wage_{section}" for section in SECTIONS), "consumption"):
        wide = panel.pivot(index=["entity", "quarter"], columns="year", values=f"log_{name}")
        change = (wide[last] - wide[first]).dropna().groupby("entity")
        level = wide[last][wide.notna().all(axis=1)].groupby("entity")
        for column, of in ((f"growth_{name}", change), (f"log_{name}", level)):
            columns[column] = of.mean() if name == "consumption" else of.last()
    table = pd.DataFrame(columns).rename_axis("entity").sort_index()
    table.insert(0, "year", last)
    return table.reset_index()
