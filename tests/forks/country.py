"""An invented country whose company towns fall behind by a planted gap."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

#: Log points that company towns lose from :data:`LIST` on.
GAP, LIST = -0.10, 2008
YEARS = range(2004, 2012)
REGIONS, ENTITIES, COMPANY_TOWNS = 10, 300, 40


def country(seed=7):
    """Invent the two tables of the layout ``municipalities``.

    Incomes have an entity effect, shocks by region and year, and noise of 0.04 log points; the
    company towns are drawn at random, so that nothing but the planted gap sets them apart.

    Returns
    -------
    municipalities, company_towns : pandas.DataFrame
    """
    rng = np.random.default_rng(seed)
    entity = [f"E{i:03d}" for i in range(ENTITIES)]
    region = rng.permutation(np.arange(ENTITIES) % REGIONS)
    company = np.zeros(ENTITIES, bool)
    company[rng.choice(ENTITIES, COMPANY_TOWNS, replace=False)] = True
    years = np.array(YEARS)
    size = np.exp(rng.normal(9.5, 0.8, ENTITIES))
    log_income = (
        rng.normal(9, 0.3, (ENTITIES, 1))
        + rng.normal(0, 0.05, (REGIONS, len(years)))[region]
        + rng.normal(0, 0.04, (ENTITIES, len(years)))
        + GAP * company[:, None] * (years >= LIST)
    )
    people = np.round(size[:, None] * np.exp(rng.normal(0, 0.01, log_income.shape)))
    table = pd.DataFrame(
        {
            "entity": np.repeat(entity, len(years)),
            "year": np.tile(years, ENTITIES),
            "population": people.ravel(),
            "taxable": (people * np.exp(log_income) / 1000).ravel(),
        }
    )
    place = pd.DataFrame(
        {
            "entity": entity,
            "name": [f"Place {i}" for i in range(ENTITIES)],
            "region": [f"Region {r}" for r in region],
            "lat": rng.uniform(-10, 10, ENTITIES),
            "lon": rng.uniform(20, 40, ENTITIES),
        }
    )
    towns = place.loc[company, ["entity"]].assign(list=LIST, town="Works " + place["name"])
    return place.merge(table, on="entity"), towns


#: Layer over the default config; ``data.folder`` and ``specifications`` are added where they lie.
CONFIG = {
    "author": "A. N. Other",
    "claims": "report",
    "years": {"first": YEARS[0], "last": YEARS[-1]},
    "monotown": {
        "main": {"list": LIST, "town_share_min": 0},
        "strict": None,
        "any": None,
        "list_2024": None,
    },
    "balance": {"years": [2006, 2007]},
    "deflator": dict.fromkeys(YEARS, 3.0),
    "draws": {"permutation": 99, "bootstrap": 99, "simulation": 20},
    "leave_out": ["analyse_spatial"],
}
SPECIFICATIONS = {
    "defaults": {
        "outcome": "log_taxable_pc",
        "sample": "main",
        "cluster": "region",
        "fixed_effects": ["entity", "region_year"],
        "question": "gap",
        "group": "headline",
    },
    "dummies": {"after": {"year": {"min": LIST}}},
    "samples": {"main": {"monotown": {"known": True}}, "towns": {"kind": ["town"]}},
    "specifications": {
        "gap_main": {"estimator": "event_study", "treatment": "monotown", "base": LIST - 1},
        "gap_after": {"estimator": "ols", "treatment": "monotown:after"},
        "gap_balanced": {
            "estimator": "event_study",
            "treatment": "monotown",
            "base": LIST - 1,
            "weights": "balance_weight",
        },
        "gap_towns": {"estimator": "ols", "treatment": "monotown:after", "sample": "towns"},
        "agglomeration": {
            "question": "agglomeration",
            "estimator": "ols",
            "treatment": "log_mp_inverse",
        },
    },
}


def write_country(folder, place) -> dict:
    """Write the tables and specifications into a place in a folder; the settings that name them."""
    there = Path(folder, place)
    there.mkdir()
    for name, table in zip(("municipalities", "company_towns"), country(), strict=True):
        table.to_csv(there / f"{name}.csv", index=False)
    (there / "specifications.yaml").write_text(yaml.safe_dump(SPECIFICATIONS), encoding="utf-8")
    data = {"layout": "municipalities", "country": "ZZ", "folder": str(place)}
    return CONFIG | {"data": data, "specifications": [f"{place}/specifications.yaml"]}
