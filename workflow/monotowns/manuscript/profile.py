"""One page about one town, from the results."""

import numpy as np

from monotowns.manuscript.numbers import written
from monotowns.panel.territories import stem
from monotowns.run.errors import InputError
from monotowns.run.schema import nearest


def find_entity(town: str, towns, region: str | None = None) -> str:
    """Find the entity of a listed town by its name, with or without the kind of place.

    Raises
    ------
    InputError
        No listed town of that name (the nearest is named), or several.
    """
    known = towns.dropna(subset=["entity"])
    known = known if region is None else known[known["region"] == region]
    hits = known[known["town"].map(stem) == stem(town)].drop_duplicates("entity")
    if hits.empty:
        raise InputError("profile", f"no listed town '{town}'", remedy=nearest(town, known["town"]))
    if len(hits) > 1:
        places = (hits["town"] + ", " + hits["region"]).tolist()
        remedy = "add REGION='...'"
        raise InputError("profile", f"several towns '{town}'", keys=places, remedy=remedy)
    return hits["entity"].iloc[0]


def profile(entity, panel, potential, towns, exposure, industries) -> dict:
    """Everything that a one-page profile prints, as text.

    Returns
    -------
    dict
        ``name``, ``region``, ``lists`` (rows of the lists), ``years`` (year, residents, real income
        a month, share of social payments), ``potential`` (rows of name and value), ``industries``.
    """
    rows = panel[panel["entity"] == entity].sort_values("year")
    if rows.empty:
        raise InputError("profile", "the entity is not in the panel", keys=[entity])
    last = rows.iloc[-1]
    years = [
        {
            "year": str(row.year),
            "residents": written(row.population, "count"),
            "income": written(np.exp(row.log_taxable_pc) / 12, "count"),
            "transfers": written(100 * row.transfer_share, "share"),
        }
        for row in rows.itertuples()
    ]
    town_share = written(100 * last["town_share"], "share")
    values = {"town share of the entity's residents, per cent": town_share}
    ranked = potential[potential["rank"].notna()].set_index("entity")
    if entity in ranked.index:
        row = ranked.loc[entity]
        values |= {
            f"rank of {len(ranked)} by development potential": written(row["rank"], "count"),
            "90 per cent rank band": f"{row['rank_low']:.0f} to {row['rank_high']:.0f}",
            "index, standard deviations": written(row["index"], "ratio"),
        }
    else:
        why = "an indicator is missing, or its towns are a minor part of the entity"
        values["development potential"] = f"not ranked: {why}"
    growth = exposure.set_index("entity").loc[entity, "town_exposure"]
    if np.isfinite(growth):
        name = "growth of its main industries elsewhere, log points"
        values[name] = written(growth, "estimate")
    listed = towns[towns["entity"] == entity]
    category = listed["category"].map(lambda number: f"{number:.0f}", na_action="ignore")
    listed = listed.assign(list=listed["list"].str.replace("_", " "), category=category.fillna(""))
    of = industries[industries["entity"] == entity]
    of = of.assign(industry=of["industry"].map(str))
    return {
        "name": last["name"],
        "region": last["region"],
        "entity": entity,
        "years": years,
        "lists": listed[["list", "town", "category"]].to_dict("records"),
        "potential": [{"name": name, "value": value} for name, value in values.items()],
        "industries": of[["town", "industry", "strength", "address"]].to_dict("records"),
    }
