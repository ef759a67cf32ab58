"""One parser a source: raw file in, tidy table of its facts out, nothing judged.

:data:`READERS` maps a table of the registry to its reader; a reader takes the path of the
verified raw file and returns the table that is kept in ``data/snapshot``.
"""

from importlib import import_module

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


def module_of(table: str) -> str:
    """The module of a table's reader, within the library: ``readers.incomes``."""
    return f"readers.{READERS[table].split('.')[0]}"


def reader(table: str):
    """The function that reads a table from its raw file."""
    module, function = READERS[table].split(".")
    return getattr(import_module(f"{__name__}.{module}"), function)
