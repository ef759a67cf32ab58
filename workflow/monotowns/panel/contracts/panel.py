"""What must hold between the panel, what it was made from and what it was located by."""

from functools import partial

import pandas as pd

from monotowns.panel.contracts.identities import identity, texts
from monotowns.panel.contracts.schemas import ROUNDED
from monotowns.panel.territories import FEDERAL_CITIES, components, region_code

#: The panel's residents of a region over the published ones. They are those of the years before
#: the census of 2021, the published series is revised back from it: in the North by an eighth.
REVISED = 1.15
#: As :data:`monotowns.panel.contracts.identities.IDENTITIES`.
IDENTITIES = []
identity = partial(identity, into=IDENTITIES)


@identity("panel", "taxable + social = total in sums")
def _incomes_add_up(tables):
    panel = tables["panel"]
    off = (panel["taxable"] + panel["social"] - panel["total"]).abs()
    bad = panel[~(off <= ROUNDED * panel["members"])]
    return len(panel), texts(bad, "entity", "year", "total")


@identity("sample_flow", "formed less removed is the panel")
def _flow_adds_up(tables):
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


@identity("crosswalk", "one entity a printed code and name")
def _printed_once(tables):
    links = tables["crosswalk"]
    return len(links), texts(links[links.duplicated(["code", "name"], keep=False)], "code", "name")


@identity("crosswalk", "entities are the dictionary's")
def _entity_known(tables):
    """An entity bears the code of one of its own territories, or is a federal city."""
    entity = components(tables["municipal_dictionary"])
    own = set(entity.index[entity.index == entity]) | set(FEDERAL_CITIES.values())
    links = tables["crosswalk"]
    return len(links), texts(links[~links["entity"].isin(own)], "code", "name", "entity")


@identity("crosswalk", "entity in the code's region")
def _entity_region(tables):
    """Unless it was placed by hand."""
    links = tables["crosswalk"]
    away = region_code(links["code"]) != region_code(links["entity"])
    return len(links), texts(
        links[away & (links["reason"] != "override")], "code", "name", "entity"
    )


@identity("towns", "one place a town on all lists")
def _town_placed(tables):
    towns = tables["towns"]
    several = towns.groupby(["region", "town"])["entity"].transform("nunique") > 1
    bad = towns[towns["entity"].isna() | several]
    return len(towns), texts(bad, "list", "region", "town", "entity")


@identity("towns", "printed residents found in the place")
def _town_residents(tables):
    """A place of the entity has exactly the residents that the list prints for a town.

    The printed residents play no part in locating it: region and name do, or a hand.
    """
    entity = components(tables["municipal_dictionary"])
    places = tables["population_2024"].assign(entity=lambda f: f["code"].map(entity))
    known = places[["entity", "population"]].drop_duplicates()
    towns = tables["towns"]
    towns = towns[towns["list"] == "monotowns_2024"].drop(columns="category")
    key = ["region", "town", "entity"]
    printed = towns.merge(tables["monotowns_2024"], on=["region", "town"]).melt(
        key, ["municipality_population", "town_population"], value_name="population"
    )
    printed["population"] = pd.to_numeric(printed["population"])
    # A zero is no figure, and of some entities the bulletin prints none at all.
    printed = printed[(printed["population"] > 0) & printed["entity"].isin(places["entity"])]
    met = printed.merge(known, how="left", indicator="met")
    found = (met["met"] == "both").groupby([met[column] for column in key]).any()
    return len(found), texts(found[~found].reset_index(), *key)


@identity("coverage", "residents no more than published")
def _published_residents(tables):
    coverage = tables["coverage"].dropna()
    bad = coverage[coverage["share"] > REVISED]
    return len(coverage), texts(bad.round(2), "region", "year", "share")


@identity("measures", "the panel's entities and years")
def _measured(tables):
    panel, measures = (
        pd.MultiIndex.from_frame(tables[t][["entity", "year"]]) for t in ("panel", "measures")
    )
    return len(panel), [" ".join(map(str, key)) for key in panel.symmetric_difference(measures)]
