"""The panel: corrections, harmonised entities, treatment status and the sample flow."""

import numpy as np
import pandas as pd

from monotowns.panel.territories import components, locate_towns, newest, placed
from monotowns.run.errors import ContractError, InputError

#: A printed figure equals the one a correction expects up to its last printed digits.
EXPECTED_RTOL = 1e-6
#: Fields of a correction beside the one that names the place: a code or a region.
FIELDS = {"year", "column", "expected", "action", "reason"}
#: What a correction leaves out of its column: the one figure, or the place's years before it or
#: from it on, which are of another coverage.
ACTIONS = {"missing": "eq", "before": "lt", "from": "ge"}
#: A year's implied population may differ this much from the median of the five years around it
#: (log points); the published rates of change of whole municipalities stay well below.
PASSING = 0.10
#: A change between neighbouring years above this (log points) is a change of territory.
LASTING = 0.15
#: A year's income may differ this much from the median of the five years around it (log points)
#: before it counts as a passing spike: dividends, a misprint, an employer's change of address.
SPIKE = 0.5
#: Towns on the government's lists: order 1398-r of 29 July 2014 in its first wording, and the
#: monotown tables of Rosstat's bulletin for 1 January 2024.
OFFICIAL = {"monotowns_2014": 313, "monotowns_2024": 321}


def correct(
    table: pd.DataFrame, corrections: list[dict], where: str, *, place: str = "code"
) -> pd.DataFrame:
    """Apply repairs; each must find the figure of its year that it was written for.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a place and ``year``.
    corrections : list of dict
        With the fields :data:`FIELDS`, that of the place, and an action of :data:`ACTIONS`.
    where : str
        The corrections' file.
    place : str
        Column of the table, and field of a correction, that names the place.

    Raises
    ------
    InputError
        When a correction lacks a field or its cell is absent or holds another figure.
    """
    table = table.copy()
    for repair in corrections:
        odd = sorted((FIELDS | {place}) ^ set(repair))
        if odd or repair["action"] not in ACTIONS or repair["column"] not in table:
            raise InputError(
                where,
                "not a correction",
                keys=[*odd, *(f"{k}: {v}" for k, v in repair.items())],
                expected=f"the fields {', '.join(sorted(FIELDS | {place}))}; an action of "
                f"{', '.join(ACTIONS)}; a column of {', '.join(table)}",
            )
        name, year, column = repair[place], repair["year"], repair["column"]
        of = table[place] == name
        found = table.loc[of & (table["year"] == year), column].tolist()
        if len(found) != 1 or not np.isclose(found[0], repair["expected"], rtol=EXPECTED_RTOL):
            raise InputError(
                where,
                "a correction no longer finds its figure",
                keys=[f"{name} {year} {column}"],
                expected=repair["expected"],
                found=found,
                remedy="compare the new table with the correction's reason; drop or renew it",
            )
        gone = getattr(table["year"], ACTIONS[repair["action"]])(year)
        table.loc[of & gone, column] = np.nan
    return table


def harmonise(incomes, versions, overrides, first_year, last_year):
    """Sum the printed rows to entities of one territorial vintage.

    Parameters
    ----------
    incomes, versions : pandas.DataFrame
        Corrected municipal incomes, dictionary of municipalities.
    overrides : pandas.DataFrame
        Hand-made part of the crosswalk: ``code``, ``target``, ``reason``.
    first_year, last_year : int

    Returns
    -------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``taxable``, ``social``, ``total`` (thousand roubles), ``population``
        (average of the year, implied by total over per-resident income), ``members``.
    flow : pandas.DataFrame
        ``step``, ``reason``, ``rows``, ``entities``: what every step left or removed.
    links : pandas.DataFrame
        The crosswalk used.
    """
    flow = []

    def count(step, reason, frame, unit):
        flow.append((step, reason, len(frame), frame[unit].nunique()))

    def remove(reason, frame, gone, unit="entity"):
        count("removed", reason, frame[gone], unit)
        return frame[~gone].reset_index(drop=True)

    rows = incomes[incomes["year"].between(first_year, last_year)]
    count("printed", f"municipal rows {first_year}-{last_year}", rows, "code")
    figures = ["taxable", "social", "total", "per_resident"]
    twice = rows.duplicated(["year", "code", "name", *figures])
    rows = remove("row printed twice", rows, twice, "code")
    links = placed(rows, versions, overrides)
    rows = rows.merge(links, on=["code", "name"], how="left", validate="m:1")
    unknown = rows["entity"].isna()
    rows = remove("code and name of no known territory", rows, unknown, "code")
    rows = remove("district of a federal city", rows, rows["reason"] == "city", "code")
    bad = ~(rows[["total", "taxable", "per_resident"]] > 0).all(axis=1)
    incomplete = pd.MultiIndex.from_frame(rows.loc[bad, ["entity", "year"]])
    rows = remove("income or population suppressed or corrected away", rows, bad)
    rows["population"] = rows["total"] * 1000 / rows["per_resident"]
    sums = {c: (c, "sum") for c in ("taxable", "social", "total", "population")}
    panel = rows.groupby(["entity", "year"], as_index=False).agg(**sums, members=("code", "size"))
    count("formed", "entity-years", panel, "entity")
    # A sum over some of an entity's municipalities would read as a fall of the whole.
    partial = pd.MultiIndex.from_frame(panel[["entity", "year"]]).isin(incomplete)
    panel = remove("a member of the entity suppressed", panel, partial)
    jumps = passing_jumps(panel)
    panel = remove("population over 10 per cent off the years around", panel, jumps)
    panel = remove("shorter side of a lasting territorial break", panel, shorter_side(panel))
    count("kept", "panel", panel, "entity")
    return panel, pd.DataFrame(flow, columns=["step", "reason", "rows", "entities"]), links


def passing_jumps(panel: pd.DataFrame) -> np.ndarray:
    """Mark entity-years whose population leaves the series and comes back.

    A municipality that is missing from an entity's sum, or a figure computed with another's
    population, shows in the implied population. ``panel`` is sorted by entity and year.
    """
    return off_the_years_around(np.log(panel["population"]), panel["entity"], PASSING)


def off_the_years_around(values: pd.Series, entity: pd.Series, most: float) -> np.ndarray:
    """Mark values further than ``most`` from the median of the five years around them."""
    around = values.groupby(entity, sort=False).rolling(5, center=True, min_periods=2).median()
    return ((values - around.droplevel(0)).abs() > most).to_numpy()


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
        Overrides of :func:`harmonise`: the bulletin may print a newer code.
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
    residents = towns["population"].groupby(code.map(entity)).sum().astype(float)
    status = pd.DataFrame(index=sorted({*old["entity"].dropna(), *new["entity"].dropna()}))
    status["listed_2014"] = old.groupby("entity").size()
    status["listed_2024"] = new.groupby("entity").size()
    status["category"] = old.groupby("entity")["category"].min()
    people = new.groupby("entity")["town_population"].sum().astype(float)
    status["town_share"] = (people / residents.where(residents > 0)).clip(upper=1)
    status[["listed_2014", "listed_2024"]] = status[["listed_2014", "listed_2024"]].fillna(0)
    # A share that is not known (suppressed residents) meets only a definition without one.
    for column, treated in treated_by(definitions, status, status["town_share"].fillna(0)):
        status[column] = np.where(treated, 1.0, np.nan)
    year = year_of(toser["established"], "table toser")
    status["toser"] = year.groupby(toser["entity"]).min()
    status.index.name = "entity"
    towns = pd.concat(located.values(), ignore_index=True)
    return status.reset_index(), towns[["list", "region", "town", "category", "entity"]]


def year_of(dates: pd.Series, where: str) -> pd.Series:
    """Take the year of dates (2016-03-01, 2016-03 or 2016): 0 where none is known."""
    text = dates.astype("string").str.strip().replace("", pd.NA)
    odd = text.notna() & ~text.str.fullmatch(r"(?:19|20)\d\d(?:-\d\d){0,2}", na=False)
    if odd.any():
        raise ContractError(
            where,
            "not a date",
            keys=[f"row {row}: {value}" for row, value in text[odd].items()],
            expected="year-month-day, year-month or a year; empty where not known",
        )
    return pd.to_numeric(text.str[:4]).fillna(0).astype(int)


def treated_by(definitions: dict, status: pd.DataFrame, town_share: pd.Series):
    """Yield each definition's column and which rows are monotowns by it."""
    for name, rule in definitions.items():
        treated = (status[f"listed_{rule['list']}"] > 0) & (town_share >= rule["town_share_min"])
        yield "monotown" if name == "main" else f"monotown_{name}", treated


def match_rates(towns: pd.DataFrame, panel: pd.DataFrame, events=(2014, 2020)) -> pd.DataFrame:
    """Count how many towns of each list are found and followed.

    Returns
    -------
    pandas.DataFrame
        ``list``, ``official`` (towns on the list as published, missing where no such count is
        known), ``rows`` (as available), ``located``, ``in_panel``, and ``around_<event>``: towns
        whose entity has outcomes before the event (a year) and in it or later.
    """
    span = panel.groupby("entity")["year"].agg(["min", "max"])
    first, last = towns["entity"].map(span["min"]), towns["entity"].map(span["max"])
    marks = {"rows": True, "located": towns["entity"].notna(), "in_panel": first.notna()}
    marks |= {f"around_{year}": (first < year) & (last >= year) for year in events}
    table = towns[["list"]].assign(**marks).groupby("list", sort=True).sum().astype(int)
    table.insert(0, "official", pd.Series(OFFICIAL).reindex(table.index))
    return table.reset_index()


def with_status(frame: pd.DataFrame, status: pd.DataFrame) -> pd.DataFrame:
    """Join the status of :func:`monotown_status`; an entity without a listed town is a control."""
    frame = frame.merge(status, on="entity", how="left", validate="m:1")
    for column in [c for c in frame if c.startswith("monotown")]:
        frame[column] = frame[column].where(frame["listed_2014"].notna(), 0.0)
    return frame


def assemble(panel, status, versions, deflator):
    """Join the results of :func:`harmonise` and :func:`monotown_status` and add the outcomes.

    ``deflator`` is year -> December-to-December inflation in per cent; roubles are brought to the
    last year's. Region, kind and centre are those of the dictionary's newest version.
    """
    centre = newest(versions)
    frame = with_status(panel, status)
    for column in ("region", "kind", "lat", "lon", "territory_id", "name"):
        frame[column] = frame["entity"].map(centre[column])
    return outcomes(frame.sort_values(["entity", "year"], ignore_index=True), deflator)


def log_prices(year: pd.Series, deflator: dict) -> pd.Series:
    """Log of the price level of every row's year against the last of these years.

    From the change of consumer prices, December to December, per cent.
    """
    years = sorted(year.unique())
    level = np.cumsum([np.log1p(deflator[y] / 100) for y in years])
    return year.map(dict(zip(years, level - level[-1], strict=True)))


def outcomes(frame: pd.DataFrame, deflator: dict) -> pd.DataFrame:
    """Add the outcomes of the study to entity-years, sorted by entity and year.

    ``taxable``, ``social`` and ``total`` are thousand roubles. Added are ``log_taxable_pc``,
    ``log_total_pc`` (log roubles of the last year per resident), ``log_population``,
    ``transfer_share`` (0 to 1), ``income_spike`` (0 or 1) and ``region_year``.
    """
    frame = frame.copy()
    price = np.exp(log_prices(frame["year"], deflator))
    for column, amount in (("log_taxable_pc", "taxable"), ("log_total_pc", "total")):
        frame[column] = np.log(frame[amount] * 1000 / frame["population"] / price)
    frame["log_population"] = np.log(frame["population"])
    frame["transfer_share"] = frame["social"] / frame["total"]
    # A year whose income leaves its series and comes back is marked and stays in the panel.
    spike = off_the_years_around(frame["log_taxable_pc"], frame["entity"], SPIKE)
    frame["income_spike"] = spike.astype(int)
    frame["region_year"] = frame["region"].astype(str) + " " + frame["year"].astype(str)
    return frame


def coverage(panel: pd.DataFrame, region_population: pd.DataFrame) -> pd.DataFrame:
    """Set the panel's residents beside the published ones (persons) of each region and year."""
    found = panel.groupby(["region", "year"])["population"].sum().rename("panel").reset_index()
    known = region_population.rename(columns={"population": "published"})
    table = found.merge(known, on=["region", "year"], how="left", validate="1:1")
    table["share"] = table["panel"] / table["published"]
    return table
