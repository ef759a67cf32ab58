"""What must add up or be one to one between rows and tables of the sources."""

import pandas as pd

from monotowns.acquire.readers.regions import RUSSIA
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


def region_names(table, *others):
    """Make the rule that the regions of a table bear the names that the dictionary gives them."""

    def names(tables):
        known = set(tables["municipal_dictionary"]["region"]) | DISSOLVED | {*others}
        found = tables[table]["region"].drop_duplicates()
        return len(found), sorted(set(found) - known)

    identity(table, "region names are the dictionary's")(names)


LISTS = ("monotowns_2014", "monotowns_2024", "toser")
for name in (*LISTS, "population_regions", "grp", "gva_structure", "monotown_industries"):
    region_names(name)
region_names("towns_2020")

#: Table -> figures -> first year from which no large region is blank, and how far the sum of the
#: regions may be from Russia's row, as a share of it. A composite beside its parts is more. Where
#: nothing is suppressed only the rounding is left: of employment to a hundred, of the labour force
#: to a thousand people.
SUMS = {
    "regional_production": {
        "manufacturing_shipments_.*": (2005, 1e-5),
        # Two to four regions with few firms are not published; in 2020 Magadan was one of them.
        "mining_shipments_.*": (2005, 0.006),
    },
    # What would disclose a single firm is not published: least in manufacturing, where repairs of
    # 2022 lack a hundredth; of coal a twentieth. Metal ores and other mining are known faults.
    "regional_groups": {"C.*": (2022, 0.01), "B.*": (2022, 0.05)},
    # Russia's row of 2024 has an estimate of investment that is not shared out to regions.
    "regional_investment": {"investment": (2013, 0.002)},
    "regional_labour": {"employment": (2001, 1e-5), "labour_force": (2001, 1e-4)},
    "regional_product": {"grp": (2011, 1e-5)},
    # Trade without a region's name. The trade with the CIS before 2012 is shared out only in part:
    # a third to a half of it, Belarus foremost, stands in Russia's row alone.
    "regional_trade": {".*_far_abroad": (2003, 0.035), ".*_cis": (2012, 0.035)},
    "fixed_assets": {".*": (2000, 1e-5)},
}


def adds_up(table):
    """Make the rule that the regions of a table add up to its row of Russia."""

    def sums(tables):
        frame, looked, bad = tables[table], 0, []
        key, value = frame.columns[0], frame.columns[-1]
        for figure, (first, margin) in SUMS[table].items():
            of = frame[frame[key].str.fullmatch(figure) & (frame["year"] >= first)]
            russia = of["region"] == RUSSIA
            parts = of[~russia].groupby([key, "year"])[value].sum()
            whole = of[russia].set_index([key, "year"])[value].reindex(parts.index)
            off = parts / whole - 1
            looked += len(off)
            broken = off[~(off.abs() <= margin)]
            bad += [f"{name} {year}: {one:+.1%} of Russia" for (name, year), one in broken.items()]
        return looked, bad

    identity(table, "regions add up to Russia, no composite beside its parts")(sums)


for name in SUMS:
    region_names(name, RUSSIA)
    adds_up(name)

#: A region's groups may exceed its shipments by that share: both are rounded to the million.
ROUNDED_GROUPS = 0.001


@identity("regional_groups", "groups no more than the shipments of their section")
def _groups_within(tables):
    groups, production = tables["regional_groups"], tables["regional_production"]
    section = groups["group"].str[0].map({"B": "mining", "C": "manufacturing"})
    groups = groups.assign(indicator=section + "_shipments_okved2")
    key = ["indicator", "region", "year"]
    both = groups.groupby(key)["shipments"].sum().reset_index().merge(production, on=key)
    bad = both[both["shipments"] > both["value"] * (1 + ROUNDED_GROUPS) + 1]
    return len(both), texts(bad, *key, "shipments", "value")


@identity("regional_product", "product of the years before 2022 is that of the accounts")
def _same_product(tables):
    """Another book prints the same figures; that of 2022 was revised since."""
    product = tables["regional_product"]
    product = product[(product["indicator"] == "grp") & (product["year"] < 2022)]
    both = product.merge(tables["grp"], on=["region", "year"])
    bad = both[(both["value"] / both["grp"] - 1).abs() > 1e-4]
    return len(both), texts(bad, "region", "year", "value", "grp")


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


#: Column of the cities -> how far the median of a year's ratios to its namesake in the municipal
#: indicators database may be from one. Late reports and revisions move investment, by six per cent
#: in 2008; another unit is a thousandfold.
PINNED = {"population": 0.01, "wage": 0.01, "investment": 0.07}


def _off_by_year(both, ratio, most=0.01):
    """Years in which the median ratio of two columns is not one; years with few pairs are left."""
    of = ratio.groupby(both["year"]).agg(["median", "size"])
    of = of[of["size"] >= 20]
    bad = of[(of["median"] - 1).abs() > most]
    return len(of), [f"{year}: ratio {row['median']:.3f}" for year, row in bad.iterrows()]


def pinned(column):
    """Make the rule that a column of the cities has the unit of the municipal database's."""

    def unit(tables):
        both = tables["cities"].dropna(subset=[column, f"{column}_municipal"])
        both = both[both[f"{column}_municipal"] > 0]
        return _off_by_year(both, both[column] / both[f"{column}_municipal"], PINNED[column])

    identity("cities", f"{column} is the municipal database's")(unit)


for name in PINNED:
    pinned(name)


@identity("cities", "residents are those implied by the income table")
def _city_residents(tables):
    incomes = tables["municipal_incomes"]
    implied = incomes["total"] / incomes["per_resident"]
    incomes = incomes.assign(implied=implied)[["code", "year", "implied"]].dropna()
    # From the census of 2021 on the income table has other residents; the cities end before.
    both = tables["cities"].merge(incomes.drop_duplicates(["code", "year"]), on=["code", "year"])
    return _off_by_year(both, both["population"] / both["implied"])


def known_territories(table):
    """Make the rule that the territories of a table are the dictionary's."""

    def places(tables):
        known = tables["municipal_dictionary"]["territory_id"]
        found = tables[table]["territory_id"].drop_duplicates()
        return len(found), [str(one) for one in found[~found.isin(known)]]

    identity(table, "territories are the dictionary's")(places)


known_territories("market_access")
for name in ("municipal_wages", "population_ages", "migration_2023", "consumption"):
    known_territories(name)


@identity("municipal_wages", "the mean since January changes little by a quarter")
def _steady_wages(tables):
    """A mean over more months moves slowly: no quarter is in another unit."""
    wages = tables["municipal_wages"]
    wide = wages.pivot(index=["territory_id", "section", "year"], columns="months", values="wage")
    medians = [(wide[b] / wide[a]).median() for a, b in ((3, 6), (6, 9), (9, 12))]
    bad = [f"{m:.2f}-fold" for m in medians if not 0.8 < m < 1.25]
    return len(medians), bad


@identity("consumption", "neighbouring months in one unit")
def _steady_months(tables):
    table = tables["consumption"]
    month = table["year"] * 12 + table["month"] - 1
    medians = table.groupby(month)["all"].median()
    step = (medians / medians.shift()).dropna()
    bad = step[(step < 0.7) | (step > 1.4)]
    return len(step), [
        f"{key // 12}-{key % 12 + 1}: {value:.2f}-fold" for key, value in bad.items()
    ]


known_territories("borders")
#: Centres of that many territories in force lie in their outline: what the simplification left of
#: a town or of a district around one often does not hold it.
INSIDE = 2_076
#: The others lie that near to their outline, km; swapped or mistaken outlines would not.
NEAR_KM = 25


@identity(
    "borders",
    f"{INSIDE:,} centres of territories in force lie in their outline, none over {NEAR_KM} km off",
)
def _centres(tables):
    """Compare territories in force with their outlines, both projected once for both questions."""
    from monotowns.panel.borders import ALBERS, outlines, points

    shapes = outlines(tables["borders"]).geometry.to_crs(ALBERS)
    now = tables["municipal_dictionary"].dropna(subset=["lat", "lon"])
    now = now[(now["year_to"] == 9999) & now["territory_id"].isin(shapes.index)]
    own = shapes.reindex(now["territory_id"])
    km = points(now).geometry.distance(own, align=False).to_numpy() / 1000
    inside = (km == 0).sum()
    counted = [] if inside == INSIDE else [f"{inside} of {len(now)} inside"]
    far = now.assign(km=km.round().astype(int))[km > NEAR_KM]
    return len(now), counted + texts(far, "name", "km")
