"""An invented country whose company towns fall behind by a planted gap."""

import numpy as np
import pandas as pd

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
        rng.normal(9, 0.3, (ENTITIES, 1)) + rng.normal(0, 0.05, (REGIONS, len(years)))[region]
        + rng.normal(0, 0.04, (ENTITIES, len(years)))
        + GAP * company[:, None] * (years >= LIST)
    )  # fmt: skip
    people = np.round(size[:, None] * np.exp(rng.normal(0, 0.01, log_income.shape)))
    table = pd.DataFrame(
        {"entity": np.repeat(entity, len(years)), "year": np.tile(years, ENTITIES),
         "population": people.ravel(), "taxable": (people * np.exp(log_income) / 1000).ravel()}
    )  # fmt: skip
    place = pd.DataFrame(
        {"entity": entity, "name": [f"Place {i}" for i in range(ENTITIES)],
         "region": [f"Region {r}" for r in region],
         "lat": rng.uniform(-10, 10, ENTITIES), "lon": rng.uniform(20, 40, ENTITIES)}
    )  # fmt: skip
    towns = place.loc[company, ["entity"]].assign(list=LIST, town="Works " + place["name"])
    return place.merge(table, on="entity"), towns
