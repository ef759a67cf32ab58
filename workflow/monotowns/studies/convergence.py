"""Do places grow together? Convergence of entities and regions, dispersion, towns by rank."""

import numpy as np
import pandas as pd

from monotowns.estimate.clubs import club_fits, find_clubs, hp_trend, log_t, merge_clubs
from monotowns.estimate.convergence import beta_convergence, sigma_convergence, theil
from monotowns.estimate.hierarchy import gibrat, rank_size
from monotowns.estimate.instrumental import iv
from monotowns.estimate.record import to_records

OUTCOME = "log_taxable_pc"


def study(panel, towns, tails, seed):
    """All of this module.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``region``, ``monotown``, ``population``, the outcome.
    towns : array_like
        Populations of the towns of one year.
    tails : sequence of int
        Least populations of a town in the rank-size rule.

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict
        ``inequality``, ``clubs`` and ``clubs_print``.
    """
    rows = complete(panel)
    table = inequality(rows)
    of_regions, clubs = region_clubs(region_paths(rows))
    fits = convergence_fits(rows) | of_regions
    fits |= {f"zipf_{least}": rank_size(towns, least) for least in tails}
    wide = rows.pivot(index="entity", columns="year", values="population")
    first, last = wide.columns[[0, -1]]
    fits["gibrat"] = gibrat(wide[first], wide[last], last - first)
    tables = {"inequality": table, "clubs": clubs, "clubs_print": clubs_to_print(clubs)}
    return records_of(fits, seed), facts_of(fits, table, clubs, tails), tables


def complete(panel) -> pd.DataFrame:
    """Rows of the entities that are observed in every year."""
    years = panel["year"].nunique()
    return panel[panel.groupby("entity")["year"].transform("size") == years]


def convergence_fits(rows) -> dict:
    """Beta and sigma convergence of log income.

    Returns
    -------
    dict
        Name -> Fit: beta ``absolute``, ``conditional`` (region effects), ``monotowns`` and
        ``others`` (region effects), ``difference`` (term ``initial_monotown``: how much the slope
        of monotowns differs), ``instrumented`` (initial income of the second year by that of the
        first, region effects: a passing shock or an error of one year makes any series revert);
        ``sigma`` and ``sigma_monotowns``.
    """
    known = rows.dropna(subset=["monotown"])
    mono = known[known["monotown"] == 1]
    both = known.assign(initial_monotown=known[OUTCOME] * known["monotown"])
    region = {"fixed_effects": ["region"]}
    differ = ["monotown", "initial_monotown"]
    return {
        "beta_absolute": beta_convergence(rows, OUTCOME),
        "beta_conditional": beta_convergence(rows, OUTCOME, **region),
        "beta_monotowns": beta_convergence(mono, OUTCOME, **region),
        "beta_others": beta_convergence(known[known["monotown"] == 0], OUTCOME, **region),
        "beta_difference": beta_convergence(both, OUTCOME, differ, **region),
        "beta_instrumented": _instrumented(rows),
        "sigma": sigma_convergence(rows, OUTCOME),
        "sigma_monotowns": sigma_convergence(mono, OUTCOME),
    }


def _instrumented(rows):
    wide = rows.pivot(index=["entity", "region"], columns="year", values=OUTCOME)
    first, second, last = wide.columns[[0, 1, -1]]
    columns = {
        "earlier": wide[first],
        "initial": wide[second],
        "growth": (wide[last] - wide[second]) / (last - second),
    }
    return iv(pd.DataFrame(columns).reset_index(), "growth", "initial", ["earlier"], (), ["region"])


def inequality(rows) -> pd.DataFrame:
    """Theil's index of income per resident, weighted by residents, by year.

    Returns
    -------
    pandas.DataFrame
        ``year``, ``total``, ``between`` and ``within`` regions, ``share_between`` (per cent).
    """
    found = {
        year: theil(np.exp(part[OUTCOME]), part["population"], part["region"])
        for year, part in rows.groupby("year")
    }
    table = pd.DataFrame(found).T.rename_axis("year").reset_index()
    return table.assign(share_between=100 * table["between"] / table["total"])


def region_paths(rows) -> pd.DataFrame:
    """Log real income per resident of regions from their entities; regions by years."""
    real = rows.assign(income=np.exp(rows[OUTCOME]) * rows["population"])
    sums = real.groupby(["region", "year"])[["income", "population"]].sum()
    return np.log(sums["income"] / sums["population"]).unstack()


def region_clubs(paths):
    """Log t test of all regions and the convergence clubs among them.

    Regions and not entities: with ten years a path is little more than its trend, a dividend or a
    sale in one year of one town bends it, and sorting thousands of bent paths would sort the
    bends.

    Parameters
    ----------
    paths : pandas.DataFrame
        From :func:`region_paths`.

    Returns
    -------
    fits : dict
        ``logt`` (all regions) and ``clubs`` (within each) -> Fit.
    table : pandas.DataFrame
        ``region``, ``club`` (0: in none), log income of the first and the last year.
    """
    trend = hp_trend(paths)
    club = merge_clubs(trend, find_clubs(trend))
    fits = {"logt": log_t(trend)}
    if club.max() > 0:
        fits["clubs"] = club_fits(trend, club)
    columns = {"club": club, "first": paths.iloc[:, 0], "last": paths.iloc[:, -1]}
    table = pd.DataFrame(columns).reset_index(names="region")
    return fits, table.sort_values(["club", "region"], ignore_index=True)


def clubs_to_print(table) -> pd.DataFrame:
    """One row a club: regions, mean income of the first and last year, thousand roubles a year."""
    rows = []
    for club, part in table.groupby("club"):
        incomes = (f"{np.exp(part[c]).mean() / 1000:.0f}" for c in ("first", "last"))
        rows.append([str(club) if club else "none", len(part), *incomes, ", ".join(part["region"])])
    return pd.DataFrame(rows, columns=["club", "regions", "first", "last", "members"])


def records_of(fits, seed) -> pd.DataFrame:
    """Result records of the fits, with their place in the study.

    Terms that do not exist (a half-life under divergence) are left out, unbounded ends of an
    interval are missing.
    """
    about = {
        "gibrat": ("growth of population", "entities with every year"),
        "zipf": ("log rank of population", "towns of 2020"),
        "logt": (OUTCOME, "regions"),
        "clubs": (OUTCOME, "regions"),
        "beta": (f"growth of {OUTCOME}", "entities with every year"),
        "sigma": (f"dispersion of {OUTCOME}", "entities with every year"),
    }
    records = []
    for name, fit in fits.items():
        outcome, sample = about[name.split("_")[0]]
        headline = name in ("beta_absolute", "beta_conditional")
        records.append(
            to_records(
                fit,
                specification=f"spatial_{name}",
                question="spatial",
                group="headline" if headline else "robustness",
                outcome=outcome,
                sample=sample,
                weights="none",
                seed=seed,
            )
        )
    whole = pd.concat(records, ignore_index=True)
    whole = whole[np.isfinite(whole["estimate"])]
    return whole.replace([np.inf, -np.inf], np.nan)


def facts_of(fits, inequality, clubs, tails) -> dict:
    """Facts of the fits and tables of this module."""
    facts = {
        "spatial.logt.t": [fits["logt"].details["t"][0], "ratio"],
        "spatial.clubs": [clubs["club"].max(), "count"],
        "spatial.regions": [len(clubs), "count"],
        "spatial.no_club": [(clubs["club"] == 0).sum(), "count"],
        "spatial.complete": [fits["beta_absolute"].n_entities, "count"],
        "spatial.doubling": [np.log(2) * fits["gibrat"]["mean"]["estimate"], "percent"],
        "spatial.tail.long": [min(tails), "count"],
        "spatial.tail.short": [max(tails), "count"],
    }
    for name, row in (("first", inequality.iloc[0]), ("last", inequality.iloc[-1])):
        for part in ("total", "between", "within"):
            facts[f"spatial.theil.{part}.{name}"] = [row[part], "estimate"]
        facts[f"spatial.theil.share_between.{name}"] = [row["share_between"], "share"]
    for name in ("absolute", "conditional", "monotowns", "others"):
        for term, factor, kind in (("speed", 100, "ratio"), ("half_life", 1, "count")):
            row = fits[f"beta_{name}"][term]
            for end, column in (("", "estimate"), (".low", "ci_low"), (".high", "ci_high")):
                if np.isfinite(row[column]):
                    facts[f"spatial.{term}.{name}{end}"] = [factor * row[column], kind]
    return facts
