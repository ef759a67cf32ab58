"""Did the volume of regional manufacturing turn, up or down, more often than chance would have it?

Volume is carried over two classifications of activities and chained at two years; both are shown.
"Recovered" (the last volume is above that of an earlier year) and "turned beyond chance" are two
statements, and both are among the facts.
"""

from itertools import product

import numpy as np
import pandas as pd

from monotowns.estimate.record import Fit, to_records
from monotowns.measures.stages import STAGES, first_years, stage_series, turn_grid
from monotowns.panel.build import correct
from monotowns.panel.regions import CHAINED_AT
from monotowns.run.errors import DesignError
from monotowns.studies.stages import beyond_chance

#: Whether the permuted years come in one order for all regions.
NULLS = {"together": True, "apart": False}
#: Weights of the regions: each counts once; residents of its monotown entities, thousands.
REGIONS, RESIDENTS = "regions", "monotown residents"
#: Measures of a region's industry: the dated volume, the same with all regions, share of GVA.
VOLUME, EVERY, SHARE = "volume", "volume, all regions", "share of GVA"
ANY = "any"
#: Years whose stages are among the facts: the crisis of 2009, the years before 2014 and 2020.
SHOWN = (2009, 2013, 2019)
#: Columns that tell the blocks of the table of chance apart.
BLOCK = ["measure", "chain", "null", "begun", "direction", "weight"]


def study(regions, production, repairs, where, stages, places, panel, turn, share, draws, seed):
    """Turns and falls of regional manufacturing against chance, and the stages by volume.

    Parameters
    ----------
    regions, production, stages, places, panel : pandas.DataFrame
        The layer of regions; ``indicator``, ``region``, ``year``, ``value`` of the index that it is
        chained from; ``region``, ``year``, ``share``, ``share_adjusted``, ``stage``; places;
        ``entity``, ``year``, ``region``, ``population``.
    repairs : list of dict
        See :func:`odd_regions`; ``where`` is their file.
    turn, share : dict
        The configuration's sections ``turns`` and ``stages`` (grid and floor of the share).
    draws, seed : int
        Permutations of years.

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict of pandas.DataFrame
        ``dated`` (:func:`date_turns`), ``chance`` (:func:`chance_table`), ``by_stage``
        (:func:`stage_counts`).
    """
    odd = odd_regions(production, repairs, where)
    whole = {year: log_volume(regions, year, turn["least_years"]) for year in CHAINED_AT}
    volumes = {year: of.drop(index=odd, errors="ignore") for year, of in whole.items()}
    residents = monotown_residents(places, panel, turn["residents_year"])
    dated = date_turns(volumes, turn)
    chance = chance_table(volumes, whole, stages, residents, turn, share, draws, seed)
    counts = stage_counts(dated, stages, residents)
    facts = turn_facts(volumes, dated, chance, counts, residents, odd, turn)
    tables = {"dated": dated, "chance": chance, "by_stage": counts}
    return chance_records(chance, draws, seed), facts, tables


def odd_regions(production, repairs, where) -> list[str]:
    """Regions whose index holds a jump that is no change of their industry.

    Raises
    ------
    InputError
        A repair (:func:`.panel.build.correct`, its ``code`` is the region) no longer finds its
        figure.
    """
    keys = {"index": ["region", "year"], "columns": "indicator", "values": "value"}
    wide = production.pivot(**keys).reset_index().rename(columns={"region": "code"})
    correct(wide, repairs, where)
    return sorted({repair["code"] for repair in repairs})


def log_volume(regions, chained_at, least_years) -> pd.DataFrame:
    """Log volume times 100, regions by years; regions with fewer years are left out."""
    wide = regions.pivot(index="region", columns="year", values=f"volume_{chained_at}")
    wide = wide.dropna(axis="columns", how="all")
    return 100 * np.log(wide[wide.notna().sum(axis=1) >= least_years])


def monotown_residents(places, panel, year) -> pd.Series:
    """Residents of the monotown entities of each region that has some, thousands."""
    main = places.loc[places["monotown"] == 1, "entity"]
    people = panel[(panel["year"] == year) & panel["entity"].isin(main)]
    return people.groupby("region")["population"].sum() / 1e3


def rules_of(turn):
    """Every rule of the grid: (rising years, threshold)."""
    return list(product(turn["grid_rising_years"], turn["grid_thresholds"]))


def date_turns(volumes: dict, turn) -> pd.DataFrame:
    """Stage, turn and fall of every region and year under every rule and both chains.

    Returns
    -------
    pandas.DataFrame
        ``chain``, ``k``, ``threshold``, ``region``, ``year``, ``log_volume`` (times 100),
        ``stage``, ``turned`` and ``fell`` (1 in the first rising or falling year of a turn or fall
        that lasts ``k`` years).
    """
    parts = []
    for (chain, levels), (k, threshold) in product(volumes.items(), rules_of(turn)):
        columns = {
            "log_volume": levels,
            "stage": pd.DataFrame(
                [stage_series(row, k, threshold, -np.inf)[0] for row in levels.to_numpy()],
                levels.index,
                levels.columns,
            ),
            "turned": first_years(levels, k, threshold).astype(int),
            "fell": first_years(levels, k, threshold, "fall").astype(int),
        }
        # Missing years have a row until the last step, so that the columns meet.
        long = pd.DataFrame({name: of.stack(future_stack=True) for name, of in columns.items()})
        long = long.dropna(subset=["log_volume"]).reset_index()
        parts.append(long.assign(chain=chain, k=k, threshold=threshold))
    order = ["chain", "k", "threshold", "region", "year", *columns]
    return pd.concat(parts, ignore_index=True)[order]


def chance_table(volumes, whole, stages, residents, turn, share, draws, seed) -> pd.DataFrame:
    """Turns and falls under each rule against permuted years, by number and by residents.

    Returns
    -------
    pandas.DataFrame
        :data:`BLOCK` (``begun``: any year or the recent ones), then the columns of
        :func:`.measures.stages.turn_grid`.
    """
    recent = tuple(turn["recent"])
    shares = {
        name: stages.pivot(index="region", columns="year", values=column)
        for name, column in (("adjusted", "share_adjusted"), ("published", "share"))
    }
    main = next(iter(volumes))
    blocks = [
        (VOLUME, chain, of, "together", begun)
        for begun in (None, recent)
        for chain, of in volumes.items()
    ]
    blocks += [(VOLUME, main, volumes[main], "apart", None)]
    blocks += [(EVERY, main, whole[main], "together", begun) for begun in (None, recent)]
    blocks += [(SHARE, name, of, "together", None) for name, of in shares.items()]
    found = []
    for measure, chain, levels, null, begun in blocks:
        rule, floor = (share, share["floor"]) if measure == SHARE else (turn, -np.inf)
        grid = turn_grid(
            levels,
            rule["grid_rising_years"],
            rule["grid_thresholds"],
            draws,
            seed,
            floor,
            NULLS[null],
            directions=("turn", "fall"),
            weights={REGIONS: pd.Series(1.0, levels.index), RESIDENTS: residents},
            window=begun,
        )
        name = ANY if begun is None else "{}-{}".format(*begun)
        found.append(grid.assign(measure=measure, chain=str(chain), null=null, begun=name))
    table = pd.concat(found, ignore_index=True)
    return table[[*BLOCK, *(c for c in table if c not in BLOCK)]]


def chance_records(chance, draws, seed) -> pd.DataFrame:
    """One specification a block of the table of chance: what turned less what chance gives.

    The estimate is a number of regions, or thousands of residents; the interval is the 90 per
    cent range of chance taken off the same way. The headline is the volume chained first, with one
    order of years, by number.
    """
    records, first = [], chance["chain"].iloc[0]
    number = chance[chance["weight"] == REGIONS].groupby(["measure", "chain"])["regions"].first()
    for key, part in chance.groupby(BLOCK, sort=False):
        of = dict(zip(BLOCK, key, strict=True))
        fit = Fit(
            beyond_chance(part),
            f"{of['direction']}s beyond chance",
            f"permutation of years, {of['null']}, {draws} draws",
            *[int(number[of["measure"], of["chain"]])] * 3,
        )
        main = (of["measure"], of["chain"], of["null"], of["weight"]) == (
            VOLUME,
            first,
            "together",
            REGIONS,
        )
        name = "_".join(of[c] for c in BLOCK).replace(" ", "_").replace(",", "").replace("-", "_")
        records.append(
            to_records(
                fit,
                specification=f"turns_chance_{name}",
                question="stages",
                group="headline" if main else "robustness",
                outcome=of["measure"],
                sample="regions",
                weights="none" if of["weight"] == REGIONS else of["weight"],
                seed=seed,
            )
        )
    return pd.concat(records)


def stage_counts(dated, stages, residents) -> pd.DataFrame:
    """Regions and residents of monotowns by stage and year, by volume and by share.

    Returns
    -------
    pandas.DataFrame
        ``measure``, ``chain``, ``k``, ``threshold``, ``year``, ``stage``, ``regions``,
        ``residents`` (thousands).
    """
    keys = ["measure", "chain", "k", "threshold", "year", "stage"]
    share = stages.assign(measure=SHARE, chain="adjusted", k=np.nan, threshold=np.nan)
    rows = pd.concat([dated.assign(measure=VOLUME, chain=dated["chain"].astype(str)), share])
    rows["residents"] = rows["region"].map(residents).fillna(0)
    of = rows.groupby(keys, dropna=False)
    return of.agg(regions=("region", "nunique"), residents=("residents", "sum")).reset_index()


def turn_facts(volumes, dated, chance, counts, residents, odd, turn) -> dict:
    """Facts of the dates, of chance, of the stages by volume and of recovery."""
    k, threshold = turn["rising_years"], turn["threshold"]
    if (k, threshold) not in rules_of(turn):
        raise DesignError(
            "config turns",
            "the rule is not in the grid",
            expected=rules_of(turn),
            found=(k, threshold),
        )
    main = next(iter(volumes))
    levels = volumes[main]
    last = levels.columns[-1]
    facts = {
        "turns.rising_years": [k, "count"],
        "turns.threshold": [threshold, "count"],
        "turns.first": [levels.columns[0], "year"],
        "turns.last": [last, "year"],
        "turns.regions": [len(levels), "count"],
        "turns.left_out": [len(odd), "count"],
        "turns.recent.first": [turn["recent"][0], "year"],
        "turns.recent.last": [turn["recent"][1], "year"],
        "turns.monotown_residents": [residents.reindex(levels.index).sum(), "count"],
    }
    facts |= chance_facts(chance, turn) | recovery_facts(levels, residents)
    own = dated[(dated["chain"] == main) & (dated["k"] == k) & (dated["threshold"] == threshold)]
    years = own[own["turned"] == 1]["year"].value_counts()
    facts["turns.busiest"] = [years.idxmax(), "year"]
    facts["turns.busiest.regions"] = [years.max(), "count"]
    of = counts[(counts["chain"] == str(main)) & (counts["k"] == k)]
    of = of[of["threshold"] == threshold].set_index(["year", "stage"])["regions"]
    for year, stage in product((*SHOWN, turn["recent"][1], last), STAGES[1:]):
        facts[f"turns.stage.{year}.{stage}"] = [of.get((year, stage), 0), "count"]
    return facts


def chance_facts(chance, turn) -> dict:
    """Turned or fell, expected, range and p of the study's rule; the range of p over the grid.

    ``turns.<direction>[.recent][.residents][.<chain>]``: of residents, per cent of all.
    """
    facts, first = {}, chance["chain"].iloc[0]
    of = chance[(chance["measure"] == VOLUME) & (chance["null"] == "together")]
    for (direction, begun, weight, chain), part in of.groupby(
        ["direction", "begun", "weight", "chain"]
    ):
        name = f"turns.{direction}"
        name += "" if begun == ANY else ".recent"
        name += "" if weight == REGIONS else ".residents"
        name += "" if chain == first else f".{chain}"
        rule = (part["k"] == turn["rising_years"]) & (part["threshold"] == turn["threshold"])
        row = part[rule].iloc[0]
        scale = 1.0 if weight == REGIONS else 100 / row["regions"]
        kind = "count" if weight == REGIONS else "share"
        facts[name] = [scale * row["turned"], kind]
        for column in ("expected", "low", "high"):
            facts[f"{name}.{column}"] = [scale * row[column], "share"]
        facts[f"{name}.p"] = [row["p_value"], "p"]
        facts[f"{name}.p.smallest"] = [part["p_value"].min(), "p"]
        facts[f"{name}.p.largest"] = [part["p_value"].max(), "p"]
    return facts


def recovery_facts(levels, residents) -> dict:
    """Regions whose last volume is above that of earlier years, and above the former peak."""
    last = levels.columns[-1]
    weight = residents.reindex(levels.index).fillna(0)
    above = {y: levels[last] > levels[y] for y in (*SHOWN, last - 2) if y in levels}
    above["peak"] = levels[last] > levels.loc[:, : last - 1].max(axis=1)
    facts = {}
    for name, of in above.items():
        facts[f"turns.recovered.{name}"] = [of.sum(), "count"]
        facts[f"turns.recovered.{name}.residents"] = [
            100 * weight[of].sum() / weight.sum(),
            "share",
        ]
    return facts
