"""The panel of another country: a table of municipalities by year, and a list of company towns."""

import unicodedata

import numpy as np
import pandas as pd

from monotowns.panel.build import outcomes, treated_by, year_of
from monotowns.run.errors import ConfigError, ContractError


def build_panel(municipalities, company_towns, definitions, years, deflator, toser=None):
    """Build the panel of a country whose tables are already by entity and year.

    Parameters
    ----------
    municipalities, company_towns, toser : pandas.DataFrame
        As ``data/README.md`` describes them; ``toser`` may be None.
    definitions : dict
        As for :func:`monotowns.panel.build.monotown_status`.
    years : dict
        ``first`` and ``last`` year kept.
    deflator : dict
        Year -> inflation of the year in per cent.

    Returns
    -------
    panel : pandas.DataFrame
        The columns of :func:`monotowns.panel.build.assemble`, as far as the tables have them.
    towns : pandas.DataFrame
        ``list``, ``region``, ``town``, ``category``, ``entity``.
    flow : pandas.DataFrame
        ``step``, ``reason``, ``rows``, ``entities``.

    Raises
    ------
    ContractError
        An entity of the other tables is in no year of the table of municipalities, an entity or a
        region is spelt in two ways, or a status came at no date.
    ConfigError
        A definition names a list that is not there, or no row lies in the years.
    """
    tables = {"municipalities": municipalities, "company_towns": company_towns, "toser": toser}
    tables = {name: table for name, table in tables.items() if table is not None}
    for column in ("entity", "region"):
        _spelt_once(pd.concat([t[column] for t in tables.values() if column in t]), column)
    for name, table in tables.items():
        if unknown := sorted(set(table["entity"]) - set(municipalities["entity"])):
            raise ContractError(f"table {name}", "an entity is no municipality", keys=unknown)
    lists = sorted(company_towns["list"].unique())
    for name, rule in definitions.items():
        if rule["list"] not in lists:
            problem, where = "no such list of company towns", f"config, monotown.{name}"
            raise ConfigError(where, problem, expected=lists, found=rule["list"])
    frame = municipalities[municipalities["year"].between(years["first"], years["last"])]
    if frame.empty:
        raise ConfigError("config, years", "no municipality has a row in these years", found=years)
    bad = ~(frame["taxable"] > 0) | ~(frame["population"] > 0)
    kept = frame[~bad].sort_values(["entity", "year"], ignore_index=True)
    flow = [
        (step, reason, len(part), part["entity"].nunique())
        for step, reason, part in (
            ("printed", f"municipal rows {years['first']}-{years['last']}", frame),
            ("removed", "income or population missing or zero", frame[bad]),
            ("kept", "panel", kept),
        )
    ]
    towns = company_towns.merge(kept.drop_duplicates("entity")[["entity", "region"]], how="left")
    for table, columns in ((kept, ("kind", "social")), (towns, ("category", "town_share"))):
        for column in columns:
            if column not in table:
                table[column] = np.nan
    panel = _with_status(kept, towns, definitions, toser)
    panel["total"] = panel["taxable"] + panel["social"].fillna(0.0)
    flow = pd.DataFrame(flow, columns=["step", "reason", "rows", "entities"])
    towns = towns[["list", "region", "town", "category", "entity"]]
    return outcomes(panel, deflator), towns, flow


#: Cyrillic letters that look like these Latin ones.
LOOK_ALIKE = str.maketrans("аеосрхукмнтв", "aeocpxykmhtb")


def _spelt_once(values, column):
    """Refuse values that differ only in spaces, case, leading zeros or letters that look alike."""
    values = pd.Series(values.astype(str).unique())
    plain = values.map(lambda v: "".join(unicodedata.normalize("NFKC", v).casefold().split()))
    plain = plain.str.translate(LOOK_ALIKE).str.lstrip("0")
    twice = values[plain.duplicated(keep=False)]
    if len(twice):
        keys = [repr(v) for v in twice[plain[twice.index].sort_values(kind="stable").index]]
        remedy = "spell it one way in all rows and tables"
        raise ContractError(
            f"column {column}", "one name in two spellings", keys=keys, remedy=remedy
        )


def _with_status(frame, towns, definitions, toser):
    """Add the marks of company towns: 1 treated, 0 control, missing in between."""
    entity = frame["entity"]
    of = towns.assign(town_share=towns["town_share"].fillna(1.0)).groupby("entity")
    frame = frame.assign(
        category=entity.map(of["category"].min()), town_share=entity.map(of["town_share"].max())
    )
    for year, part in towns.groupby("list"):
        frame[f"listed_{year}"] = entity.map(part.groupby("entity").size())
    listed = [c for c in frame if c.startswith("listed_")]
    ever = frame[listed].notna().any(axis=1)
    frame[listed] = frame[listed].fillna(0.0).where(ever)
    for column, treated in treated_by(definitions, frame, frame["town_share"]):
        frame[column] = np.where(treated, 1.0, np.where(ever, np.nan, 0.0))
    frame["toser"] = np.nan
    if toser is not None:
        year = year_of(toser["established"], "table toser")
        frame["toser"] = entity.map(year.groupby(toser["entity"]).min())
    return frame
