"""Where does regional industry stand, and does it turn up more often than chance would have it?"""

import numpy as np
import pandas as pd

from monotowns.estimate.record import TERMS, Fit, to_records
from monotowns.measures.classification import BREAK_YEAR
from monotowns.measures.industry import price_index
from monotowns.measures.stages import build_stages, turn_grid

#: Orders of years under the null: shared by all regions, or drawn for each.
TOGETHER, APART = "years in one order for all", "each region apart"
#: Name of the records -> share of manufacturing, null and direction; the first is the headline.
TESTS = {
    "turns_adjusted_together": ("adjusted", TOGETHER, "turn"),
    "turns_adjusted_apart": ("adjusted", APART, "turn"),
    "turns_published_together": ("published", TOGETHER, "turn"),
    "falls_adjusted_together": ("adjusted", TOGETHER, "fall"),
    "falls_adjusted_apart": ("adjusted", APART, "fall"),
    "falls_published_together": ("published", TOGETHER, "fall"),
}


def study(structure, grp, deflator, turn, draws, seed):
    """Stages of the regions, the grid of rules against chance, their records and facts.

    Parameters
    ----------
    structure, grp : pandas.DataFrame
        As in :func:`monotowns.measures.stages.build_stages`.
    deflator : dict
        Year -> inflation, per cent.
    turn : dict
        The rule of a turn (``rising_years``, ``threshold``, ``floor``) and those of the grid
        (``grid_rising_years``, ``grid_thresholds``).
    draws, seed : int
        Permutations of years.

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict of pandas.DataFrame
        ``stages``, ``grid`` and the part of it to print, ``grid_print``.
    """
    rule = (turn["rising_years"], turn["threshold"], turn["floor"])
    table, step = build_stages(structure, grp, price_index(deflator), draws, seed, *rule)
    grid = grid_of_tests(table, turn, draws, seed)
    records = [
        to_records(
            fit,
            specification=f"stages_{name}",
            question="stages",
            group="headline" if name == next(iter(TESTS)) else "robustness",
            outcome="manufacturing share of GVA",
            sample="regions",
            weights="none",
            seed=seed,
        )
        for name, fit in stage_fits(table, step, grid).items()
    ]
    shown = part_of(grid, *TESTS["turns_adjusted_together"])
    shown = shown.round({"expected": 1, "p_value": 3, "low": 0, "high": 0})
    tables = {"stages": table, "grid": grid, "grid_print": shown}
    return pd.concat(records), stage_facts(table, step, grid, *rule[:2]), tables


def grid_of_tests(table, turn, draws, seed) -> pd.DataFrame:
    """:func:`monotowns.measures.stages.turn_grid` under every test of :data:`TESTS`."""
    column = {"adjusted": "share_adjusted", "published": "share"}
    grids = []
    for share, null, direction in TESTS.values():
        wide = table.pivot(index="region", columns="year", values=column[share])
        rules = (turn["grid_rising_years"], turn["grid_thresholds"], draws, seed)
        together = null == TOGETHER
        grid = turn_grid(wide, *rules, turn["floor"], together, directions=[direction])
        grids.append(grid.assign(share=share, null=null))
    return pd.concat(grids).drop(columns="weight")


def part_of(grid, share, null, direction) -> pd.DataFrame:
    """The rules of the grid under one test."""
    of = (grid["share"] == share) & (grid["null"] == null) & (grid["direction"] == direction)
    return grid[of]


def stage_fits(table, step, grid) -> dict[str, Fit]:
    """The common step of 2016 and, for every rule, the turns beyond chance.

    Of the step, the p-value is its rank among the same statistic at all other years; of a rule,
    the estimate is the number of regions that turned less that expected by chance, with the 90 per
    cent range of chance taken off the same way, and the permutation p-value.
    """
    regions = table["region"].nunique()
    size = {"n_obs": len(table), "n_entities": regions, "n_clusters": regions}
    others = len(step.placebos)
    p_value = (1 + (step.placebos.abs() >= abs(step.estimate)).sum()) / (1 + others)
    row = (f"step {BREAK_YEAR}", step.estimate, step.standard_error, np.nan, np.nan, p_value)
    variance = f"spread over regions, p among {others} other years"
    fits = {"step": Fit(pd.DataFrame([row], columns=TERMS), "common step", variance, **size)}
    for name, test in TESTS.items():
        terms = beyond_chance(part_of(grid, *test))
        fits[name] = Fit(
            terms, f"{test[2]}s beyond chance", f"permutation of years, {test[1]}", **size
        )
    return fits


def beyond_chance(grid: pd.DataFrame) -> pd.DataFrame:
    """Terms of a grid of :func:`.measures.stages.turn_grid`, a rule each.

    What turned less what chance gives, with the 90 per cent range of chance taken off the same way.
    """
    return pd.DataFrame(
        {
            "term": [f"k {r.k} threshold {r.threshold:g}" for r in grid.itertuples()],
            "estimate": grid["turned"] - grid["expected"],
            "standard_error": np.nan,
            "ci_low": grid["turned"] - grid["high"],
            "ci_high": grid["turned"] - grid["low"],
            "p_value": grid["p_value"],
        }
    )[TERMS]


def stage_facts(table, step, grid, rising_years, threshold) -> dict:
    """Facts of the stages under the study's rule."""
    main = grid[(grid["k"] == rising_years) & (grid["threshold"] == threshold)]
    fell = main[main["direction"] == "fall"].set_index(["share", "null"]).loc["adjusted", TOGETHER]
    grid = grid[grid["direction"] == "turn"]
    main = main[main["direction"] == "turn"].set_index(["share", "null"])
    together = main.loc["adjusted", TOGETHER]
    apart = main.loc["adjusted", APART]
    published = main.loc["published", TOGETHER]
    first, last = table["year"].min(), table["year"].max()
    dated = table.drop_duplicates("region")
    smallest = grid.groupby(["share", "null"])["p_value"].min()
    broken = dated["break_p"].dropna()
    falling = table[(table["year"] == last) & (table["stage"] == "de-industrialising")]
    facts = {
        "stages.rising_years": [rising_years, "count"],
        "stages.threshold": [threshold, "share"],
        "stages.step.estimate": [step.estimate, "estimate"],
        "stages.step.percent": [step.estimate, "percent"],
        "stages.step.se": [step.standard_error, "estimate"],
        "stages.step.placebo": [step.placebos.abs().max(), "estimate"],
        "stages.regions": [together["regions"], "count"],
        "stages.turned": [together["turned"], "count"],
        "stages.turned.expected": [together["expected"], "share"],
        "stages.turned.p": [together["p_value"], "p"],
        "stages.fell": [fell["turned"], "count"],
        "stages.fell.expected": [fell["expected"], "share"],
        "stages.fell.p": [fell["p_value"], "p"],
        "stages.apart.p": [apart["p_value"], "p"],
        "stages.published.turned": [published["turned"], "count"],
        "stages.published.expected": [published["expected"], "share"],
        "stages.published.p": [published["p_value"], "p"],
        "stages.false_positive_rate": [100 * together["false_positive_rate"], "share"],
        "stages.grid.rules": [len(grid[["k", "threshold"]].drop_duplicates()), "count"],
        "stages.grid.p": [smallest["adjusted", TOGETHER], "p"],
        "stages.grid.apart.p": [smallest["adjusted", APART], "p"],
        "stages.breaks": [(broken < 0.05).sum(), "count"],
        "stages.breaks.regions": [len(broken), "count"],
        "stages.breaks.expected": [0.05 * len(broken), "share"],
        # Years that a turn of 2020 has had to show itself.
        "stages.years_after_2020": [last - 2020, "count"],
        "stages.falling": [100 * len(falling) / together["regions"], "share"],
        "stages.first": [first, "year"],
        "stages.last": [last, "year"],
    }
    for year in (first, 2013, 2019, last):
        of = table[table["year"] == year]
        counts = of["stage"].value_counts()
        for stage in ("de-industrialising", "industrialised", "re-industrialising"):
            facts[f"stages.{year}.{stage}"] = [counts.get(stage, 0), "count"]
    facts["stages.share_only"] = [(falling["kind"] == "share only").sum(), "count"]
    facts["stages.share_and_volume"] = [(falling["kind"] == "share and volume").sum(), "count"]
    return facts
