"""Development potential of monotowns: what was known of each in 2016, and its rank by it."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from monotowns.measures.composite import index, rank_bands
from monotowns.run.errors import DesignError

#: First and last year that the indicators may look at.
FIRST_YEAR, LAST_YEAR = 2012, 2016
#: Income figures are medians of three years: one faulty year must not make a town rich.
EARLY, LATE = (2012, 2013, 2014), (2014, 2015, 2016)


class Measured(NamedTuple):
    """Where a figure comes from.

    Attributes
    ----------
    sources : frozenset of str
        Published columns it is computed from.
    first_year, last_year : int
        Years it looks at; of an outcome, the base year and the last.
    dimension : str
    direction : int
        +1 where more is better, -1 where less is.
    """

    sources: frozenset
    first_year: int
    last_year: int
    dimension: str = ""
    direction: int = 1


# Residents are implied by total income over income per resident, see the panel.
RESIDENTS = frozenset({"municipal total income", "municipal income per resident"})
INCOME = RESIDENTS | {"municipal taxable income"}

INDICATORS = {
    "log_population": Measured(RESIDENTS, LAST_YEAR, LAST_YEAR, "demography"),
    "population_growth": Measured(RESIDENTS, FIRST_YEAR, LAST_YEAR, "demography"),
    "log_income": Measured(INCOME, LATE[0], LAST_YEAR, "income"),
    "income_growth": Measured(INCOME, FIRST_YEAR, LAST_YEAR, "income"),
    "transfer_share": Measured(
        frozenset({"municipal total income", "municipal social payments"}),
        LATE[0],
        LAST_YEAR,
        "transfers",
        -1,
    ),
    # Masses of the other entities: no figure of the unit itself enters.
    "log_market_potential": Measured(
        frozenset({"residents of other units"}), LAST_YEAR, LAST_YEAR, "access"
    ),
    # The cities above a million are read off a table of 2020, but were the same fifteen in 2016;
    # the smaller cores were not and are no indicator.
    "log_core_km": Measured(
        frozenset({"cities above a million"}), LAST_YEAR, LAST_YEAR, "access", -1
    ),
    "manufacturing_share": Measured(
        frozenset({"regional structure of GVA"}), LAST_YEAR, LAST_YEAR, "regional_industry"
    ),
    # 1 the gravest situation to 3 stable; the list of July 2014. Support granted later is left out:
    # it was given to the gravest cases first and is an outcome of the policy under study.
    "category": Measured(frozenset({"government list of monotowns"}), 2014, 2014, "policy"),
}
DIMENSIONS = {name: of.dimension for name, of in INDICATORS.items()}
DIRECTIONS = {name: of.direction for name, of in INDICATORS.items()}


def indicators(panel, measures, manufacturing) -> pd.DataFrame:
    """Indicators of the monotown entities, nothing later than 2016.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``region``, ``monotown`` (1 in the main definition), ``category``,
        ``log_population``, ``log_taxable_pc``, ``transfer_share``.
    measures : pandas.DataFrame
        ``entity``, ``year``, ``log_mp_inverse``, ``core_1000_km``.
    manufacturing : pandas.DataFrame
        ``region``, ``year``, ``share`` (per cent of GVA).

    Returns
    -------
    pandas.DataFrame
        Indexed by ``entity``, columns of :data:`INDICATORS`, missing where the panel is.
    """
    towns = panel[(panel["monotown"] == 1) & panel["year"].between(FIRST_YEAR, LAST_YEAR)]
    if not (towns["year"] == LAST_YEAR).any():
        raise DesignError("development potential", "no monotown observed", keys=[LAST_YEAR])
    unit = towns.drop_duplicates("entity").set_index("entity")
    columns = ["log_population", "log_taxable_pc", "transfer_share"]
    wide = towns.pivot(index="entity", columns="year", values=columns)

    def middle(column, years):
        return wide[column][list(years)].median(axis=1, skipna=False)

    size, income = wide["log_population"], middle("log_taxable_pc", LATE)
    space = measures[measures["year"] == LAST_YEAR].set_index("entity")
    share = manufacturing[manufacturing["year"] == LAST_YEAR].set_index("region")["share"]
    table = {
        "log_population": size[LAST_YEAR],
        "population_growth": size[LAST_YEAR] - size[FIRST_YEAR],
        "log_income": income,
        "income_growth": income - middle("log_taxable_pc", EARLY),
        "transfer_share": middle("transfer_share", LATE),
        "log_market_potential": space["log_mp_inverse"],
        # A kilometre is added for the towns that lie within a core.
        "log_core_km": np.log1p(space["core_1000_km"]),
        "manufacturing_share": unit["region"].map(share),
        "category": unit["category"],
    }
    return pd.DataFrame({name: table[name].reindex(unit.index) for name in INDICATORS})


def build_potential(panel, measures, manufacturing, draws, seed) -> pd.DataFrame:
    """Index, rank and rank band of every monotown entity.

    Parameters
    ----------
    panel, measures, manufacturing
        See :func:`indicators`; ``panel`` also has ``name``, ``listed_2014`` and ``town_share``.
    draws, seed : int
        See :func:`monotowns.measures.composite.rank_bands`.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``name``, ``region``, ``category``, ``monotown``, ``town_share``, the score of
        each dimension (z), ``index`` (equal weights, linear), ``rank``, ``rank_median``,
        ``rank_low``, ``rank_high``. Every entity on the list of 2014 has a row; those with an
        indicator missing, or whose monotowns are too small a part of it for its figures to be
        theirs (``monotown`` is not 1), have no index.
    """
    complete = indicators(panel, measures, manufacturing).dropna()
    result = index(complete, DIMENSIONS, DIRECTIONS)
    result = result.join(rank_bands(complete, DIMENSIONS, DIRECTIONS, draws, seed))
    listed = panel[panel["listed_2014"] > 0].drop_duplicates("entity").set_index("entity")
    about = listed[["name", "region", "category", "monotown", "town_share"]]
    return about.join(result).reset_index().sort_values(["rank", "entity"], ignore_index=True)
