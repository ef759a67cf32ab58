"""Every rule of a table's contract on columns and keys, kept or broken, with its cases."""

import re

import pandas as pd

from monotowns.panel.contracts.schemas import row_key, schema_of


def held(frame: pd.DataFrame, name: str) -> list[tuple[str, list[str]]]:
    """Every rule of a table's contract with the cases that break it.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
        As for :func:`monotowns.panel.contracts.schemas.check`.

    Returns
    -------
    list of tuple
        The rule in words; example rows and values that break it, empty when it is kept.
    """
    import pandera.pandas as pa

    schema = schema_of(name)
    broken = {}
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        broken = _broken(frame, schema, error.failure_cases)
    rules = {column: _told(column, of) for column, of in schema.columns.items()}
    rules |= {of.name: of.name for of in schema.checks}
    if schema.unique:
        rules["multiple_fields_uniqueness"] = f"one row a {', '.join(schema.unique)}"
    found = [(rule, broken.pop(key, [])) for key, rule in rules.items()]
    # Whatever pandera tells beside the declared rules is told too.
    return found + list(broken.items())


def _told(column, of):
    rules = [] if of.nullable else ["never missing"]
    rules += [check.error for check in of.checks] + (["no value twice"] if of.unique else [])
    return f"{column}: {', '.join(rules) or of.dtype}"


def _broken(frame, schema, cases):
    """Cases by the rule that they break, one text a row of the table."""
    found = {}
    whole = {of.name for of in schema.checks} | {"multiple_fields_uniqueness"}
    for (column, rule), part in cases.groupby(["column", "check"], dropna=False, sort=True):
        key = rule if rule in whole else _declared(schema, column)
        if rule == "column_in_dataframe":
            for missing in part["failure_case"]:
                found.setdefault(missing, []).append(f"{missing}: no such column")
            continue
        texts = found.setdefault(key, [])
        for row, value in zip(part["index"], part["failure_case"], strict=True):
            at = row_key(frame, row) if row in frame.index else ""
            text = at if rule in whole and at else f"{at}: {value} ({rule})"
            texts += [text] if text not in texts[-1:] else []
    return {key: list(dict.fromkeys(texts)) for key, texts in found.items()}


def _declared(schema, column):
    """The schema's name of a column, which may be a pattern for several."""
    if column in schema.columns:
        return column
    return next(
        (c for c, of in schema.columns.items() if of.regex and re.fullmatch(c, str(column))),
        str(column),
    )
