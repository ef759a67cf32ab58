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


def one_territory(tables):
    """No two versions of a code are in force in one year; a version ends before ``year_to``."""
    return _overlaps(tables["municipal_dictionary"], "code")


def one_code(tables):
    """No territory bears two codes in one year."""
    return _overlaps(tables["municipal_dictionary"], "territory_id")


def _overlaps(versions, unit):
    versions = versions.sort_values([unit, "year_from"])
    following = versions.groupby(unit)["year_from"].shift(-1)
    bad = versions[
        (versions["year_to"] > following) | (versions["year_from"] >= versions["year_to"])
    ]
    return len(versions), texts(bad, unit, "year_from", "year_to")


def one_region(tables):
    """The region's digits of a code and the region's name go one to one."""
    versions = tables["municipal_dictionary"]
    pairs = pd.DataFrame({"digits": region_code(versions["code"]), "region": versions["region"]})
    pairs = pairs.drop_duplicates()
    bad = pairs[pairs.duplicated("digits", keep=False) | pairs.duplicated("region", keep=False)]
    return len(pairs), texts(bad, "digits", "region")


def region_names(table):
    """Rule: the regions of a table bear the names that the dictionary gives them."""

    def names(tables):
        known = set(tables["municipal_dictionary"]["region"]) | DISSOLVED
        found = tables[table]["region"].drop_duplicates()
        return len(found), sorted(set(found) - known)

    return names


def known_regions(tables):
    """The digits of every printed code are a region's."""
    known = set(region_code(tables["municipal_dictionary"]["code"]))
    incomes = tables["municipal_incomes"]
    found = incomes.assign(digits=region_code(incomes["code"])).groupby(["year", "digits"])
    rows = found.size().rename("rows").reset_index()
    return len(incomes), texts(rows[~rows["digits"].isin(known)], "year", "digits", "rows")


def per_resident(tables):
    """A total per resident stands in every row from its first year on, and in none before."""
    incomes = tables["municipal_incomes"]
    due = incomes["year"] >= PER_RESIDENT_FROM
    bad = incomes[(incomes["per_resident"] > 0) != due]
    return len(incomes), texts(bad, "year", "code", "per_resident")


def settlements(tables):
    """The settlements of a municipality add up to it."""
    level = tables["population_2024"].groupby(["code", "level"])["population"].sum().unstack()
    both = level.dropna(subset=["municipality", "settlement"])
    return len(both), _sums(both["settlement"], both["municipality"], "settlements")


def municipalities(tables):
    """The municipalities that the dictionary knows add up to the bulletin's row of the region."""
    rows, known = tables["population_2024"], set(tables["municipal_dictionary"]["code"])
    rows = rows[rows["level"] == "municipality"].assign(region=lambda f: f["code"].str[:2])
    # Printed with and without its autonomous okrugs: the larger figure is the whole.
    whole = rows[rows["code"].str.endswith("000000")].groupby("region")["population"].max()
    parts = rows[rows["code"].isin(known)].groupby("region")["population"].sum()
    return len(whole), _sums(parts.reindex(whole.index), whole, "municipalities")


def published_residents(tables):
    """The bulletin's row of a region is near the published average of the year before."""
    rows = tables["population_2024"]
    rows = rows[(rows["level"] == "municipality") & rows["code"].str.endswith("000000")]
    now = rows.groupby(rows["code"].str[:2])["population"].max()
    average = _by_digits(tables, 2023).reindex(now.index)
    bad = (now / average - 1).abs().fillna(1) > RESIDENTS
    return len(now), [f"{k}: {now[k]:.0f} after {average[k]:.0f}" for k in now.index[bad]]


def towns_in_regions(tables):
    """The towns of a region have no more residents than it has."""
    digits = _digits(tables)
    towns = tables["towns_2020"]
    towns = towns.groupby(towns["region"].map(digits))["population"].sum()
    region = _by_digits(tables, 2020).reindex(towns.index)
    bad = ~(towns <= region)
    return len(towns), [f"{k}: towns {towns[k]:.0f} of {region[k]:.0f}" for k in towns.index[bad]]


def _digits(tables):
    """Region's name -> two digits; the okrugs count with the region they lie in."""
    versions = tables["municipal_dictionary"]
    return dict(zip(versions["region"], versions["code"].str[:2], strict=True))


def _by_digits(tables, year):
    people = tables["population_regions"]
    people = people[people["year"] == year]
    return people.groupby(people["region"].map(_digits(tables)))["population"].sum()


def town_within(tables):
    """A listed town has no more residents than its municipality."""
    towns = tables["monotowns_2024"]
    both = towns.dropna(subset=["town_population", "municipality_population"])
    bad = both[both["town_population"] > both["municipality_population"]]
    return len(both), texts(bad, "region", "town", "town_population", "municipality_population")


def town_lives(tables):
    """A listed town whose residents are printed has some."""
    towns = tables["monotowns_2024"].dropna(subset=["town_population"])
    return len(towns), texts(towns[~(towns["town_population"] > 0)], "region", "town")


def access_places(tables):
    """The market-access index speaks of territories of the dictionary."""
    access = tables["market_access"]
    bad = access[~access["territory_id"].isin(tables["municipal_dictionary"]["territory_id"])]
    return len(access), texts(bad, "territory_id")


def grp_residents(tables):
    """A region with a product has residents in that year, where these begin."""
    people = tables["population_regions"]
    product = tables["grp"][tables["grp"]["year"] >= people["year"].min()]
    both = product.merge(people, on=["region", "year"], how="left")
    return len(product), texts(both[both["population"].isna()], "region", "year")


def sections(tables):
    """Every region has the same sections of activity in a year."""
    size = tables["gva_structure"].groupby(["year", "region"]).size().rename("sections")
    bad = size[size != size.groupby("year").transform("max")].reset_index()
    return len(size), texts(bad, "year", "region", "sections")


def hand_codes(tables):
    """A code that is placed by hand is one that the income table prints."""
    hand = tables["hand_crosswalk"]
    bad = hand[~hand["code"].isin(tables["municipal_incomes"]["code"])]
    return len(hand), texts(bad, "code", "target")


def hand_towns(tables):
    """A town that is placed by hand is on a list, and its place is in the dictionary."""
    lists = [tables[t][["region", "town"]] for t in ("monotowns_2014", "monotowns_2024", "toser")]
    hand = tables["hand_towns"]
    listed = hand.merge(pd.concat(lists).drop_duplicates(), how="left", indicator=True)["_merge"]
    known = hand["code"].isin(tables["municipal_dictionary"]["code"])
    bad = hand[~((listed == "both").to_numpy() & known)]
    return len(hand), texts(bad, "region", "town", "code")


def _sums(parts, whole, what):
    """A missing sum counts as broken."""
    return [f"{k}: {what} {parts[k]:.0f} of {whole[k]:.0f}" for k in whole.index[~(parts == whole)]]


def texts(frame: pd.DataFrame, *columns) -> list[str]:
    """One text a row: its cells of the columns, in that order."""
    return [" ".join(map(str, row)) for row in frame[list(columns)].itertuples(index=False)]


#: Table, rule in words, the function that tells how many cases it looked at and which break it.
IDENTITIES = [
    ("municipal_dictionary", "one territory a code and year", one_territory),
    ("municipal_dictionary", "one code a territory and year", one_code),
    ("municipal_dictionary", "one region's name a region's digits, and back", one_region),
    *(
        (t, "region names are the dictionary's", region_names(t))
        for t in (
            "monotowns_2014",
            "monotowns_2024",
            "toser",
            "population_regions",
            "grp",
            "gva_structure",
            "monotown_industries",
            "towns_2020",
        )
    ),
    ("municipal_incomes", "codes lie in known regions", known_regions),
    ("municipal_incomes", f"per resident from {PER_RESIDENT_FROM} on", per_resident),
    ("population_2024", "settlements add up to their municipality", settlements),
    ("population_2024", "municipalities add up to their region", municipalities),
    ("population_2024", "regions near their published residents of 2023", published_residents),
    ("monotowns_2024", "town no larger than its municipality", town_within),
    ("monotowns_2024", "town with residents", town_lives),
    ("towns_2020", "towns no more than their region of 2020", towns_in_regions),
    ("market_access", "territories are the dictionary's", access_places),
    ("grp", "regions have residents", grp_residents),
    ("gva_structure", "the year's sections in every region", sections),
    ("hand_crosswalk", "codes placed by hand are printed", hand_codes),
    ("hand_towns", "towns placed by hand are listed", hand_towns),
]
