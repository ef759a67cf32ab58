"""Columns, ranges and keys of every table; all failures are reported at once with example keys."""

from importlib import import_module

import pandas as pd

from monotowns.run.errors import ContractError, examples

CODE = r"^\d{8}$"
#: Taxable + social = total is the office's own identity. Each of the three is rounded, in the
#: coarsest year to whole thousand roubles: the sum may be off by three halves.
ROUNDED = 1.5
#: The shares of about twenty sections, each rounded to a tenth of a per cent.
ROUNDED_SHARES = 0.5
#: What no text of the sources holds: a spreadsheet runs a cell that begins so, a page the tags.
NOT_TEXT = r"^[=+@-]|[<>\x00-\x1f]"


def schemas() -> dict:
    """The contract of every table, by its name."""
    import pandera.pandas as pa

    code = pa.Column(str, pa.Check.str_matches(CODE))
    positive = pa.Column(float, pa.Check.gt(0))
    amount = pa.Column(float, nullable=True)
    text = pa.Column(str, nullable=True)
    year = pa.Column(int, pa.Check.in_range(1998, 2030))
    level = pa.Column(str, pa.Check.isin(["municipality", "settlement", "town"]))
    people = pa.Column(float, pa.Check.ge(0), nullable=True, coerce=True)
    date = pa.Column(str, pa.Check.str_matches(r"^20(1[5-9]|2[0-4])"), nullable=True)
    category = pa.Column(int, pa.Check.isin([1, 2, 3]))
    lat, lon = (
        pa.Column(float, pa.Check.in_range(41, 82), nullable=True),
        pa.Column(float, pa.Check.in_range(-180, 180), nullable=True),
    )
    anywhere = pa.Column(float, pa.Check.in_range(-90, 90), nullable=True)
    share = pa.Column(float, pa.Check.in_range(0, 1), nullable=True)
    adds_up = pa.Check(
        lambda f: (f["taxable"] + f["social"] - f["total"]).abs() <= ROUNDED,
        name="taxable + social = total",
    )
    return {
        "municipal_incomes": pa.DataFrameSchema(
            {
                "year": pa.Column(int, pa.Check.in_range(2010, 2022)),
                "code": code,
                "name": text,
                "taxable": amount,
                "social": amount,
                "total": amount,
                "per_resident": amount,
            },
            checks=adds_up,
            unique=["year", "row"],
        ),
        "municipal_dictionary": pa.DataFrameSchema(
            {
                "code": code,
                "territory_id": pa.Column(int),
                "region": pa.Column(str),
                "year_from": pa.Column(int),
                "year_to": pa.Column(int),
                "lat": lat,
                "lon": lon,
            },
            unique=["code", "year_from"],
        ),
        "population_2024": pa.DataFrameSchema(
            {
                "code": code,
                "level": level,
                "name": pa.Column(str),
                "population": people,
            },
        ),
        "monotowns_2014": pa.DataFrameSchema(
            {"region": pa.Column(str), "town": pa.Column(str), "category": category},
            unique=["region", "town"],
        ),
        "monotowns_2024": pa.DataFrameSchema(
            {"region": pa.Column(str), "town": pa.Column(str), "category": category},
            unique=["region", "town"],
        ),
        "toser": pa.DataFrameSchema(
            {
                "region": pa.Column(str),
                "town": pa.Column(str),
                "established": date,
            },
            unique=["region", "town"],
        ),
        "population_regions": pa.DataFrameSchema(
            {"region": pa.Column(str), "year": year, "population": positive},
            unique=["region", "year"],
        ),
        "towns_2020": pa.DataFrameSchema(
            {
                "town": pa.Column(str),
                "region": pa.Column(str),
                # Persons; the source prints thousands.
                "population": pa.Column(int, pa.Check.in_range(100, 15_000_000)),
                "lat": lat,
                "lon": lon,
            },
            unique=["region", "town"],
        ),
        "towns": pa.DataFrameSchema(
            {
                "town": pa.Column(str),
                "population": pa.Column(int, pa.Check.gt(0)),
                "lat": anywhere,
                "lon": lon,
            },
        ),
        "market_access": pa.DataFrameSchema(
            {"territory_id": pa.Column(int, unique=True), "market_access": positive},
        ),
        "grp": pa.DataFrameSchema(
            {"region": pa.Column(str), "year": year, "grp": positive},
            unique=["region", "year"],
        ),
        "gva_structure": pa.DataFrameSchema(
            {
                "region": pa.Column(str),
                "year": pa.Column(int, pa.Check.in_range(2009, 2022)),
                "classification": pa.Column(str, pa.Check.isin(["OKVED-2007", "OKVED2"])),
                "section": pa.Column(str, pa.Check.str_matches("^[A-T]$")),
                "share": pa.Column(float, pa.Check.in_range(0, 100)),
            },
            # Sections are exhaustive: the shares of a region and year add up, but for rounding.
            checks=pa.Check(
                lambda f: (
                    (f.groupby(["region", "year"])["share"].transform("sum") - 100).abs()
                    <= ROUNDED_SHARES
                ),
                name="shares add up to 100",
            ),
            unique=["region", "year", "section"],
        ),
        "monotown_industries": pa.DataFrameSchema(
            {
                "region": pa.Column(str),
                "town": pa.Column(str),
                "section": pa.Column(str, pa.Check.str_matches("^[A-S]$"), nullable=True),
                "strength": pa.Column(
                    str, pa.Check.isin(["town-forming", "main", "located", "dated", "weak"])
                ),
            },
        ),
        "municipalities": pa.DataFrameSchema(
            {
                "entity": pa.Column(str, pa.Check.str_length(min_value=1)),
                "name": pa.Column(str),
                "region": pa.Column(str),
                "year": pa.Column(int, pa.Check.in_range(1900, 2100)),
                "population": people,
                "taxable": pa.Column(float, nullable=True, coerce=True),
                "social": pa.Column(float, nullable=True, coerce=True, required=False),
                "kind": pa.Column(str, nullable=True, required=False),
                "lat": anywhere,
                "lon": lon,
            },
            unique=["entity", "year"],
        ),
        "company_towns": pa.DataFrameSchema(
            {
                "list": pa.Column(int, pa.Check.in_range(1900, 2100)),
                "entity": pa.Column(str, pa.Check.str_length(min_value=1)),
                "town": pa.Column(str),
                "category": pa.Column(
                    float, pa.Check.isin([1, 2, 3]), nullable=True, coerce=True, required=False
                ),
                "town_share": pa.Column(
                    float, pa.Check.in_range(0, 1), nullable=True, coerce=True, required=False
                ),
            },
            unique=["list", "entity", "town"],
        ),
        "panel_municipalities": pa.DataFrameSchema(
            {
                "entity": pa.Column(str),
                "population": positive,
                "taxable": positive,
                "region": pa.Column(str),
                "monotown": pa.Column(float, pa.Check.isin([0, 1]), nullable=True),
                "log_taxable_pc": pa.Column(float),
            },
            unique=["entity", "year"],
        ),
        "measures": pa.DataFrameSchema(
            {
                "entity": pa.Column(str),
                "year": year,
                "log_mp_.*": pa.Column(float, regex=True),
                "core_.*_km": pa.Column(float, pa.Check.in_range(0, 10_000), regex=True),
                "ring": pa.Column(str, nullable=False),
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
                "region": pa.Column(str),
                "lat": lat,
                "lon": lon,
                "monotown": pa.Column(float, pa.Check.isin([0, 1]), nullable=True),
                "town_share": share,
                "transfer_share": share,
                # Roubles of the last year per resident: between a thousand and a hundred million.
                "log_taxable_pc": pa.Column(float, pa.Check.in_range(7, 18.5)),
            },
            unique=["entity", "year"],
        ),
    }


def schema_of(name: str):
    """The pandera schema of a table; a new source brings it beside its reader."""
    known = schemas()
    if name in known:
        return known[name]
    return import_module(f"monotowns.acquire.readers.{name}").contract()


def check(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Hold a table to its contract and return it.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
        Table of ``data/snapshot`` or ``"panel"``.

    Raises
    ------
    ContractError
        One error with every broken rule, how many rows break it and example keys.
    """
    import pandera.pandas as pa

    _check_texts(frame, name)
    try:
        return schema_of(name).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        lines = []
        for (column, rule), part in cases.groupby(["column", "check"], dropna=False, sort=True):
            rows = part["index"].dropna().unique()
            keys = [row_key(frame, row) for row in rows[:3] if row in frame.index]
            values = examples(part["failure_case"], 3)
            where = f" at {'; '.join(keys)}" if keys else ""
            lines.append(f"{column}: {rule}: {len(part)} cases, e.g. {values}{where}")
        raise ContractError(
            f"table {name}",
            "the contract is broken",
            found="\n    " + "\n    ".join(lines),
            remedy="repair the reader or the source; known faults belong into data/corrections",
        ) from None


def row_key(frame: pd.DataFrame, row) -> str:
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
                keys=[f"{column}, {row_key(frame, row)}".strip(", ") for row in bad.index],
                found=examples(map(repr, bad), 3),
                remedy="repair the reader or the source",
            )
