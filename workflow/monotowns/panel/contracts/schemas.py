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
    "towns": table(town=text, population=number(pa.Check.gt(0), kind=int), lat=anywhere, lon=lon),
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
