"""Facts that the text prints beside estimates: name -> [value, kind] (see manuscript.written)."""

import json
import math
from pathlib import Path

from monotowns.manuscript.numbers import detectable


def save_facts(facts: dict, path) -> None:
    """Write facts as JSON, sorted; numpy numbers as plain ones."""
    plain = {}
    for name, (value, kind) in facts.items():
        plain[name] = [str(value) if kind in ("year", "text") else float(value), kind]
    text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
    Path(path).write_text(text, encoding="utf-8")


def panel_facts(panel, matched, coverage, measures=None, market_access=None) -> dict:
    """Facts of the panel.

    Parameters
    ----------
    panel, matched, coverage : pandas.DataFrame
        The panel, the match rates of the lists, residents against the published ones.
    measures, market_access : pandas.DataFrame, optional
        Spatial measures, and the outside market-access index that they are compared with.
    """
    last = panel["year"].max()
    treated = panel[panel["monotown"] == 1]
    spans = treated.groupby("entity")["year"].agg(["min", "max"])
    whole = coverage.dropna().groupby("year")[["panel", "published"]].sum()
    towns = treated.drop_duplicates("entity").filter(like="listed_").iloc[:, 0].sum()

    def around(year):
        return ((spans["min"] < year) & (spans["max"] >= year)).sum()

    counts = {
        "panel.rows": len(panel),
        "panel.entities": panel["entity"].nunique(),
        "panel.per_year": panel.groupby("year").size().mean(),
        "panel.monotowns": treated["entity"].nunique(),
        "panel.listed_towns": towns,
        "panel.around_2014": around(2014),
        "panel.around_2020": around(2020),
    }
    for row in matched.to_dict("records"):
        name = row.pop("list")
        counts |= {f"{name}.{k}": v for k, v in row.items() if v == v}
    facts = {"year.first": [panel["year"].min(), "year"], "year.last": [last, "year"]}
    if len(whole):
        share = 100 * (whole["panel"] / whole["published"]).mean()
        facts["panel.residents_share"] = [share, "share"]
    if measures is not None and market_access is not None:
        access = panel[panel["year"] == last].merge(market_access, on="territory_id")
        access = access.merge(measures, on=["entity", "year"])
        rank = access["log_mp_inverse"].corr(access["market_access"], method="spearman")
        facts["market_access.rank_correlation"] = [rank, "correlation"]
        counts["market_access.entities"] = len(access)
    return facts | {name: [count, "count"] for name, count in counts.items()}


def rouble_facts(records, panel) -> dict:
    """Convert log points to roubles a month per resident of a monotown, in last year's prices."""
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
            # What the mean would have been without the change.
            facts[f"{name}.roubles"] = [level * (1 - math.exp(-estimate)), "count"]
            facts[f"{name}.roubles.mde"] = [level * detectable(error, clusters), "count"]
    return facts
