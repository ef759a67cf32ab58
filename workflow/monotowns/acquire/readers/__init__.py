"""One reader a table: raw file in, tidy table of its facts out, nothing judged.

A compiled table has none: what is committed is the original.
"""

import pandas as pd

from monotowns.acquire.readers import (
    borders,
    cities,
    flat,
    incomes,
    months,
    population,
    regional,
    regions,
)
from monotowns.run.errors import SourceError

#: Table of the registry -> the function that reads it from the path of its verified raw file.
READERS = {
    "municipal_incomes": incomes.read,
    "municipal_kinds": incomes.read_kinds,
    "population_2024": population.read_municipalities,
    "monotowns_2024": population.read_monotowns,
    "monotowns_2014": flat.read_monotowns_2014,
    "municipal_dictionary": flat.read_dictionary,
    "market_access": flat.read_market_access,
    "towns_2020": flat.read_towns,
    "town_codes": flat.read_town_codes,
    "population_regions": regions.read_population,
    "grp": regions.read_grp,
    "gva_structure": regions.read_gva,
    "cities": cities.read,
    "municipal_wages": months.read_wages,
    "population_ages": months.read_ages,
    "migration_2023": months.read_migration,
    "consumption": months.read_consumption,
    "borders": borders.read,
    "regional_production": regional.read_production,
    "regional_groups": regional.read_groups,
    "regional_investment": regional.read_investment,
    "regional_labour": regional.read_labour,
    "regional_product": regional.read_product,
    "regional_trade": regional.read_trade,
    "fixed_assets": regional.read_assets,
    # `make new-source` adds its reader above this line.
}


def read(table: str, path) -> pd.DataFrame:
    """Read a table from its raw file as it is kept in ``data/snapshot``.

    Raises
    ------
    SourceError
        The table has no reader, or its file is not what the reader knows.
    """
    if table not in READERS:
        raise SourceError(
            "workflow/monotowns/acquire/readers",
            "a table of the registry has no reader",
            keys=[table],
            remedy=f"say make new-source NAME={table}, or add its function to READERS",
        )
    return READERS[table](path)
