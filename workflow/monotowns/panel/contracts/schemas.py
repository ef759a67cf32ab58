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

# Columns that several tables have; a figure may come without a fraction.
name, text = pa.Column(str), pa.Column(str, nullable=True)
entity = pa.Column(str, pa.Check.str_length(min_value=1))
code = pa.Column(str, pa.Check.str_matches(r"^\d{8}$"))
whole = pa.Column(int)
year = pa.Column(int, pa.Check.in_range(1998, 2030))
any_year = pa.Column(int, pa.Check.in_range(1900, 2100))
amount = pa.Column(float, nullable=True, coerce=True)
positive = pa.Column(float, pa.Check.gt(0), coerce=True)
people = pa.Column(float, pa.Check.ge(0), nullable=True, coerce=True)
share = pa.Column(float, pa.Check.in_range(0, 1), nullable=True)
category = pa.Column(int, pa.Check.isin([1, 2, 3]))
mark = pa.Column(float, pa.Check.isin([0, 1]), nullable=True)
lat = pa.Column(float, pa.Check.in_range(41, 82), nullable=True)
lon = pa.Column(float, pa.Check.in_range(-180, 180), nullable=True)
anywhere = pa.Column(float, pa.Check.in_range(-90, 90), nullable=True)
town_key = ["region", "town"]
adds_up = pa.Check(
    lambda f: (f["taxable"] + f["social"] - f["total"]).abs() <= ROUNDED,
    name="taxable + social = total",
)
# Sections are exhaustive: the shares of a region and year add up, but for rounding.
whole_shares = pa.Check(
    lambda f: (
        (f.groupby(["region", "year"])["share"].transform("sum") - 100).abs() <= ROUNDED_SHARES
    ),
    name="shares add up to 100",
)


def optional(*checks, kind=float):
    """Declare a column that a table of another country may leave out."""
    return pa.Column(kind, *checks, nullable=True, coerce=kind is float, required=False)


SCHEMAS = {
    "municipal_incomes": pa.DataFrameSchema(
        {
            "year": pa.Column(int, pa.Check.in_range(2010, 2022)),
            "code": code,
            "name": text,
            **dict.fromkeys(("taxable", "social", "total", "per_resident"), amount),
        },
        checks=adds_up,
        unique=["year", "row"],
    ),
    "municipal_dictionary": pa.DataFrameSchema(
        {
            "code": code,
            "territory_id": whole,
            "region": name,
            "year_from": whole,
            "year_to": whole,
            "lat": lat,
            "lon": lon,
        },
        unique=["code", "year_from"],
    ),
    "population_2024": pa.DataFrameSchema(
        {
            "code": code,
            "level": pa.Column(str, pa.Check.isin(["municipality", "settlement", "town"])),
            "name": name,
            "population": people,
        }
    ),
    "monotowns_2014": pa.DataFrameSchema(
        {"region": name, "town": name, "category": category}, unique=town_key
    ),
    "monotowns_2024": pa.DataFrameSchema(
        {"region": name, "town": name, "category": category}, unique=town_key
    ),
    "toser": pa.DataFrameSchema(
        {
            "region": name,
            "town": name,
            "established": pa.Column(
                str, pa.Check.str_matches(r"^20(1[5-9]|2[0-4])"), nullable=True
            ),
        },
        unique=town_key,
    ),
    "population_regions": pa.DataFrameSchema(
        {"region": name, "year": year, "population": positive}, unique=["region", "year"]
    ),
    "towns_2020": pa.DataFrameSchema(
        {
            "town": name,
            "region": name,
            # Persons; the source prints thousands.
            "population": pa.Column(int, pa.Check.in_range(100, 15_000_000)),
            "lat": lat,
            "lon": lon,
        },
        unique=town_key,
    ),
    "towns": pa.DataFrameSchema(
        {"town": name, "population": pa.Column(int, pa.Check.gt(0)), "lat": anywhere, "lon": lon}
    ),
    "market_access": pa.DataFrameSchema(
        {"territory_id": pa.Column(int, unique=True), "market_access": positive}
    ),
    "grp": pa.DataFrameSchema(
        {"region": name, "year": year, "grp": positive}, unique=["region", "year"]
    ),
    "gva_structure": pa.DataFrameSchema(
        {
            "region": name,
            "year": pa.Column(int, pa.Check.in_range(2009, 2022)),
            "classification": pa.Column(str, pa.Check.isin(["OKVED-2007", "OKVED2"])),
            "section": pa.Column(str, pa.Check.str_matches("^[A-T]$")),
            "share": pa.Column(float, pa.Check.in_range(0, 100)),
        },
        checks=whole_shares,
        unique=["region", "year", "section"],
    ),
    "monotown_industries": pa.DataFrameSchema(
        {
            "region": name,
            "town": name,
            "section": pa.Column(str, pa.Check.str_matches("^[A-S]$"), nullable=True),
            "strength": pa.Column(
                str, pa.Check.isin(["town-forming", "main", "located", "dated", "weak"])
            ),
        }
    ),
    "municipalities": pa.DataFrameSchema(
        {
            "entity": entity,
            "name": name,
            "region": name,
            "year": any_year,
            "population": people,
            "taxable": amount,
            "social": optional(),
            "kind": optional(kind=str),
            "lat": anywhere,
            "lon": lon,
        },
        unique=["entity", "year"],
    ),
    "company_towns": pa.DataFrameSchema(
        {
            "list": any_year,
            "entity": entity,
            "town": name,
            "category": optional(pa.Check.isin([1, 2, 3])),
            "town_share": optional(pa.Check.in_range(0, 1)),
        },
        unique=["list", "entity", "town"],
    ),
    "panel_municipalities": pa.DataFrameSchema(
        {
            "entity": name,
            "population": positive,
            "taxable": positive,
            "region": name,
            "monotown": mark,
            "log_taxable_pc": pa.Column(float),
        },
        unique=["entity", "year"],
    ),
    "measures": pa.DataFrameSchema(
        {
            "entity": name,
            "year": year,
            "log_mp_.*": pa.Column(float, regex=True),
            "core_.*_km": pa.Column(float, pa.Check.in_range(0, 10_000), regex=True),
            "ring": name,
        },
        unique=["entity", "year"],
    ),
    "panel": pa.DataFrameSchema(
        {
            "entity": code,
            "year": year,
            "population": positive,
            "taxable": positive,
            "total": positive,
            "region": name,
            "lat": lat,
            "lon": lon,
            "monotown": mark,
            "town_share": share,
            "transfer_share": share,
            # Roubles of the last year per resident: between a thousand and a hundred million.
            "log_taxable_pc": pa.Column(float, pa.Check.in_range(7, 18.5)),
        },
        unique=["entity", "year"],
    ),
    # `make new-source` adds its contract above this line.
}


def check(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return a table that keeps its contract; one without a contract needs only plain texts.

    Raises
    ------
    ContractError
        One error with every broken rule, how many rows break it and example keys.
    """
    _check_texts(frame, table)
    frame, rules = validated(frame, table)
    if lines := [
        f"{rule}: {len(cases)} cases, e.g. {examples(cases, 3)}" for rule, cases in rules if cases
    ]:
        raise ContractError(
            f"table {table}",
            "the contract is broken",
            found="\n    " + "\n    ".join(lines),
            remedy="repair the reader or the source; known faults belong into data/corrections",
        )
    return frame


def validated(frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list]:
    """Validate a table.

    Returns
    -------
    frame : pandas.DataFrame
        With whole figures as fractions where the contract has these.
    rules : list of tuple
        Every rule in words, with the rows and values that break it: none where it is kept.
    """
    schema = SCHEMAS.get(table)
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


def _check_texts(frame, table):
    """Refuse formulas and tags, so that nothing written from these tables needs to disarm them."""
    for column in frame.columns[[pd.api.types.is_string_dtype(t) for t in frame.dtypes]]:
        texts = frame.loc[frame[column].notna(), column].astype(str)
        bad = texts[texts.str.contains(NOT_TEXT, regex=True)]
        if len(bad):
            raise ContractError(
                f"table {table}",
                "a text is a formula, a tag or has a control character",
                keys=[f"{column}, {_key(frame, row)}".strip(", ") for row in bad.index],
                found=examples(map(repr, bad), 3),
                remedy="repair the reader or the source",
            )
