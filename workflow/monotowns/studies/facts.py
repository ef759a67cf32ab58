"""Facts that the text prints beside estimates: name -> [value, kind] (see manuscript.written)."""

import json
import math
from pathlib import Path

from monotowns.manuscript.numbers import detectable


def save_facts(facts: dict, path) -> None:
    """Write facts as JSON, sorted; numpy numbers as plain ones."""
    plain = {k: [v if isinstance(v, str) else float(v), kind] for k, (v, kind) in facts.items()}
    plain |= {k: [str(v), kind] for k, (v, kind) in facts.items() if kind in ("year", "text")}
    text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
    Path(path).write_text(text, encoding="utf-8")


def panel_facts(panel, matched, coverage, measures=None, market_access=None) -> dict:
    """Facts of the panel.

    Parameters
    ----------
    panel, matched, coverage : pandas.DataFrame
        The panel, the match rates of the lists, residents against the published ones.
    measures, market_access : pandas.DataFrame, optional
        Spatial measures, and the outside market-access index that they are held to.

    Returns
    -------
    dict
        Name -> [value, kind].
    """
    last = panel["year"].max()
    treated = panel[panel["monotown"] == 1]
    spans = treated.groupby("entity")["year"].agg(["min", "max"])
    whole = coverage.dropna().groupby("year")[["panel", "published"]].sum()
    towns = treated.drop_duplicates("entity").filter(like="listed_").iloc[:, 0].sum()
    facts = {
        "panel.rows": [len(panel), "count"],
        "panel.entities": [panel["entity"].nunique(), "count"],
        "panel.per_year": [panel.groupby("year").size().mean(), "count"],
        "panel.monotowns": [treated["entity"].nunique(), "count"],
        "panel.listed_towns": [towns, "count"],
        "panel.around_2014": [((spans["min"] < 2014) & (spans["max"] >= 2014)).sum(), "count"],
        "panel.around_2020": [((spans["min"] < 2020) & (spans["max"] >= 2020)).sum(), "count"],
        "year.first": [panel["year"].min(), "year"],
        "year.last": [last, "year"],
    }
    if len(whole):
        share = 100 * (whole["panel"] / whole["published"]).mean()
        facts["panel.residents_share"] = [share, "share"]
    if measures is not None and market_access is not None:
        access = panel[panel["year"] == last].merge(market_access, on="territory_id")
        access = access.merge(measures, on=["entity", "year"])
        rank = access["log_mp_inverse"].corr(access["market_access"], method="spearman")
        facts["market_access.rank_correlation"] = [rank, "correlation"]
        facts["market_access.entities"] = [len(access), "count"]
    for row in matched.to_dict("records"):
        name = row.pop("list")
        facts |= {f"{name}.{k}": [v, "count"] for k, v in row.items() if v == v}
    return facts


def rouble_facts(records, panel) -> dict:
    """What log points are in roubles a month per resident of a monotown, in the last year's prices.

    Parameters
    ----------
    records, panel : pandas.DataFrame
    """
    last = panel["year"].max()
    rows = panel[(panel["year"] == last) & (panel["monotown"] == 1)]
    level = 1000 * rows["taxable"].sum() / rows["population"].sum() / 12
    facts = {"gap.level": [level, "count"]}
    shown = {
        "gap.main": ("gap_main", str(last)),
        "gap.balanced": ("gap_balanced", str(last)),
        "toser": ("toser_imputation", "att"),
    }
    for name, (specification, term) in shown.items():
        of = records[(records["specification"] == specification) & (records["term"] == term)]
        if len(of):
            estimate, error, clusters = of.iloc[0][["estimate", "standard_error", "n_clusters"]]
            least = detectable(error, clusters)
            # What the mean would have been without the change.
            facts[f"{name}.roubles"] = [level * (1 - math.exp(-estimate)), "count"]
            facts[f"{name}.roubles.mde"] = [level * least, "count"]
    return facts


def stage_facts(table, step, grid, rising_years, threshold) -> dict:
    """Facts of the stages of regional manufacturing.

    Parameters
    ----------
    table, step
        From :func:`monotowns.measures.stages.build_stages`.
    grid : pandas.DataFrame
        From :func:`monotowns.measures.stages.turn_grid`, with ``share`` and ``null``.
    rising_years, threshold
        The rule of the study.
    """
    main = grid[(grid["k"] == rising_years) & (grid["threshold"] == threshold)]
    main = main.set_index(["share", "null"])
    together = main.loc[("adjusted", "years in one order for all")]
    apart = main.loc[("adjusted", "each region apart")]
    published = main.loc[("published", "years in one order for all")]
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
        "stages.apart.p": [apart["p_value"], "p"],
        "stages.published.turned": [published["turned"], "count"],
        "stages.published.expected": [published["expected"], "share"],
        "stages.published.p": [published["p_value"], "p"],
        "stages.false_positive_rate": [100 * together["false_positive_rate"], "share"],
        "stages.grid.rules": [len(grid[["k", "threshold"]].drop_duplicates()), "count"],
        "stages.grid.p": [smallest["adjusted", "years in one order for all"], "p"],
        "stages.grid.apart.p": [smallest["adjusted", "each region apart"], "p"],
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


def toser_facts(rows, means, overlap, left_out, pretrends, fits) -> dict:
    """Facts of the TOSER checks (:mod:`monotowns.studies.toser`)."""
    ever = rows[rows["toser_cohort"] > 0]
    sizes = ever.groupby("toser_cohort")["entity"].nunique()
    gaps = overlap.set_index("column")["standardised_difference"]
    cohorts, regions = (left_out[left_out["by"] == by] for by in ("toser_cohort", "region"))
    lowest = cohorts.loc[cohorts["estimate"].idxmin()]
    facts = {
        "toser.treated": [ever["entity"].nunique(), "count"],
        "toser.never": [rows.loc[rows["toser_cohort"] == 0, "entity"].nunique(), "count"],
        "toser.cohorts": [", ".join(f"{n} in {int(year)}" for year, n in sizes.items()), "text"],
        "toser.pretrend.p": [pretrends["imputation"]["p_value"], "p"],
        "toser.pretrend.universal.p": [pretrends["universal"]["p_value"], "p"],
        "toser.pretrend.slope_50": [pretrends["imputation"]["slope_50"], "estimate"],
        "toser.pretrend.slope_80": [pretrends["imputation"]["slope_80"], "estimate"],
        "toser.left_out.which": [f"{lowest['left_out']:.0f}", "text"],
        "toser.left_out.lowest": [lowest["estimate"], "estimate"],
        "toser.left_out.low": [lowest["ci_low"], "estimate"],
        "toser.left_out.high": [lowest["ci_high"], "estimate"],
        "toser.left_region.lowest": [regions["estimate"].min(), "estimate"],
        "toser.left_region.highest": [regions["estimate"].max(), "estimate"],
        "toser.breakdown": [fits["toser_honest_relative"]["breakdown"]["estimate"], "ratio"],
        "toser.years": [f"{means['year'].min()}-{means['year'].max()}", "text"],
    }
    facts |= {f"toser.overlap.{column}": [gap, "ratio"] for column, gap in gaps.items()}
    return facts


def potential_facts(table) -> dict:
    """Facts of the development potential (:func:`monotowns.measures.potential.build_potential`)."""
    ranked = table[table["rank"].notna()]
    width = ranked["rank_high"] - ranked["rank_low"]
    top, bottom = ranked.iloc[:5]["name"], ranked.iloc[-5:]["name"]
    return {
        "potential.ranked": [len(ranked), "count"],
        "potential.listed": [len(table), "count"],
        "potential.band": [width.median(), "count"],
        "potential.top": [", ".join(top), "text"],
        "potential.bottom": [", ".join(bottom), "text"],
        "potential.never_top_half": [(ranked["rank_low"] > len(ranked) / 2).sum(), "count"],
        "potential.always_top_half": [(ranked["rank_high"] <= len(ranked) / 2).sum(), "count"],
    }
