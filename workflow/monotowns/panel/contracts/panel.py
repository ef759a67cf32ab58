"""What must hold between the panel, what it was made from and what it was located by."""

import pandas as pd

from monotowns.panel.contracts.identities import texts
from monotowns.panel.contracts.schemas import ROUNDED
from monotowns.panel.territories import FEDERAL_CITIES, components, region_code

#: The panel's residents of a region over the published ones. They are those of the years before
#: the census of 2021, the published series is revised back from it: in the North by an eighth.
REVISED = 1.15


def incomes_add_up(tables):
    """Taxable + social = total also in sums over the members of an entity."""
    panel = tables["panel"]
    off = (panel["taxable"] + panel["social"] - panel["total"]).abs()
    bad = panel[~(off <= ROUNDED * panel["members"])]
    return len(panel), texts(bad, "entity", "year", "total")


def flow_adds_up(tables):
    """From the entity-years formed, what was removed leaves the panel."""
    flow, panel = tables["sample_flow"], tables["panel"]
    after = flow[(flow["step"] == "formed").cumsum() > 0]
    formed, kept = after.iloc[0], after.iloc[-1]
    removed = after.loc[after["step"] == "removed", "rows"].sum()
    pairs = {
        "rows left and kept": (formed["rows"] - removed, kept["rows"]),
        "rows kept and in the panel": (kept["rows"], len(panel)),
        "entities kept and in the panel": (kept["entities"], panel["entity"].nunique()),
    }
    return len(pairs), [f"{what}: {a}, {b}" for what, (a, b) in pairs.items() if a != b]


def printed_once(tables):
    """A printed code and name has one entity."""
    walk = tables["crosswalk"]
    return len(walk), texts(walk[walk.duplicated(["code", "name"], keep=False)], "code", "name")


def entity_known(tables):
    """An entity bears the code of one of its own territories, or is a federal city."""
    entity = components(tables["municipal_dictionary"])
    own = set(entity.index[entity.index == entity]) | set(FEDERAL_CITIES.values())
    walk = tables["crosswalk"]
    return len(walk), texts(walk[~walk["entity"].isin(own)], "code", "name", "entity")


def entity_region(tables):
    """A code lies in the region of its entity, unless it was placed by hand."""
    walk = tables["crosswalk"]
    away = region_code(walk["code"]) != region_code(walk["entity"])
    return len(walk), texts(walk[away & (walk["reason"] != "override")], "code", "name", "entity")


def town_placed(tables):
    """Every listed town has a place, the same on every list that names it alike."""
    towns = tables["towns"]
    several = towns.groupby(["region", "town"])["entity"].transform("nunique") > 1
    bad = towns[towns["entity"].isna() | several]
    return len(towns), texts(bad, "list", "region", "town", "entity")


def town_residents(tables):
    """A place of the entity has exactly the residents that the list prints for a town.

    The printed residents play no part in locating it: region and name do, or a hand.
    """
    entity = components(tables["municipal_dictionary"])
    places = tables["population_2024"].assign(entity=lambda f: f["code"].map(entity))
    held = set(places[["entity", "population"]].dropna().itertuples(index=False, name=None))
    towns = tables["towns"]
    towns = towns[towns["list"] == "monotowns_2024"].drop(columns="category")
    printed = towns.merge(tables["monotowns_2024"], on=["region", "town"]).melt(
        ["region", "town", "entity"],
        ["municipality_population", "town_population"],
        value_name="population",
    )
    printed["population"] = pd.to_numeric(printed["population"])
    # A nought is no figure, and of some entities the bulletin prints none at all.
    printed = printed[(printed["population"] > 0) & printed["entity"].isin(places["entity"])]
    met = [pair in held for pair in zip(printed["entity"], printed["population"], strict=True)]
    by_town = printed.assign(met=met).groupby(["region", "town", "entity"])["met"].any()
    return len(by_town), texts(by_town[~by_town].reset_index(), "region", "town", "entity")


def published_residents(tables):
    """No region has more residents in the panel than are published, but for revisions."""
    coverage = tables["coverage"].dropna()
    bad = coverage[coverage["share"] > REVISED]
    return len(coverage), texts(bad.round(2), "region", "year", "share")


def measured(tables):
    """Every entity-year of the panel is measured, and no other."""
    panel, measures = (
        pd.MultiIndex.from_frame(tables[t][["entity", "year"]]) for t in ("panel", "measures")
    )
    return len(panel), [" ".join(map(str, key)) for key in panel.symmetric_difference(measures)]


#: As :data:`monotowns.panel.contracts.identities.IDENTITIES`.
IDENTITIES = [
    ("panel", "taxable + social = total in sums", incomes_add_up),
    ("sample_flow", "formed less removed is the panel", flow_adds_up),
    ("crosswalk", "one entity a printed code and name", printed_once),
    ("crosswalk", "entities are the dictionary's", entity_known),
    ("crosswalk", "entity in the code's region", entity_region),
    ("towns", "one place a town on all lists", town_placed),
    ("towns", "printed residents found in the place", town_residents),
    ("coverage", "residents no more than published", published_residents),
    ("measures", "the panel's entities and years", measured),
]
