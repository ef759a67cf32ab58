"""The panel: corrections, harmonised entities, treatment status and the sample flow."""

import numpy as np
import pandas as pd

from monotowns.panel.territories import components, crosswalk, locate_towns
from monotowns.run.errors import InputError

#: A printed figure equals the one a correction expects up to its last printed digits.
EXPECTED_RTOL = 1e-6


def correct(incomes: pd.DataFrame, corrections: list[dict], where: str) -> pd.DataFrame:
    """Apply repairs; each must find the figure it was written for.

    Raises
    ------
    InputError
        When a correction lacks a field or its cell is absent or holds another figure.
    """
    incomes = incomes.copy()
    for repair in corrections:
        _check_repair(repair, incomes.columns, where)
        cell = (incomes["code"] == repair["code"]) & (incomes["year"] == repair["year"])
        key = f"{repair['code']} {repair['year']} {repair['column']}"
        found = incomes.loc[cell, repair["column"]].tolist()
        if len(found) != 1 or not np.isclose(found[0], repair["expected"], rtol=EXPECTED_RTOL):
            raise InputError(
                where,
                "a correction no longer finds its figure",
                keys=[key],
                expected=repair["expected"],
                found=found,
                remedy="compare the new table with the correction's reason; drop or renew it",
            )
        incomes.loc[cell, repair["column"]] = np.nan
    return incomes


def _check_repair(repair, columns, where):
    fields = {"code", "year", "column", "expected", "action", "reason"}
    odd = sorted(fields ^ set(repair))
    if odd or repair["action"] != "missing" or repair["column"] not in columns:
        raise InputError(
            where,
            "not a correction",
            keys=[*odd, *(f"{k}: {v}" for k, v in repair.items())],
            expected=f"the fields {', '.join(sorted(fields))}; action: missing; a column of "
            f"{', '.join(columns)}",
        )


def harmonise(incomes, versions, overrides, first_year, last_year):
    """Sum the printed rows to entities of one territorial vintage.

    Parameters
    ----------
    incomes : pandas.DataFrame
        Corrected municipal incomes (thousand roubles; roubles per resident).
    versions : pandas.DataFrame
        Dictionary of municipalities.
    overrides : pandas.DataFrame
        Hand-made part of the crosswalk: ``code``, ``target``, ``reason``.
    first_year, last_year : int
        Years kept.

    Returns
    -------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``taxable``, ``social``, ``total`` (thousand roubles), ``population``
        (average of the year, implied by total over per-resident income), ``members``.
    flow : pandas.DataFrame
        ``step``, ``reason``, ``rows``, ``entities``: what every step left or removed.
    walk : pandas.DataFrame
        The crosswalk used.
    """
    flow = []

    def count(step, reason, frame, unit):
        flow.append((step, reason, len(frame), frame[unit].nunique()))

    rows = incomes[incomes["year"].between(first_year, last_year)].copy()
    count("printed", f"municipal rows {first_year}-{last_year}", rows, "code")
    values = ["taxable", "social", "total", "per_resident"]
    twice = rows.duplicated(["year", "code", "name", *values])
    count("removed", "row printed twice", rows[twice], "code")
    rows = rows[~twice]
    walk = crosswalk(rows, versions)
    entity = components(versions)
    target = overrides.set_index("code")["target"]
    manual = walk["entity"].isna() & walk["code"].isin(target.index)
    walk.loc[manual, "entity"] = [entity.get(t, t) for t in walk.loc[manual, "code"].map(target)]
    walk.loc[manual, "reason"] = "override"
    rows = rows.merge(walk, on=["code", "name"], how="left", validate="m:1")
    lost = rows["entity"].isna()
    count("removed", "code and name of no known territory", rows[lost], "code")
    rows = rows[~lost]
    city = rows["reason"] == "city"
    count("removed", "district of a federal city", rows[city], "code")
    rows = rows[~city]
    bad = ~(rows["total"] > 0) | ~(rows["taxable"] > 0) | ~(rows["per_resident"] > 0)
    count("removed", "income or population suppressed or corrected away", rows[bad], "entity")
    incomplete = rows.loc[bad, ["entity", "year"]].drop_duplicates()
    rows = rows[~bad].copy()
    rows["population"] = rows["total"] * 1000 / rows["per_resident"]
    panel = rows.groupby(["entity", "year"], as_index=False).agg(
        taxable=("taxable", "sum"),
        social=("social", "sum"),
        total=("total", "sum"),
        population=("population", "sum"),
        members=("code", "size"),
    )
    count("formed", "entity-years", panel, "entity")
    # A sum over some of an entity's municipalities would read as a fall of the whole.
    partial = panel.merge(incomplete, on=["entity", "year"])
    gone = pd.MultiIndex.from_frame(panel[["entity", "year"]]).isin(
        pd.MultiIndex.from_frame(partial[["entity", "year"]])
    )
    count("removed", "a member of the entity suppressed", panel[gone], "entity")
    panel = panel[~gone]
    panel = panel.sort_values(["entity", "year"], ignore_index=True)
    odd = passing_jumps(panel)
    count("removed", "population over 10 per cent off the years around", panel[odd], "entity")
    panel = panel[~odd].reset_index(drop=True)
    short = shorter_side(panel)
    count("removed", "shorter side of a lasting territorial break", panel[short], "entity")
    panel = panel[~short].reset_index(drop=True)
    count("kept", "panel", panel, "entity")
    return panel, pd.DataFrame(flow, columns=["step", "reason", "rows", "entities"]), walk


#: A year's implied population may differ this much from the median of the five years around it
#: (log points); the published rates of change of whole municipalities stay well below.
PASSING = 0.10
#: A change between neighbouring years above this (log points) is a change of territory.
LASTING = 0.15


def passing_jumps(panel: pd.DataFrame) -> np.ndarray:
    """Mark entity-years whose population leaves the series and comes back.

    A municipality that is missing from an entity's sum, or a figure computed with another's
    population, shows in the implied population. ``panel`` is sorted by entity and year.
    """
    return off_the_years_around(np.log(panel["population"]), panel["entity"], PASSING)


def off_the_years_around(values, entity, most) -> np.ndarray:
    """Mark values further than ``most`` from the median of the five years around them."""
    level, home = values.to_numpy(float), pd.factorize(entity)[0]
    rows = np.arange(len(level))
    window = np.full((len(level), 5), np.nan)
    for place, step in enumerate(range(-2, 3)):
        other = np.clip(rows + step, 0, len(level) - 1)
        same = (other == rows + step) & (home[other] == home)
        window[same, place] = level[other[same]]
    # Sorted, the missing last: the median is the mean of the two in the middle of the rest.
    window.sort(axis=1)
    known = (~np.isnan(window)).sum(axis=1)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    around = (window[rows, low] + window[rows, np.minimum(high, 4)]) / 2
    return (known > 1) & (np.abs(level - around) > most)


def shorter_side(panel: pd.DataFrame) -> np.ndarray:
    """Mark all but the longest run of years between lasting breaks of an entity's territory.

    Ties are decided for the later run. ``panel`` is sorted by entity and year.
    """
    step = np.log(panel["population"]).groupby(panel["entity"]).diff().abs() > LASTING
    run = step.groupby(panel["entity"]).cumsum()
    length = panel.groupby([panel["entity"], run])["year"].transform("size")
    rank = length * 1000 + run
    return (rank < rank.groupby(panel["entity"]).transform("max")).to_numpy()


def monotown_status(lists, places, versions, overrides, codes, definitions):
    """Locate the monotowns and classify the entities.

    Parameters
    ----------
    lists : dict of pandas.DataFrame
        ``monotowns_2014``, ``monotowns_2024``, ``toser`` with ``region`` and ``town``.
    places, versions, overrides : pandas.DataFrame
        Population bulletin, dictionary, and hand-made places of towns.
    codes : pandas.DataFrame
        Hand-made part of the crosswalk, see :func:`harmonise`: the bulletin may print a newer code.
    definitions : dict
        Name -> ``list`` (2014 or 2024) and ``town_share_min``, the least share of the entity's
        population that lives in its monotowns; ``main`` is the study's.

    Returns
    -------
    status : pandas.DataFrame
        One row an entity that holds a monotown: ``listed_2014``, ``listed_2024`` (towns),
        ``category`` (of 2014, the worst), ``town_share``, ``monotown`` by the main and
        ``monotown_<name>`` by every other definition (1 treated, missing where neither treated
        nor control), ``toser`` (year, 0 undated, missing none).
    towns : pandas.DataFrame
        Every row of the lists with its ``list`` and ``entity``, missing where not located.
    """
    entity = components(versions)
    hand = overrides.set_index(["region", "town"])["code"]
    located = {}
    for name, towns in lists.items():
        place = locate_towns(towns, places, versions)
        keys = pd.MultiIndex.from_frame(towns[["region", "town"]])
        fixed = pd.Series(keys.map(hand.to_dict()), index=towns.index).map(entity)
        located[name] = towns.assign(list=name, entity=fixed.fillna(place))
    old, new, toser = (located[k] for k in ("monotowns_2014", "monotowns_2024", "toser"))
    towns = places[places["level"] == "municipality"]
    code = towns["code"].map(codes.set_index("code")["target"]).fillna(towns["code"])
    towns = towns.assign(entity=code.map(entity))
    residents = towns.dropna(subset=["entity"]).groupby("entity")["population"].sum()
    status = pd.DataFrame(index=sorted(set(old["entity"].dropna()) | set(new["entity"].dropna())))
    status["listed_2014"] = old.groupby("entity").size()
    status["listed_2024"] = new.groupby("entity").size()
    status["category"] = old.groupby("entity")["category"].min()
    people = new.groupby("entity")["town_population"].sum().astype(float)
    status["town_share"] = (people / residents.astype(float).where(residents > 0)).clip(upper=1)
    status[["listed_2014", "listed_2024"]] = status[["listed_2014", "listed_2024"]].fillna(0)
    for name, rule in definitions.items():
        listed = status[f"listed_{rule['list']}"] > 0
        # A share that is not known (suppressed residents) meets only the definition without one.
        treated = listed & (status["town_share"].fillna(0) >= rule["town_share_min"])
        column = "monotown" if name == "main" else f"monotown_{name}"
        status[column] = np.where(treated, 1.0, np.nan)
    year = pd.to_numeric(toser["established"].str[:4]).fillna(0).astype(int)
    status["toser"] = year.groupby(toser["entity"]).min()
    status.index.name = "entity"
    towns = pd.concat(located.values(), ignore_index=True)
    return status.reset_index(), towns[["list", "region", "town", "category", "entity"]]


#: Towns on the government's lists: order 1398-r of 29 July 2014 in its first wording, and the
#: monotown tables of Rosstat's bulletin for 1 January 2024.
OFFICIAL = {"monotowns_2014": 313, "monotowns_2024": 321}


def match_rates(towns: pd.DataFrame, panel: pd.DataFrame, events=(2014, 2020)) -> pd.DataFrame:
    """Count how many towns of each list are found and followed.

    Parameters
    ----------
    towns : pandas.DataFrame
        From :func:`monotown_status`.
    panel : pandas.DataFrame
        ``entity``, ``year``.
    events : sequence of int
        Years around which outcomes are wanted.

    Returns
    -------
    pandas.DataFrame
        ``list``, ``official`` (towns on the list as published, missing where no such count is
        known), ``rows`` (as available), ``located``, ``in_panel``, and ``around_<event>``: towns
        whose entity has outcomes before the event and in it or later.
    """
    span = panel.groupby("entity")["year"].agg(["min", "max"])
    first, last = towns["entity"].map(span["min"]), towns["entity"].map(span["max"])
    marks = {"rows": True, "located": towns["entity"].notna(), "in_panel": first.notna()}
    marks |= {f"around_{year}": (first < year) & (last >= year) for year in events}
    table = towns[["list"]].assign(**marks).groupby("list", sort=True).sum().astype(int)
    table.insert(0, "official", pd.Series(OFFICIAL).reindex(table.index))
    return table.reset_index()


def assemble(panel, status, versions, deflator):
    """Join outcomes and status into the panel.

    Parameters
    ----------
    panel, status : pandas.DataFrame
        From :func:`harmonise` and :func:`monotown_status`.
    versions : pandas.DataFrame
        Dictionary of municipalities, for region and centre.
    deflator : dict
        Year -> December-to-December inflation in per cent; roubles are brought to the last year's.

    Returns
    -------
    pandas.DataFrame
        One row an entity and year, sorted.
    """
    entity = components(versions)
    centre = versions.assign(entity=versions["code"].map(entity)).sort_values("year_to")
    centre = centre.drop_duplicates("entity", keep="last").set_index("entity")
    frame = panel.merge(status, on="entity", how="left", validate="m:1")
    for column in ("region", "kind", "lat", "lon", "territory_id"):
        frame[column] = frame["entity"].map(centre[column])
    frame["name"] = frame["entity"].map(centre["name"])
    for column in [c for c in frame if c.startswith("monotown")]:
        frame[column] = frame[column].where(frame["listed_2014"].notna(), 0.0)
    return outcomes(frame.sort_values(["entity", "year"], ignore_index=True), deflator)


def outcomes(frame: pd.DataFrame, deflator: dict) -> pd.DataFrame:
    """Add the outcomes of the study to entity-years.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``entity``, ``year``, ``taxable``, ``social``, ``total`` (thousand roubles),
        ``population``, ``region``; sorted by entity and year.
    deflator : dict
        See :func:`assemble`.

    Returns
    -------
    pandas.DataFrame
        With ``log_taxable_pc``, ``log_total_pc`` (log roubles of the last year per resident),
        ``log_population``, ``transfer_share`` (0 to 1), ``income_spike`` (0 or 1), ``region_year``.
    """
    frame = frame.copy()
    years = sorted(frame["year"].unique())
    level = np.cumsum([np.log1p(deflator[y] / 100) for y in years])
    price = dict(zip(years, np.exp(level - level[-1]), strict=True))
    price = frame["year"].map(price)
    frame["log_taxable_pc"] = np.log(frame["taxable"] * 1000 / frame["population"] / price)
    frame["log_total_pc"] = np.log(frame["total"] * 1000 / frame["population"] / price)
    frame["log_population"] = np.log(frame["population"])
    frame["transfer_share"] = frame["social"] / frame["total"]
    frame["income_spike"] = spikes(frame)
    frame["region_year"] = frame["region"].astype(str) + " " + frame["year"].astype(str)
    return frame


#: A year's income may differ this much from the median of the five years around it (log points)
#: before it counts as a passing spike: dividends, a misprint, an employer's change of address.
SPIKE = 0.5


def spikes(frame: pd.DataFrame) -> np.ndarray:
    """Mark entity-years whose income leaves its series and comes back; they stay in the panel.

    ``frame`` is sorted by entity and year and has ``log_taxable_pc``.
    """
    return off_the_years_around(frame["log_taxable_pc"], frame["entity"], SPIKE).astype(int)


def coverage(panel: pd.DataFrame, region_population: pd.DataFrame) -> pd.DataFrame:
    """Set the panel's residents beside the published population of each region and year.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``, ``panel`` and ``published`` (persons, yearly average), ``share``.
    """
    found = panel.groupby(["region", "year"])["population"].sum().rename("panel").reset_index()
    known = region_population.rename(columns={"population": "published"})
    table = found.merge(known, on=["region", "year"], how="left", validate="1:1")
    table["share"] = table["panel"] / table["published"]
    return table
