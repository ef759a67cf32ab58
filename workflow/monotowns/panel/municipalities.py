"""The panel of another country: a table of municipalities by year, and a list of company towns."""

import numpy as np
import pandas as pd

from monotowns.panel.build import spikes
from monotowns.run.errors import ConfigError, ContractError

#: Columns of the panel that the two tables may leave out; they are then missing everywhere.
OPTIONAL = ("kind", "social", "category", "town_share")


def build_panel(municipalities, company_towns, definitions, years, deflator, toser=None):
    """Build the panel of a country whose tables are already by entity and year.

    Parameters
    ----------
    municipalities : pandas.DataFrame
        ``entity``, ``name``, ``region``, ``year``, ``population`` (persons), ``taxable`` (income of
        the year, thousands of the currency), ``lat``, ``lon``; optional ``social`` (social payments
        in the same unit) and ``kind``.
    company_towns : pandas.DataFrame
        ``list`` (year), ``entity``, ``town``; optional ``category`` (1 gravest) and ``town_share``
        (share of the entity's residents, 0 to 1; all of them without).
    definitions : dict
        As for :func:`monotowns.panel.build.monotown_status`.
    years : dict
        ``first`` and ``last`` year kept.
    deflator : dict
        Year -> inflation of the year in per cent.
    toser : pandas.DataFrame, optional
        ``entity``, ``established`` (date or year; empty where not known) of a status that came to
        some company towns.

    Returns
    -------
    panel : pandas.DataFrame
        The columns of :func:`monotowns.panel.build.assemble`, as far as the tables carry them.
    towns : pandas.DataFrame
        ``list``, ``region``, ``town``, ``category``, ``entity``.
    flow : pandas.DataFrame
        ``step``, ``reason``, ``rows``, ``entities``.

    Raises
    ------
    ContractError
        A company town's entity is in no year of the table of municipalities.
    ConfigError
        A definition names a list that the table of company towns does not have, or no row lies
        in the years.
    """
    unknown = sorted(set(company_towns["entity"]) - set(municipalities["entity"]))
    if unknown:
        raise ContractError("table company_towns", "an entity is no municipality", keys=unknown)
    lists = sorted(company_towns["list"].unique())
    for name, rule in definitions.items():
        if rule["list"] not in lists:
            raise ConfigError(
                f"config, monotown.{name}",
                "no such list of company towns",
                expected=lists,
                found=rule["list"],
            )
    frame = municipalities[municipalities["year"].between(years["first"], years["last"])]
    if frame.empty:
        raise ConfigError("config, years", "no municipality has a row in these years", found=years)
    flow = [("printed", f"municipal rows {years['first']}-{years['last']}", frame)]
    bad = ~(frame["taxable"] > 0) | ~(frame["population"] > 0)
    flow.append(("removed", "income or population missing or nought", frame[bad]))
    frame = frame[~bad].sort_values(["entity", "year"], ignore_index=True)
    flow.append(("kept", "panel", frame))
    flow = pd.DataFrame(
        [(*told, len(part), part["entity"].nunique()) for *told, part in flow],
        columns=["step", "reason", "rows", "entities"],
    )
    towns = company_towns.merge(frame.drop_duplicates("entity")[["entity", "region"]], how="left")
    for column in OPTIONAL:
        for table in (frame, towns):
            if column not in table:
                table[column] = np.nan
    frame = _with_status(frame.drop(columns=["category", "town_share"]), towns, definitions, toser)
    return _with_outcomes(frame, deflator), towns[_TOWNS], flow


_TOWNS = ["list", "region", "town", "category", "entity"]


def _with_status(frame, towns, definitions, toser):
    """Add the marks of company towns: 1 treated, 0 control, missing in between."""
    entity = frame["entity"]
    of = towns.assign(town_share=towns["town_share"].fillna(1.0)).groupby("entity")
    frame = frame.assign(
        category=entity.map(of["category"].min()), town_share=entity.map(of["town_share"].max())
    )
    for year, part in towns.groupby("list"):
        frame[f"listed_{year}"] = entity.map(part.groupby("entity").size())
    listed = [f"listed_{year}" for year in sorted(towns["list"].unique())]
    ever = frame[listed].notna().any(axis=1)
    for column in listed:
        frame[column] = frame[column].fillna(0.0).where(ever)
    for name, rule in definitions.items():
        treated = (frame[f"listed_{rule['list']}"] > 0) & (
            frame["town_share"] >= rule["town_share_min"]
        )
        column = "monotown" if name == "main" else f"monotown_{name}"
        frame[column] = np.where(treated, 1.0, np.where(ever, np.nan, 0.0))
    frame["toser"] = np.nan
    if toser is not None:
        year = pd.to_numeric(toser["established"].astype("string").str[:4]).fillna(0).astype(int)
        frame["toser"] = entity.map(year.groupby(toser["entity"]).min())
    return frame


def _with_outcomes(frame, deflator):
    """Add logs in the last year's prices, shares and marks."""
    frame["total"] = frame["taxable"] + frame["social"].fillna(0.0)
    years = sorted(frame["year"].unique())
    level = np.cumsum([np.log1p(deflator[y] / 100) for y in years])
    price = frame["year"].map(dict(zip(years, np.exp(level - level[-1]), strict=True)))
    for name, amount in (("log_taxable_pc", "taxable"), ("log_total_pc", "total")):
        frame[name] = np.log(frame[amount] * 1000 / frame["population"] / price)
    frame["log_population"] = np.log(frame["population"])
    frame["transfer_share"] = frame["social"] / frame["total"]
    frame["income_spike"] = spikes(frame)
    frame["region_year"] = frame["region"].astype(str) + " " + frame["year"].astype(str)
    return frame
