"""Columns, ranges and keys of every table; all failures are reported at once with example keys."""

import re

import pandas as pd
import pandera.pandas as pa

from monotowns.run.errors import ContractError, examples

#: Taxable + social = total is the office's own identity. Each of the three is rounded, in the
#: coarsest year to whole thousand roubles: the sum may be off by three halves.
ROUNDED = 1.5
#: The shares of about twenty sections, each rounded to a tenth of a per cent.
ROUNDED_SHARES = 0.5
#: What no text of the sources holds: a spreadsheet runs a cell that begins so, a page the tags.
NOT_TEXT = r"^[=+@-]|[<>\x00-\x1f]"


def number(*checks, kind=float, missing=False, absent=False):
    """Declare a column of numbers; a figure may come without a fraction."""
    coerce = kind is float
    return pa.Column(kind, list(checks), nullable=missing, coerce=coerce, required=not absent)


def words(pattern=None, missing=False):
    """Declare a column of text that matches a pattern."""
    return pa.Column(str, pattern and pa.Check.str_matches(pattern), nullable=missing)


def one_of(*values):
    """Declare a column of text that is one of these."""
    return pa.Column(str, pa.Check.isin(list(values)))


def within(low, high, **options):
    """Declare a column of numbers in a range."""
    return number(pa.Check.in_range(low, high), **options)


def table(key="", checks=None, **columns):
    """Declare a table: the columns that identify a row, what holds between columns, each column."""
    return pa.DataFrameSchema(columns, checks=checks, unique=key.split() or None)


text, code, whole = words(), words(r"^\d{8}$"), number(kind=int)
entity = pa.Column(str, pa.Check.str_length(min_value=1))
year, any_year = within(1998, 2030, kind=int), within(1900, 2100, kind=int)
amount, positive = number(missing=True), number(pa.Check.gt(0))
people, share = number(pa.Check.ge(0), missing=True), within(0, 1, missing=True)
category, mark = pa.Check.isin([1, 2, 3]), number(pa.Check.isin([0, 1]), missing=True)
lat, lon = within(41, 82, missing=True), within(-180, 180, missing=True)
anywhere = within(-90, 90, missing=True)
towns = table("region town", region=text, town=text, category=number(category, kind=int))


def adds_up(frame):
    """Taxable income and social payments are the total."""
    return (frame["taxable"] + frame["social"] - frame["total"]).abs() <= ROUNDED


def whole_shares(frame):
    """Sections are exhaustive: the shares of a region and year add up, but for rounding."""
    total = frame.groupby(["region", "year"])["share"].transform("sum")
    return (total - 100).abs() <= ROUNDED_SHARES


def valid_outlines(frame):
    """An outline is a polygon or more that neither cross themselves nor one another."""
    import shapely

    return shapely.is_valid(shapely.from_wkt(frame["wkt"], on_invalid="ignore"))


#: Bands of age of the table of residents.
BANDS = ("age_0_15", "age_16_29", "age_30_54", "age_55_more")


def whole_ages(frame):
    """Residents are the sum of their bands of age, where these are known."""
    bands = frame[[*BANDS]]
    return (bands.sum(axis=1) == frame["residents"]) | bands.isna().all(axis=1)


def per_cent(frame):
    """An index is in per cent of the year before: a share of one, or a ratio, would be near 1."""
    return ~frame["indicator"].str.contains("_index") | frame["value"].between(5, 1000)


def regional(first, last, *indicators):
    """Declare a long table of regions and Russia: these indicators, years from first to last."""
    return table(
        "indicator region year",
        pa.Check(per_cent, name="indices are per cent of the year before"),
        indicator=one_of(*indicators),
        region=text,
        year=within(first, last, kind=int),
        value=number(pa.Check.ge(0)),
    )


#: Classifications of activities, as the names of indicators end.
OKVED = ("okved2007", "okved2")


SCHEMAS = {
    "municipal_incomes": table(
        "year row",
        pa.Check(adds_up, name="taxable + social = total"),
        year=within(2010, 2022, kind=int),
        code=code,
        name=words(missing=True),
        taxable=amount,
        social=amount,
        total=amount,
        per_resident=amount,
    ),
    "municipal_kinds": table(
        "year row",
        year=within(2013, 2013, kind=int),
        row=whole,
        code=code,
        name=text,
        kind=pa.Column(str, pa.Check.isin(["urban", "district"]), nullable=True),
    ),
    "municipal_dictionary": table(
        "code year_from",
        code=code,
        territory_id=whole,
        region=text,
        year_from=whole,
        year_to=whole,
        lat=lat,
        lon=lon,
    ),
    "population_2024": table(
        code=code, level=one_of("municipality", "settlement", "town"), name=text, population=people
    ),
    "monotowns_2014": towns,
    "monotowns_2024": towns,
    "toser": table(
        "region town",
        region=text,
        town=text,
        established=words(r"^20(1[5-9]|2[0-4])", missing=True),
    ),
    "population_regions": table("region year", region=text, year=year, population=positive),
    # Residents in persons; the source prints thousands.
    "towns_2020": table(
        "region town",
        town=text,
        region=text,
        population=within(100, 15_000_000, kind=int),
        lat=lat,
        lon=lon,
    ),
    "town_codes": table(
        "code town",
        code=code,
        town=text,
        district=text,
        capital=number(pa.Check.isin([0, 1]), kind=int),
    ),
    "towns": table(town=text, population=number(pa.Check.gt(0), kind=int), lat=anywhere, lon=lon),
    "countries": table(
        "iso",
        iso=words("^[A-Z]{2}$"),
        name=text,
        population=number(pa.Check.gt(0), kind=int),
        lat=anywhere,
        lon=lon,
    ),
    "market_access": table(territory_id=pa.Column(int, unique=True), market_access=positive),
    "grp": table("region year", region=text, year=year, grp=positive),
    "gva_structure": table(
        "region year section",
        pa.Check(whole_shares, name="shares add up to 100"),
        region=text,
        year=within(2009, 2022, kind=int),
        classification=one_of("OKVED-2007", "OKVED2"),
        section=words("^[A-T]$"),
        share=within(0, 100),
    ),
    "monotown_industries": table(
        region=text,
        town=text,
        section=words("^[A-S]$", missing=True),
        strength=one_of("town-forming", "main", "located", "dated", "weak"),
    ),
    # Thousands of people, roubles a month, million roubles, thousand square metres.
    "cities": table(
        "code year",
        code=code,
        year=within(1985, 2019, kind=int),
        region=text,
        town=text,
        population=within(0.1, 2000, missing=True),
        workers=within(0.1, 1000, missing=True),
        wage=within(0.1, 200_000, missing=True),
        shipments_manufacturing=people,
        shipments_mining=people,
        investment=people,
        firms=people,
        new_housing=people,
        migration=amount,
        registered_unemployed=people,
        retail=people,
        births=within(0, 40, missing=True),
        deaths=within(0, 40, missing=True),
        population_municipal=people,
        wage_municipal=people,
        investment_municipal=people,
    ),
    "municipal_wages": table(
        "territory_id year months section",
        territory_id=whole,
        year=within(2023, 2024, kind=int),
        months=number(pa.Check.isin([3, 6, 9, 12]), kind=int),
        section=one_of("all", "B", "C"),
        wage=within(100, 3_000_000),
    ),
    "population_ages": table(
        "territory_id year",
        pa.Check(whole_ages, name="bands of age add up to the residents"),
        territory_id=whole,
        year=within(2023, 2024, kind=int),
        residents=number(pa.Check.gt(0), kind=int),
        **dict.fromkeys(BANDS, people),
    ),
    "migration_2023": table(
        "territory_id year", territory_id=whole, year=within(2023, 2023, kind=int), net=whole
    ),
    # Roubles a month per person.
    "consumption": table(
        "territory_id year month",
        pa.Check(
            lambda f: (
                f[["food", "restaurants", "health", "transport", "marketplaces"]].sum(axis=1)
                <= f["all"]
            ),
            name="categories no more than all",
        ),
        territory_id=whole,
        year=within(2023, 2024, kind=int),
        month=within(1, 12, kind=int),
        all=within(1_000, 200_000),
        **dict.fromkeys(("food", "restaurants", "health", "transport", "marketplaces"), people),
    ),
    "municipalities": table(
        "entity year",
        entity=entity,
        name=text,
        region=text,
        year=any_year,
        population=people,
        taxable=amount,
        social=number(missing=True, absent=True),
        kind=pa.Column(str, nullable=True, required=False),
        lat=anywhere,
        lon=lon,
    ),
    "company_towns": table(
        "list entity town",
        list=any_year,
        entity=entity,
        town=text,
        category=number(category, missing=True, absent=True),
        town_share=within(0, 1, missing=True, absent=True),
    ),
    "panel_municipalities": table(
        "entity year",
        entity=text,
        population=positive,
        taxable=positive,
        region=text,
        monotown=mark,
        log_taxable_pc=number(),
    ),
    "measures": pa.DataFrameSchema(
        {
            "entity": text,
            "year": year,
            "log_mp_.*": pa.Column(float, regex=True),
            "core_.*_km": pa.Column(float, pa.Check.in_range(0, 10_000), regex=True),
            "ring": text,
        },
        unique=["entity", "year"],
    ),
    "panel": table(
        "entity year",
        entity=code,
        year=year,
        population=positive,
        taxable=positive,
        total=positive,
        region=text,
        lat=lat,
        lon=lon,
        monotown=mark,
        town_share=share,
        transfer_share=share,
        # Roubles of the last year per resident: between a thousand and a hundred million.
        log_taxable_pc=within(7, 18.5),
    ),
    "places": pa.DataFrameSchema(
        {
            "entity": pa.Column(str, pa.Check.str_matches(r"^\d{8}$"), unique=True),
            "region": text,
            "lat": lat,
            "lon": lon,
            "monotown": mark,
            "urban_.*": pa.Column(float, pa.Check.isin([0, 1]), nullable=True, regex=True),
            "section": words("^[A-S]$", missing=True),
            "core_.*_km": pa.Column(float, pa.Check.in_range(0, 10_000), nullable=True, regex=True),
            ".*_class": pa.Column(float, pa.Check.ge(1), nullable=True, regex=True),
            **dict.fromkeys(("core", "capital"), pa.Column(float, pa.Check.isin([0, 1]))),
            "district": text,
        }
    ),
    "panel_cities": table(
        "city year",
        city=code,
        entity=code,
        year=within(2000, 2019, kind=int),
        alone=number(pa.Check.isin([0, 1]), kind=int),
        city_share=within(0.1, 1.2, missing=True),
        # Roubles a month of the last year; thousands of people.
        log_wage=within(8.5, 12.5, missing=True),
        log_workers=within(6, 14, missing=True),
        log_population=within(5, 15, missing=True),
        log_shipments=within(14, 29, missing=True),
        log_investment=within(16, 28, missing=True),
    ),
    "panel_months": table(
        "entity year quarter",
        entity=code,
        year=within(2023, 2024, kind=int),
        quarter=within(1, 4, kind=int),
        wage_all=within(10_000, 700_000, missing=True),
        wage_C=number(pa.Check.gt(0), missing=True),
        wage_B=number(pa.Check.gt(0), missing=True),
        consumption=within(5_000, 150_000, missing=True),
    ),
    "growth": table(
        "entity year",
        entity=code,
        year=within(2024, 2024, kind=int),
        # Log points, beyond which an entity's employers or card holders are others.
        growth_wage_all=within(-0.75, 0.75, missing=True),
        growth_wage_B=within(-0.75, 0.75, missing=True),
        growth_wage_C=within(-0.75, 0.75, missing=True),
        growth_consumption=within(-0.75, 0.75, missing=True),
    ),
    "borders": table(
        "territory_id",
        pa.Check(valid_outlines, name="outlines are valid polygons"),
        territory_id=whole,
        year_from=whole,
        year_to=whole,
        wkt=words(r"^(MULTI)?POLYGON \(\("),
    ),
    # Per cent of the year before; million roubles at current prices.
    "regional_production": regional(
        2001,
        2024,
        *(f"{a}_index_{o}" for a in ("industry", "manufacturing", "mining") for o in OKVED),
        *(f"{a}_shipments_{o}" for a in ("manufacturing", "mining") for o in OKVED),
    ),
    "regional_groups": table(
        "group region year",
        group=words(r"^[BC]\d\d([-+]\d\d)?$"),
        region=text,
        year=number(pa.Check.isin([2022, 2024]), kind=int),
        shipments=positive,
    ),
    "regional_investment": regional(2001, 2024, "investment", "investment_index"),
    # Thousands of people; per cent of the labour force.
    "regional_labour": regional(2001, 2024, "employment", "labour_force", "unemployment_rate"),
    "regional_product": regional(2001, 2023, "grp", "grp_index"),
    # Million dollars; zero is less than fifty thousand.
    "regional_trade": regional(
        2001, 2021, *(f"{a}_{b}" for a in ("exports", "imports") for b in ("cis", "far_abroad"))
    ),
    "fixed_assets": regional(
        2000,
        2024,
        *(f"assets_all_{o}" for o in OKVED),
        *(f"assets_{a}_okved2" for a in ("manufacturing", "mining")),
    ),
    "panel_regions": table(
        "region year",
        region=text,
        year=within(2000, 2024, kind=int),
        volume_2015=number(pa.Check.gt(0), missing=True),
        volume_2017=number(pa.Check.gt(0), missing=True),
        shipments=people,
        investment=people,
        employment=people,
        unemployment_rate=within(0, 70, missing=True),
        grp=people,
    ),
    "marked_years": table(
        "entity year",
        pa.Check(
            lambda f: f["population"].notna() == (f["year"] == 2022),
            name="residents in 2022 alone",
        ),
        entity=code,
        year=number(pa.Check.isin([2010, 2011, 2022]), kind=int),
        mark=text,
        taxable=positive,
        total=positive,
        # Current roubles per resident.
        log_taxable_pc=within(7, 18.5, missing=True),
    ),
    # `make new-source` adds its contract above this line.
}


def check(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table that keeps its contract; one without a contract needs only plain texts.

    Raises
    ------
    ContractError
        One error with every broken rule, how many rows break it and example keys.
    """
    _check_texts(frame, name)
    frame, rules = validated(frame, name)
    if lines := [
        f"{rule}: {len(cases)} cases, e.g. {examples(cases, 3)}" for rule, cases in rules if cases
    ]:
        raise ContractError(
            f"table {name}",
            "the contract is broken",
            found="\n    " + "\n    ".join(lines),
            remedy="repair the reader or the source; known faults belong into data/corrections",
        )
    return frame


def validated(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list]:
    """Validate a table.

    Returns
    -------
    frame : pandas.DataFrame
        With whole figures as fractions where the contract has these.
    rules : list of tuple
        Every rule in words, with the rows and values that break it: none where it is kept.
    """
    schema = SCHEMAS.get(name)
    if schema is None:
        return frame, []
    broken = {}
    try:
        frame = schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        broken = _cases(frame, schema, error.failure_cases)
    rules = {column: _words(column, of) for column, of in schema.columns.items()}
    rules |= {of.name: of.name for of in schema.checks}
    if schema.unique:
        rules["multiple_fields_uniqueness"] = f"one row a {', '.join(schema.unique)}"
    # Whatever pandera reports beside the declared rules is reported too.
    return frame, [(rule, broken.pop(key, [])) for key, rule in rules.items()] + [*broken.items()]


def _words(column, of):
    rules = [] if of.nullable else ["never missing"]
    rules += [check.error for check in of.checks] + (["no value twice"] if of.unique else [])
    return f"{column}: {', '.join(rules) or of.dtype}"


def _cases(frame, schema, failures):
    """Cases by the rule that they break, one text a row of the table."""
    found = {}
    whole = {of.name for of in schema.checks} | {"multiple_fields_uniqueness"}
    for failure in failures.itertuples(index=False):
        at = _key(frame, failure.index) if failure.index in frame.index else ""
        if failure.check == "column_in_dataframe":
            key, case = failure.failure_case, f"{failure.failure_case}: no such column"
        elif failure.check in whole:
            key, case = failure.check, at or str(failure.failure_case)
        else:
            patterns = (c for c, of in schema.columns.items() if of.regex)
            found_by = (c for c in patterns if re.fullmatch(c, str(failure.column)))
            key = next(found_by, failure.column)
            case = f"{at}: {failure.failure_case} ({failure.check})"
        found.setdefault(key, {})[case] = None
    return {key: list(cases) for key, cases in found.items()}


def _key(frame, row):
    """What identifies a row of a table, in one text."""
    keys = ("entity", "code", "territory_id", "year", "region", "town")
    return " ".join(str(frame.loc[row, c]) for c in keys if c in frame)


def _check_texts(frame, name):
    """Refuse formulas and tags, so that nothing written from these tables needs to disarm them."""
    for column in frame.columns[[pd.api.types.is_string_dtype(t) for t in frame.dtypes]]:
        texts = frame.loc[frame[column].notna(), column].astype(str)
        bad = texts[texts.str.contains(NOT_TEXT, regex=True)]
        if len(bad):
            raise ContractError(
                f"table {name}",
                "a text is a formula, a tag or has a control character",
                keys=[f"{column}, {_key(frame, row)}".strip(", ") for row in bad.index],
                found=examples(map(repr, bad), 3),
                remedy="repair the reader or the source",
            )
