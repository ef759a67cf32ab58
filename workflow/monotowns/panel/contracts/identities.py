"""What must add up or be one to one between rows and tables of the sources."""

import pandas as pd

from monotowns.panel.territories import region_code

#: Residents of a region on 1 January 2024 over the yearly average of 2023: half a year's growth or
#: decline, which in no region is above one per cent a year, and the rounding of the average.
RESIDENTS = 0.02
#: Regions that were dissolved before the dictionary begins, as the tables print them.
DISSOLVED = {"Таймырский", "Эвенкийский автономный округ"}
#: The income table gives totals per resident from this year on.
PER_RESIDENT_FROM = 2012
#: Table, rule in words, and the function of all tables that returns how many cases it looked at
#: and a text for each that breaks it; in the order in which they are written below.
IDENTITIES = []


def identity(table, rule, into=IDENTITIES):
    """Put a function beside the rule that it checks."""

    def put(function):
        into.append((table, rule, function))
        return function

    return put


def texts(frame: pd.DataFrame, *columns) -> list[str]:
    """One text a row: its cells of the columns, in that order."""
    return [" ".join(map(str, row)) for row in frame[list(columns)].itertuples(index=False)]


def _overlaps(versions, unit):
    """No two versions of a unit are in force in one year; a version ends before ``year_to``."""
    versions = versions.sort_values([unit, "year_from"])
    following = versions.groupby(unit)["year_from"].shift(-1)
    late = versions["year_to"] > following
    bad = versions[late | (versions["year_from"] >= versions["year_to"])]
    return len(versions), texts(bad, unit, "year_from", "year_to")


@identity("municipal_dictionary", "one territory a code and year")
def _one_territory(tables):
    return _overlaps(tables["municipal_dictionary"], "code")


@identity("municipal_dictionary", "one code a territory and year")
def _one_code(tables):
    return _overlaps(tables["municipal_dictionary"], "territory_id")


@identity("municipal_dictionary", "one region's name a region's digits, and back")
def _one_region(tables):
    versions = tables["municipal_dictionary"]
    pairs = pd.DataFrame({"digits": region_code(versions["code"]), "region": versions["region"]})
    pairs = pairs.drop_duplicates()
    bad = pairs[pairs.duplicated("digits", keep=False) | pairs.duplicated("region", keep=False)]
    return len(pairs), texts(bad, "digits", "region")


def region_names(table):
    """Make the rule that the regions of a table bear the names that the dictionary gives them."""

    def names(tables):
        known = set(tables["municipal_dictionary"]["region"]) | DISSOLVED
        found = tables[table]["region"].drop_duplicates()
        return len(found), sorted(set(found) - known)

    identity(table, "region names are the dictionary's")(names)


LISTS = ("monotowns_2014", "monotowns_2024", "toser")
for name in (*LISTS, "population_regions", "grp", "gva_structure", "monotown_industries"):
    region_names(name)
region_names("towns_2020")


@identity("municipal_incomes", "codes lie in known regions")
def _known_regions(tables):
    known = set(region_code(tables["municipal_dictionary"]["code"]))
    incomes = tables["municipal_incomes"]
    found = incomes.assign(digits=region_code(incomes["code"])).groupby(["year", "digits"])
    rows = found.size().rename("rows").reset_index()
    return len(incomes), texts(rows[~rows["digits"].isin(known)], "year", "digits", "rows")


@identity("municipal_incomes", f"per resident from {PER_RESIDENT_FROM} on")
def _per_resident(tables):
    incomes = tables["municipal_incomes"]
    due = incomes["year"] >= PER_RESIDENT_FROM
    bad = incomes[(incomes["per_resident"] > 0) != due]
    return len(incomes), texts(bad, "year", "code", "per_resident")


def _sums(parts, whole, what):
    """A missing sum counts as broken."""
    return [f"{k}: {what} {parts[k]:.0f} of {whole[k]:.0f}" for k in whole.index[~(parts == whole)]]


@identity("population_2024", "settlements add up to their municipality")
def _settlements(tables):
    level = tables["population_2024"].groupby(["code", "level"])["population"].sum().unstack()
    both = level.dropna(subset=["municipality", "settlement"])
    return len(both), _sums(both["settlement"], both["municipality"], "settlements")


def _of_regions(tables):
    """The bulletin's municipalities, and its row of every region by the region's two digits.

    Printed with and without its autonomous okrugs: the larger figure is the whole.
    """
    rows = tables["population_2024"]
    rows = rows[rows["level"] == "municipality"].assign(region=lambda f: f["code"].str[:2])
    regions = rows[rows["code"].str.endswith("000000")]
    return rows, regions.groupby("region")["population"].max()


@identity("population_2024", "municipalities add up to their region")
def _municipalities(tables):
    rows, whole = _of_regions(tables)
    known = rows["code"].isin(tables["municipal_dictionary"]["code"])
    parts = rows[known].groupby("region")["population"].sum()
    return len(whole), _sums(parts.reindex(whole.index), whole, "municipalities")


def _digits(tables):
    """Region's name -> two digits; the okrugs count with the region they lie in."""
    versions = tables["municipal_dictionary"]
    return dict(zip(versions["region"], versions["code"].str[:2], strict=True))


def _published(tables, year):
    people = tables["population_regions"]
    people = people[people["year"] == year]
    return people.groupby(people["region"].map(_digits(tables)))["population"].sum()


@identity("population_2024", "regions near their published residents of 2023")
def _published_residents(tables):
    now = _of_regions(tables)[1]
    average = _published(tables, 2023).reindex(now.index)
    bad = (now / average - 1).abs().fillna(1) > RESIDENTS
    return len(now), [f"{k}: {now[k]:.0f} after {average[k]:.0f}" for k in now.index[bad]]


@identity("monotowns_2024", "town no larger than its municipality")
def _town_within(tables):
    towns = tables["monotowns_2024"]
    both = towns.dropna(subset=["town_population", "municipality_population"])
    bad = both[both["town_population"] > both["municipality_population"]]
    return len(both), texts(bad, "region", "town", "town_population", "municipality_population")


@identity("monotowns_2024", "town with residents")
def _town_lives(tables):
    towns = tables["monotowns_2024"].dropna(subset=["town_population"])
    return len(towns), texts(towns[~(towns["town_population"] > 0)], "region", "town")


@identity("towns_2020", "towns no more than their region of 2020")
def _towns_in_regions(tables):
    towns = tables["towns_2020"]
    towns = towns.groupby(towns["region"].map(_digits(tables)))["population"].sum()
    region = _published(tables, 2020).reindex(towns.index)
    bad = ~(towns <= region)
    return len(towns), [f"{k}: towns {towns[k]:.0f} of {region[k]:.0f}" for k in towns.index[bad]]


@identity("market_access", "territories are the dictionary's")
def _access_places(tables):
    access = tables["market_access"]
    bad = access[~access["territory_id"].isin(tables["municipal_dictionary"]["territory_id"])]
    return len(access), texts(bad, "territory_id")


@identity("grp", "regions have residents")
def _grp_residents(tables):
    people = tables["population_regions"]
    product = tables["grp"][tables["grp"]["year"] >= people["year"].min()]
    both = product.merge(people, on=["region", "year"], how="left")
    return len(product), texts(both[both["population"].isna()], "region", "year")


@identity("gva_structure", "the year's sections in every region")
def _sections(tables):
    size = tables["gva_structure"].groupby(["year", "region"]).size().rename("sections")
    bad = size[size != size.groupby("year").transform("max")].reset_index()
    return len(size), texts(bad, "year", "region", "sections")


@identity("hand_crosswalk", "codes placed by hand are printed")
def _hand_codes(tables):
    hand = tables["hand_crosswalk"]
    bad = hand[~hand["code"].isin(tables["municipal_incomes"]["code"])]
    return len(hand), texts(bad, "code", "target")


@identity("hand_towns", "towns placed by hand are listed")
def _hand_towns(tables):
    lists = [tables[t][["region", "town"]] for t in LISTS]
    hand = tables["hand_towns"]
    listed = hand.merge(pd.concat(lists).drop_duplicates(), how="left", indicator=True)["_merge"]
    known = hand["code"].isin(tables["municipal_dictionary"]["code"])
    bad = hand[~((listed == "both").to_numpy() & known)]
    return len(hand), texts(bad, "region", "town", "code")
