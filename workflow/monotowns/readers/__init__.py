"""One parser a source: raw file in, tidy table of its facts out, nothing judged.

:data:`READERS` maps a source of the registry to its reader; a reader takes the path of the
verified raw file and returns the table that is kept in ``data/snapshot``.
"""

from monotowns.readers import compiled, dictionary, incomes, population, regions

READERS = {
    "municipal_incomes": incomes.read,
    "population_2024": population.read_municipalities,
    "monotowns_2024": population.read_monotowns,
    "monotowns_2014": compiled.read_monotowns_2014,
    "municipal_dictionary": dictionary.read,
    "market_access": dictionary.read_market_access,
    "towns_2020": regions.read_towns,
    "population_regions": regions.read_population,
    "grp": regions.read_grp,
    "gva_structure": regions.read_gva,
    "toser": compiled.read_toser,
    "monotown_industries": compiled.read_industries,
}
