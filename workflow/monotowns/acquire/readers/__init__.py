"""One parser a source: raw file in, tidy table of its facts out, nothing judged.

:data:`READERS` maps a table of the registry to its reader; a reader takes the path of the
verified raw file and returns the table that is kept in ``data/snapshot``. A table that is not
listed has a module of its own name here, with ``read`` and its ``contract``.
"""

from importlib import import_module
from importlib.util import find_spec

#: Table -> module of this package and its function. Imported when asked for: an edit of one
#: source's parser reads that source's tables anew and no others.
READERS = {
    "municipal_incomes": "incomes.read",
    "population_2024": "population.read_municipalities",
    "monotowns_2024": "population.read_monotowns",
    "monotowns_2014": "compiled.read_monotowns_2014",
    "municipal_dictionary": "dictionary.read",
    "market_access": "dictionary.read_market_access",
    "towns_2020": "regions.read_towns",
    "population_regions": "regions.read_population",
    "grp": "regions.read_grp",
    "gva_structure": "regions.read_gva",
    "toser": "compiled.read_toser",
    "monotown_industries": "compiled.read_industries",
}


def own_module(table: str) -> str | None:
    """The module that a table which is not listed has to itself, within the library."""
    own = table not in READERS and find_spec(f"{__name__}.{table}") is not None
    return f"acquire.readers.{table}" if own else None


def module_of(table: str) -> str | None:
    """The module of a table's reader, within the library: ``readers.incomes``."""
    if table not in READERS:
        return own_module(table)
    return f"acquire.readers.{READERS[table].split('.')[0]}"


def reader(table: str):
    """The function that reads a table from its raw file; none where no one has written it."""
    if module := own_module(table):
        return import_module(f"monotowns.{module}").read
    if table not in READERS:
        return None
    module, function = READERS[table].split(".")
    return getattr(import_module(f"{__name__}.{module}"), function)
