"""Does the index of 2016 order what happened from 2017 on? It never predicts its own inputs."""

import numpy as np
import pandas as pd
from scipy import stats

from monotowns.estimate.record import Fit, to_records
from monotowns.measures.composite import index
from monotowns.measures.potential import (
    DIMENSIONS,
    DIRECTIONS,
    INCOME,
    INDICATORS,
    RESIDENTS,
    Measured,
    build_potential,
    indicators,
)
from monotowns.run.errors import DesignError

OUTCOMES = {
    "log_taxable_pc": Measured(INCOME, 2017, 2021),
    "log_population": Measured(RESIDENTS, 2017, 2021),
}


#: Outcomes of the years 2023 and 2024: no indicator shares their sources.
LATER = ("growth_wage_all", "growth_consumption")


def study(panel, measures, manufacturing, draws, seed, later=None):
    """Index and rank band of every monotown, validated on what happened later.

    Parameters
    ----------
    panel, measures, manufacturing : pandas.DataFrame
        See :func:`monotowns.measures.potential.build_potential`.
    draws : dict
        ``ranks`` of the rank bands, ``permutation`` of the validation's bootstrap.
    seed : int
    later : pandas.DataFrame, optional
        ``entity`` and the growth of :data:`LATER`, where there is such a layer.

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict of pandas.DataFrame
        ``potential``.
    """
    table = build_potential(panel, measures, manufacturing, draws["ranks"], seed)
    fits = validation(panel, measures, manufacturing, draws["permutation"], seed, later)
    records = [
        to_records(
            fit,
            specification=f"potential_{outcome}_{version}",
            question="potential",
            group="headline" if version == "independent" else "robustness",
            outcome=outcome if outcome in LATER else f"growth of {outcome}",
            sample="monotowns with every indicator",
            weights="none",
            seed=seed,
        )
        for (outcome, version), fit in fits.items()
    ]
    return pd.concat(records), potential_facts(table), {"potential": table}


def independent_indicators(measured: dict, outcome: Measured) -> list[str]:
    """The indicators that share no source with an outcome: no index is tested on its own inputs.

    A year apart is not enough where the source is shared: an error or a passing shock in the last
    indicator year that has not died out by the base year raises the index and lowers the growth
    that follows (mean reversion). Such indicators are left out of the strict test; one that
    looks at the outcome's base year or later is refused.
    """
    late = [name for name, of in measured.items() if of.last_year >= outcome.first_year]
    if late:
        raise DesignError(
            "development potential",
            "an indicator overlaps with the outcome",
            keys=late,
            expected=f"measured before {outcome.first_year}",
        )
    return [name for name, of in measured.items() if not of.sources & outcome.sources]


def growth(panel: pd.DataFrame, column: str) -> pd.Series:
    """Change of a logged outcome over the years of :data:`OUTCOMES`, indexed by ``entity``."""
    of = OUTCOMES[column]
    wide = panel.pivot(index="entity", columns="year", values=column)
    return (wide[of.last_year] - wide[of.first_year]).dropna()


def validate(score, outcome, region, draws, seed) -> Fit:
    """Rank correlation of an index with what happened later.

    Regions are drawn whole, with replacement; the interval is the percentiles', the p-value inverts
    it. Units with an index and an outcome enter.
    """
    frame = pd.DataFrame({"score": score, "outcome": outcome}).dropna()
    cluster, names = pd.factorize(region[frame.index])
    if len(frame) < 4 or len(names) < 2 or frame.nunique().min() < 2:
        raise DesignError(
            "validation",
            "too few units or clusters, or no variation",
            found=f"{len(frame)} units, {len(names)} clusters",
        )
    x, y = frame.to_numpy().T
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(cluster == c) for c in range(len(names))]
    drawn = np.empty(draws)
    for b in range(draws):
        rows = np.concatenate([members[c] for c in rng.integers(len(names), size=len(names))])
        drawn[b] = spearman(x[rows], y[rows])
    # A draw of clusters within which one side is constant has no correlation.
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    terms = pd.DataFrame(
        {
            "term": ["spearman"],
            "estimate": [spearman(x, y)],
            "standard_error": [drawn.std(ddof=1)],
            "ci_low": [low],
            "ci_high": [high],
            "p_value": [min(1.0, 2 * (1 + tail) / (1 + len(drawn)))],
        }
    )
    variance = f"cluster bootstrap (region), {draws} draws, percentile"
    return Fit(terms, "rank correlation", variance, len(frame), len(frame), len(names))


def spearman(x, y) -> float:
    """Rank correlation; scipy's own takes twice as long, for a p-value that no draw needs."""
    with np.errstate(invalid="ignore"):
        return np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1]


def validation(panel, measures, manufacturing, draws, seed, later=None) -> dict:
    """Validate the index on every outcome, with all indicators and with independent ones only.

    Both versions use the same units: those with every indicator. Keys are the outcome and
    ``all`` or ``independent``; all indicators are independent of the outcomes of ``later``, of
    which ``within`` has the deviations from the means of the region.
    """
    table = indicators(panel, measures, manufacturing).dropna()
    region = panel.drop_duplicates("entity").set_index("entity")["region"]
    fits = {}
    for outcome, of in OUTCOMES.items():
        apart = independent_indicators(INDICATORS, of)
        for version, names in (("all", list(INDICATORS)), ("independent", apart)):
            score = index(table[names], DIMENSIONS, DIRECTIONS)["index"]
            fits[outcome, version] = validate(score, growth(panel, outcome), region, draws, seed)
    if later is not None:
        score = index(table, DIMENSIONS, DIRECTIONS)["index"]
        for outcome in LATER:
            found = later.set_index("entity")[outcome].dropna()
            fits[outcome, "independent"] = validate(score, found, region, draws, seed)
            # What is left when towns of one region alone are compared.
            both = pd.DataFrame({"score": score, "outcome": found}).dropna()
            inside = both - both.groupby(region).transform("mean")
            shared = both.groupby(region)["score"].transform("size") > 1
            columns = (inside.loc[shared, column] for column in inside)
            fits[outcome, "within"] = validate(*columns, region, draws, seed)
    return fits


def potential_facts(table) -> dict:
    """Facts of the ranked monotowns."""
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
