"""What the results say of one town."""

import numpy as np

from monotowns.manuscript.numbers import written
from monotowns.panel.territories import stem
from monotowns.run.errors import InputError
from monotowns.run.schema import nearest


def find_entity(town: str, towns, region: str | None = None) -> str:
    """Find the entity of a listed town by its name, in one region if given.

    Parameters
    ----------
    town : str
        As in the lists, with or without the kind of place.
    towns : pandas.DataFrame
        ``region``, ``town``, ``entity`` of all located rows of the lists.

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
        raise InputError(
            "profile", f"several towns '{town}'", keys=places, remedy="add REGION='...'"
        )
    return hits["entity"].iloc[0]


def profile(entity, panel, potential, towns, exposure, industries) -> dict:
    """Everything that a one-page profile prints, as text.

    Parameters
    ----------
    entity : str
    panel, potential, towns, exposure, industries : pandas.DataFrame
        As the pipeline leaves them; ``industries`` with ``entity``.

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
    price = np.exp(rows["log_taxable_pc"]) / 12
    years = [
        {
            "year": str(r.year),
            "residents": written(r.population, "count"),
            "income": written(p, "count"),
            "transfers": written(100 * r.transfer_share, "share"),
        }
        for r, p in zip(rows.itertuples(), price, strict=True)
    ]
    about = potential[potential["entity"] == entity]
    ranked = about[about["rank"].notna()]
    found = [
        {
            "name": "town share of the entity's residents, per cent",
            "value": written(100 * last["town_share"], "share"),
        }
    ]
    if len(ranked):
        row, of = ranked.iloc[0], int(potential["rank"].notna().sum())
        found += [
            {
                "name": f"rank of {of} by development potential",
                "value": written(row["rank"], "count"),
            },
            {
                "name": "90 per cent rank band",
                "value": f"{row['rank_low']:.0f} to {row['rank_high']:.0f}",
            },
            {"name": "index, standard deviations", "value": written(row["index"], "ratio")},
        ]
    else:
        found.append(
            {
                "name": "development potential",
                "value": "not ranked: an indicator is "
                "missing, or its towns are a minor part of the entity",
            }
        )
    exposed = exposure[exposure["entity"] == entity].iloc[0]
    if exposed["town_exposure"] == exposed["town_exposure"]:
        found.append(
            {
                "name": "growth of its main industries elsewhere, log points",
                "value": written(exposed["town_exposure"], "estimate"),
            }
        )
    listed = towns[towns["entity"] == entity]
    return {
        "name": last["name"],
        "region": last["region"],
        "entity": entity,
        "years": years,
        "lists": [
            {
                "list": r.list.replace("_", " "),
                "town": r.town,
                "category": f"{r.category:.0f}" if r.category == r.category else "",
            }
            for r in listed.itertuples()
        ],
        "potential": found,
        "industries": [
            {
                "town": r.town,
                "industry": str(r.industry),
                "strength": r.strength,
                "address": r.address,
            }
            for r in industries[industries["entity"] == entity].itertuples()
        ],
    }
