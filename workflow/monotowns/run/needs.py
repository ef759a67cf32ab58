"""What every stage needs, and what the tables at hand can carry.

A fork may lack a table: another country has no territories of advanced development, its regions
publish no structure of value added. What needs such a table is left out of the run, and the
paper says so in the place where it would have stood.
"""

from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from monotowns.run.errors import ConfigError
from monotowns.run.schema import nearest
from monotowns.run.settings import columns_of

#: Tables without which there is no panel, and those that it uses where they are there.
PANEL = {
    "rosstat": (
        "municipal_incomes",
        "municipal_dictionary",
        "population_2024",
        "monotowns_2014",
        "monotowns_2024",
    ),
    "municipalities": ("municipalities", "company_towns"),
}
PANEL_TAKES = {"rosstat": ("toser", "population_regions"), "municipalities": ("toser",)}

#: Stage (a rule) -> the tables and the earlier stages that it needs beside the panel.
STAGES = {
    "check_contracts": (
        "build_measures",
        "municipal_dictionary",
        "population_2024",
        "monotowns_2024",
    ),
    "build_weights": (),
    "build_measures": ("towns_2020", "population_regions"),
    "build_stages": ("gva_structure", "grp"),
    # Their towns are found by Russian names, their indicators on the list of 2014.
    "build_exposure": ("gva_structure", "grp", "monotown_industries", "monotowns_2014"),
    "build_potential": ("build_measures", "build_stages", "monotowns_2014"),
    "analyse_exposure": ("build_exposure",),
    "analyse_robustness": ("build_measures", "curves", "families"),
    "analyse_toser": ("toser", "build_measures", "build_exposure"),
    "analyse_spatial": (),
    "analyse_convergence": ("towns_2020",),
    "validate_estimators": (),
    # The projection and the frame of the map are Russia's.
    "draw_maps": ("build_measures", "municipal_dictionary"),
    "draw_gap": (),
    "draw_toser": ("analyse_toser",),
    "draw_agglomeration": ("build_measures",),
    "draw_industry": ("build_stages", "build_exposure"),
    "draw_potential": ("build_potential",),
    "draw_robustness": ("analyse_robustness",),
    "draw_spatial": ("analyse_spatial", "analyse_convergence"),
}
#: Tables that a layout can do without: only Russia's cities of federal rank stand outside of the
#: panel and take their residents from the regions' table.
SPARED = {"rosstat": (), "municipalities": ("population_regions",)}

#: Section of the paper -> the stages that it tells of.
SECTIONS = {
    "abstract": ("analyse_toser", "build_potential", "analyse_exposure"),
    "introduction": (),
    "data": ("draw_maps",),
    "methods": (),
    "gap": ("draw_gap",),
    "agglomeration": ("draw_agglomeration",),
    "toser": ("draw_toser",),
    "industry": ("draw_industry", "analyse_exposure"),
    "potential": ("draw_potential",),
    "spatial": ("draw_spatial",),
    "robustness": ("draw_robustness",),
    "limits": (),
    "conclusion": ("analyse_toser", "draw_agglomeration", "draw_industry"),
    "appendix": ("validate_estimators",),
}

#: Columns that a specification may name and that no panel has by itself, with their origin.
COLUMNS = {
    "log_mp_*": "build_measures",
    "core_*_km": "build_measures",
    "ring": "build_measures",
    "*_exposure": "build_exposure",
    "manufacturing_base": "build_exposure",
    "specialisation_base": "build_exposure",
    "balance_weight": "build_weights",
    "toser_cohort": "toser",
}


def stage_of(name: str) -> str:
    """The rule that leaves the records or facts of a name."""
    if name in ("stages", "potential"):
        return f"build_{name}"
    if name == "contracts":
        return "check_contracts"
    return name if name in STAGES else f"analyse_{name}"


def tables_in(folder) -> set[str]:
    """Names of the tables in a folder."""
    return {path.stem for path in Path(folder).glob("*.csv")}


def panel_tables(layout: str, tables) -> list[str]:
    """List the tables that the panel is built from.

    Raises
    ------
    ConfigError
        One without which there is no panel is absent.
    """
    absent = [table for table in PANEL[layout] if table not in tables]
    if absent:
        raise ConfigError(
            "config, data",
            "no panel without these tables",
            keys=absent,
            expected=f"layout {layout}: {', '.join(PANEL[layout])}",
            found=", ".join(sorted(tables)) or "no table",
            remedy="name their folder under data, or another layout (see data/README.md)",
        )
    return [t for t in (*PANEL[layout], *PANEL_TAKES[layout]) if t in tables]


def lacking(layout: str, tables, leave_out=()) -> dict[str, str]:
    """Say what every stage that cannot run lacks.

    Parameters
    ----------
    layout : {"rosstat", "municipalities"}
    tables : collection of str
        At hand; ``curves`` and ``families`` among them when the specifications declare any.
    leave_out : sequence of str
        Stages that the config leaves out.

    Returns
    -------
    dict
        Stage -> the tables that it or a stage before it lacks, or ``left out in the config``.

    Raises
    ------
    ConfigError
        An unknown stage is to be left out.
    """
    for stage in leave_out:
        if stage not in STAGES:
            raise ConfigError(
                "config, leave_out", f"unknown stage '{stage}'", remedy=nearest(stage, STAGES)
            )

    def missing(stage):
        if stage in leave_out:
            return [f"{stage} {BY_CONFIG}"]
        found = []
        for need in STAGES[stage]:
            if need in STAGES:
                found += missing(need)
            elif need not in tables and need not in SPARED[layout]:
                found.append(need)
        return list(dict.fromkeys(found))

    return {stage: ", ".join(lack) for stage in STAGES if (lack := missing(stage))}


#: How a stage is told that the config leaves out.
BY_CONFIG = "(left out in the config)"


def stop_at_lost_tables(lack: dict, policy: str) -> None:
    """Stop the study's own run when a table is not there; a fork says that it is meant.

    Raises
    ------
    ConfigError
        With ``policy`` ``stop``, when a stage lacks a table and is not left out by the config.
    """
    words = [word for why in lack.values() for word in why.split(", ")]
    lost = list(dict.fromkeys(word for word in words if not word.endswith(BY_CONFIG)))
    if policy == "stop" and lost:
        raise ConfigError(
            "config, data.folder",
            "the study needs what is not there",
            keys=lost,
            remedy="restore it; a fork without it says claims: report, or leaves the stages out",
        )


def sections_lacking(lack: dict) -> dict[str, str]:
    """Say what every section of the paper lacks that cannot be told."""
    found = {}
    for section, stages in SECTIONS.items():
        words = [word for stage in stages for word in lack.get(stage, "").split(", ") if word]
        if words:
            found[section] = ", ".join(dict.fromkeys(words))
    return found


def specifications_lacking(specifications: dict, tables, lack: dict) -> dict[str, str]:
    """Say what every specification lacks that names a column of an absent table or stage."""
    found = {}
    for name, spec in specifications.items():
        named = {part for column in columns_of(spec) for part in column.split(":")}
        for conditions in (spec["rows"], *spec["dummies"].values()):
            named |= set(conditions)
        words = []
        for column in sorted(named):
            origin = next((o for c, o in COLUMNS.items() if fnmatchcase(column, c)), None)
            if origin in lack:
                words += lack[origin].split(", ")
            elif origin is not None and origin not in STAGES and origin not in tables:
                words.append(origin)
        if words:
            found[name] = ", ".join(dict.fromkeys(words))
    return found


def left_out_table(**kinds: dict) -> pd.DataFrame:
    """Write what is left out as a table: ``kind``, ``name``, ``reason``."""
    rows = [(kind, name, reason) for kind, found in kinds.items() for name, reason in found.items()]
    return pd.DataFrame(rows, columns=["kind", "name", "reason"])
