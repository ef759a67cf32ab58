"""What an entity is, the same in every layer: status, policy, industry, kind, place.

One table, one row an entity of the dictionary; a layer's panel is its outcomes joined to this.
"""

import pandas as pd

from monotowns.panel.build import with_status
from monotowns.panel.territories import placed

#: An entity was an urban okrug when at least this share of its residents lived in one.
MOSTLY = 0.5
#: Evidence for a town's industry, strongest first.
STRENGTH = ("town-forming", "main", "located", "dated", "weak")


def urban_kind(kinds, by_hand, incomes, versions, overrides) -> pd.Series:
    """Which entities were urban okrugs in the year of the headings: 1, 0, missing where unknown.

    Parameters
    ----------
    kinds : pandas.DataFrame
        ``year``, ``code``, ``name``, ``kind`` as printed.
    by_hand : pandas.DataFrame
        ``code``, ``kind``: what the sheet does not print, or prints under the wrong heading.
    incomes, versions, overrides : pandas.DataFrame
        Residents are those implied by the incomes of that year; the crosswalk's two inputs.
    """
    hand = by_hand.set_index("code")["kind"]
    rows = kinds.assign(kind=kinds["code"].map(hand).fillna(kinds["kind"]))
    links = placed(rows, versions, overrides)
    rows = rows.merge(links[["code", "name", "entity"]], on=["code", "name"])
    residents = incomes.assign(residents=incomes["total"] * 1e3 / incomes["per_resident"])
    rows = rows.merge(residents[["year", "row", "residents"]], on=["year", "row"])
    rows = rows.dropna(subset=["entity", "kind", "residents"])
    urban = (rows["kind"] == "urban") * rows["residents"]
    share = urban.groupby(rows["entity"]).sum() / rows.groupby("entity")["residents"].sum()
    return (share >= MOSTLY).astype(float)


def group_of_division(groups) -> dict:
    """Two digits of a division -> the group that holds it; ``C19+22`` and ``C24-25`` are groups."""
    found = {}
    for group in groups:
        for part in group[1:].split("+"):
            first, _, last = part.partition("-")
            for division in range(int(first), int(last or first) + 1):
                found[f"{division:02d}"] = group
    return found


def group_of_rows(located: pd.DataFrame, groups: dict) -> pd.Series:
    """Group of divisions of every row by its ``division``; missing where there is none.

    ``groups`` is from :func:`group_of_division`.
    """
    division = located["division"].astype("string").str.extract(r"^(\d{1,2})", expand=False)
    return division.str.zfill(2).map(groups).astype(object)


def main_industry(located: pd.DataFrame, groups: dict) -> pd.DataFrame:
    """The industry of each entity's monotowns by the strongest evidence.

    Parameters
    ----------
    located : pandas.DataFrame
        Main industries with their ``entity``, see :func:`.measures.entities.locate_industries`.
    groups : dict
        Two digits of a division -> group of divisions.

    Returns
    -------
    pandas.DataFrame
        Indexed by entity: ``section``, ``group`` (missing where the division is not known or has
        none) and ``strength`` of the evidence. Of several industries the first by strength, then
        by the letters.
    """
    rank = located["strength"].map({word: i for i, word in enumerate(STRENGTH)})
    rows = located.assign(rank=rank, group=group_of_rows(located, groups))
    rows = rows.dropna(subset=["section"]).sort_values(["entity", "rank", "section", "industry"])
    return rows.drop_duplicates("entity").set_index("entity")[["section", "group", "strength"]]


def district_of(towns: pd.DataFrame) -> dict:
    """First two digits of a code, its region's, -> federal district."""
    return dict(zip(towns["code"].str[:2], towns["district"], strict=True))


def classes(panel: pd.DataFrame, columns: dict, years) -> pd.DataFrame:
    """Equal classes of entities by the means of some early years, numbered from 1.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year`` and the columns.
    columns : dict
        Column -> name and number of its classes.
    years : sequence of int

    Returns
    -------
    pandas.DataFrame
        Indexed by entity, a column a name; equal means fall into classes in the order of entities.
        ``early_income`` and ``early_size``: the means of log taxable income per resident and of log
        residents; ``early_growth``: the latter's change from the first of the years to the last.
    """
    rows = panel[panel["year"].isin(years)]
    early = rows.groupby("entity")[list(columns)].mean()
    table = pd.DataFrame(
        {
            name: pd.qcut(early[column].rank(method="first"), count, labels=False) + 1.0
            for column, (name, count) in columns.items()
        }
    )
    residents = rows.pivot(index="entity", columns="year", values="log_population")
    table["early_income"], table["early_size"] = early["log_taxable_pc"], early["log_population"]
    table["early_growth"] = residents[max(years)] - residents[min(years)]
    return table


def build(centre, status, urban, industry, measures, year) -> pd.DataFrame:
    """Join everything that is one figure an entity.

    Parameters
    ----------
    centre, status : pandas.DataFrame
        Results of :func:`.territories.newest` and of :func:`.build.monotown_status`.
    urban, industry
        Results of :func:`urban_kind` and :func:`main_industry`.
    measures : pandas.DataFrame
        Spatial measures by entity and year; market potential is taken from ``year``.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``name``, ``region``, ``lat``, ``lon``, the columns of the status
        (``monotown`` 0 where no town of the entity was listed), ``urban_<year>``, ``section``,
        ``group``, ``strength``, ``log_mp_*``, ``core_*_km``, ``ring``.
    """
    frame = with_status(centre[["name", "region", "lat", "lon"]].reset_index(), status)
    frame[f"urban_{year}"] = frame["entity"].map(urban)
    frame = frame.join(industry, on="entity")
    of_year = measures[measures["year"] == year].drop(columns="year")
    frame = frame.merge(of_year, on="entity", how="left", validate="1:1")
    return frame.sort_values("entity", ignore_index=True)
