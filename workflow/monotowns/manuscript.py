"""The numbers that the manuscript may print, formatted in one place."""

import numpy as np

#: Multiplier of the standard error: 80 % power in a two-sided test of 5 % (Bloom 1995).
MDE_FACTOR = 2.8016


def percent(log_points: float) -> str:
    """Log points as a signed percentage change with one decimal and a true minus."""
    return f"{100 * np.expm1(log_points):+.1f}".replace("-", "−")


def number(value: float, digits: int = 3) -> str:
    """A number with a fixed number of decimals and a true minus."""
    return f"{value:,.{digits}f}".replace("-", "−")


def numbers_of(records, panel, measures, matched, coverage, market_access) -> dict[str, str]:
    """Every number that the manuscript prints, by name.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records.
    panel, measures, matched, coverage, market_access : pandas.DataFrame
        The panel, its spatial measures, the counts of located towns, residents against the
        published ones, and the outside market-access index.

    Returns
    -------
    dict
        Names ``<specification>.<term>.<what>`` and descriptive names; values as printed.
    """
    found = {}
    for row in records.itertuples(index=False):
        key = f"{row.specification}.{row.term}"
        found[f"{key}.estimate"] = number(row.estimate)
        found[f"{row.specification}.n"] = number(row.n_obs, 0)
        found[f"{row.specification}.entities"] = number(row.n_entities, 0)
        found[f"{row.specification}.clusters"] = number(row.n_clusters, 0)
        if np.isnan(row.standard_error):
            continue
        found[f"{key}.se"] = number(row.standard_error)
        found[f"{key}.low"] = number(row.ci_low)
        found[f"{key}.high"] = number(row.ci_high)
        found[f"{key}.p"] = "< 0.001" if row.p_value < 0.001 else f"= {number(row.p_value)}"
        found[f"{key}.percent"] = percent(row.estimate)
        found[f"{key}.mde"] = number(MDE_FACTOR * row.standard_error)
    for row in matched.itertuples(index=False):
        found[f"{row.list}.rows"] = number(row.rows, 0)
        found[f"{row.list}.located"] = number(row.located, 0)
    return found | _panel_numbers(panel, measures, coverage, market_access)


def _panel_numbers(panel, measures, coverage, market_access):
    last = panel["year"].max()
    treated = panel[panel["monotown"] == 1]
    spans = treated.groupby("entity")["year"].agg(["min", "max"])
    access = panel[panel["year"] == last].merge(market_access, on="territory_id")
    access = access.merge(measures, on=["entity", "year"])
    rank = access["log_mp_inverse"].corr(access["market_access"], method="spearman")
    whole = coverage.dropna().groupby("year")[["panel", "published"]].sum()
    return {
        "panel.rows": number(len(panel), 0),
        "panel.entities": number(panel["entity"].nunique(), 0),
        "panel.per_year": number(panel.groupby("year").size().mean(), 0),
        "panel.monotowns": number(treated["entity"].nunique(), 0),
        "panel.listed_towns": number(
            panel.drop_duplicates("entity").query("monotown == 1")["listed_2014"].sum(), 0
        ),
        "panel.around_2014": number(((spans["min"] < 2014) & (spans["max"] > 2014)).sum(), 0),
        "panel.around_2020": number(((spans["min"] < 2020) & (spans["max"] >= 2020)).sum(), 0),
        "panel.residents_share": number(100 * (whole["panel"] / whole["published"]).mean(), 1),
        "market_access.rank_correlation": number(rank, 2),
        "market_access.entities": number(len(access), 0),
        "year.first": str(panel["year"].min()),
        "year.last": str(last),
    }
