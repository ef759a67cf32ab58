"""Figures, one module a question; the parameters of a figure's function name its tables.

The rules read this table while the graph is parsed: matplotlib and seaborn, which take two seconds,
are imported where a figure is drawn.
"""

from inspect import signature

from monotowns.figures import (
    agglomeration,
    gap,
    industry,
    layers,
    maps,
    potential,
    robustness,
    spatial,
    toser,
)

FIGURES = {
    "map": maps.market_potential,
    "gap": gap.effects,
    "gap_cities": gap.cities,
    "toser": toser.effects,
    "toser_means": toser.cohort_means,
    "honest": toser.honest,
    "elasticities": agglomeration.elasticities,
    "scales": agglomeration.scales,
    "stages": industry.shares,
    "turn_chance": industry.against_chance,
    "stage_map": maps.stages,
    "exposure": industry.exposure,
    "group_growth": industry.group_growth,
    "ranks": potential.ranks,
    "potential_map": maps.development_potential,
    "curve": robustness.curve,
    "impacts": spatial.impacts,
    "dispersion": spatial.dispersion,
    "municipal_paths": layers.municipal_paths,
    "city_paths": layers.city_paths,
    "month_paths": layers.month_paths,
    "region_paths": layers.region_paths,
}


def tables_of(name: str) -> set[str]:
    """Names of the tables that a figure is drawn from."""
    return set(signature(FIGURES[name]).parameters)


def draw(name: str, tables: dict):
    """Draw a figure from those of the tables, by name, that its function asks for."""
    return FIGURES[name](**{table: tables[table] for table in tables_of(name)})
