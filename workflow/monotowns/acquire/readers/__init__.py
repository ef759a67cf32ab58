"""One reader a table: raw file in, tidy table of its facts out, nothing judged."""

import pandas as pd

from monotowns.acquire.readers import flat, incomes, population, regions
from monotowns.run.errors import SourceError

#: Table of the registry -> the function that reads it from the path of its verified raw file.
READERS = {
    "municipal_incomes": incomes.read,
    "population_2024": population.read_municipalities,
    "monotowns_2024": population.read_monotowns,
    "monotowns_2014": flat.read_monotowns_2014,
    "municipal_dictionary": flat.read_dictionary,
    "market_access": flat.read_market_access,
    "towns_2020": flat.read_towns,
    "population_regions": regions.read_population,
    "grp": regions.read_grp,
    "gva_structure": regions.read_gva,
    "toser": flat.read_toser,
    "monotown_industries": flat.read_industries,
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
