"""The status of territory of advanced development in the other outcomes and layers of data.

Municipalities: total income, residents, transfers. Cities: workers, wage, shipments, investment of
the few that got the status. Quarters of 2023-2024: growth of wages and spending, a comparison and
no effect, since the status is older than the layer. Spillovers within one kind of place.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from monotowns.estimate import staggered
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.record import TERMS, Fit, to_records
from monotowns.estimate.regression import least_squares
from monotowns.estimate.spillover import rings
from monotowns.estimate.synthetic import synthetic_did
from monotowns.studies.cohorts import (
    IMPUTED,
    LEAST,
    PATH,
    SYNTHETIC,
    TABLE,
    by_cohort,
    cohorts_of,
    of_cohorts,
    passing,
    permuted,
)
from monotowns.studies.toser import (
    COHORT,
    away_from_unknown,
    cohort_fits,
    listed,
    moved_back,
    pool_facts,
)

#: Outcomes of the municipalities beside income from work and business, and of the cities.
MUNICIPAL = ("log_total_pc", "log_population", "transfer_share")
CITIES = ("log_workers", "log_wage", "log_shipments", "log_investment")
#: Growth from 2023 to 2024: of the wage, that of manufacturing, and of spending.
MONTHS = ("wage_all", "wage_C", "consumption")
#: Years by which the status of cities is dated too early to look at their paths before it.
EARLIER = 3


class Part(NamedTuple):
    """Results of one layer."""

    fits: dict
    facts: dict
    table: pd.DataFrame


def municipalities(rows, barred, settings, draws, seed) -> Part:
    """Effects by cohort on the further outcomes; ``rows`` are dated monotowns.

    ``barred`` are the cohorts that fail for income: they are pooled for no other outcome.
    """
    fits, facts, tables = {}, {}, []
    for outcome in MUNICIPAL:
        rule = (settings, draws, seed)
        found = by_cohort(
            rows, outcome, COHORT, "category", *rule, layer="municipalities", barred=barred
        )
        fits |= {name: (outcome, fit) for name, fit in cohort_fits(found, outcome).items()}
        facts |= pool_facts(found, outcome)
        tables.append(found.table)
    return Part(fits, facts, pd.concat(tables))


def eligible_cities(cities, places, years) -> pd.DataFrame:
    """Rows of dated cities with the status and of cities that are no capital of a region.

    Parameters
    ----------
    cities, places : pandas.DataFrame
        The layer, and what its entities are; cities with an undated status or a listed town below
        the definition are neither treated nor controls.
    years : sequence of int
        First and last year.

    Returns
    -------
    pandas.DataFrame
        ``entity`` is the city; ``toser_cohort`` is 0 where the status came after the last year.
    """
    cohort = places["toser"].fillna(0).where(places["toser"] != 0)
    cohort = cohort.mask(cohort > years[1], 0).where(places["monotown"].notna())
    of = places[["entity", "region", "capital"]].assign(**{COHORT: cohort})
    rows = cities.merge(of, on="entity").drop(columns="entity").rename(columns={"city": "entity"})
    kept = rows[COHORT].notna() & rows["year"].between(*years) & (rows["capital"] == 0)
    return rows[kept].assign(all=1)


def complete(rows, outcome) -> pd.DataFrame:
    """Rows of entities seen with the outcome in every year in which anybody is."""
    known = rows.dropna(subset=[outcome])
    seen = known.groupby("entity")["year"].transform("size")
    return known[seen == known["year"].nunique()]


def few_treated(rows, outcome, barred, settings, draws, seed):
    """Effects on cohorts of a few entities: errors and tests by permutation.

    A joint test of events has no meaning with two or three entities a cohort. The path before the
    status is tested by dates some years too early, the effect that cannot be against the same under
    adoption permuted.

    Returns
    -------
    fits : dict
        Method -> Fit with terms ``cohort g`` and ``pooled``.
    pool, apart : list
        Cohorts of at least two entities that pass, and the others.
    table : pandas.DataFrame
    """
    sizes = cohorts_of(rows, COHORT)
    early = {}
    for g in sizes.index:
        before = moved_back(of_cohorts(rows, COHORT, [g]), COHORT, EARLIER)
        early[g] = permuted(before, outcome, COHORT, "all", draws, seed)
    good = passing({g: test.p_value for g, test in early.items()}, settings["pass"])
    pool = [g for g in good if sizes[g] >= LEAST and g not in barred]
    groups = {f"cohort {g}": [g] for g in sizes.index} | ({"pooled": pool} if pool else {})
    lines, terms, used = [], {IMPUTED: [], SYNTHETIC: []}, {}
    for name, group in groups.items():
        part = of_cohorts(rows, COHORT, group)
        chance = permuted(part, outcome, COHORT, "all", draws, seed).p_value
        imputed = staggered.imputation(part, outcome, COHORT)
        synthetic = synthetic_did(
            part,
            outcome,
            COHORT,
            placebos=0 if name == "pooled" else settings["placebos"],
            seed=seed,
        )
        error, far = synthetic.details["placebo"].get(group[0], (np.nan, np.nan))
        for method, fit, p in ((IMPUTED, imputed, chance), (SYNTHETIC, synthetic, far)):
            term = fit.terms[:1].assign(term=name)
            if method == SYNTHETIC and np.isfinite(error):
                # The placebo error is what is left where the jackknife has no spread.
                term = term.assign(standard_error=error, ci_low=np.nan, ci_high=np.nan, p_value=p)
            terms[method].append(term)
            used[method] = fit
            lines.append(
                term.assign(
                    cohort=name.removeprefix("cohort "),
                    method=method,
                    entities=sizes[group].sum(),
                    controls=fit.n_entities - sum(fit.details["cohorts"].values()),
                    path_p=early[group[0]].p_value if name != "pooled" else np.nan,
                    passes=int(name == "pooled" or group[0] in good),
                    permutation_p=p,
                    detectable=minimum_detectable_effect(
                        term["standard_error"].iloc[0], df=fit.n_clusters - 1
                    ),
                )
            )
    counts = (len(rows), rows["entity"].nunique(), rows["entity"].nunique())
    fits = {
        method: Fit(
            pd.concat(parts, ignore_index=True)[TERMS],
            used[method].estimator,
            used[method].variance.split(";")[0],
            *counts,
        )
        for method, parts in terms.items()
    }
    table = pd.concat(lines).assign(layer="cities", outcome=outcome).reindex(columns=TABLE)
    return fits, pool, [g for g in sizes.index if g not in pool], table


def cities(rows, barred, settings, draws, seed) -> Part:
    """Effects on the cities with the status, one outcome after the other."""
    fits, facts, tables = {}, {}, []
    for outcome in CITIES:
        part = complete(rows, outcome)
        found, pool, apart, table = few_treated(part, outcome, barred, settings, draws, seed)
        fits[f"toser_cities_{outcome}"] = (outcome, found[IMPUTED])
        fits[f"toser_cities_synthetic_{outcome}"] = (outcome, found[SYNTHETIC])
        facts[f"toser.cities.pool.{outcome}"] = [listed(pool), "text"]
        facts[f"toser.cities.apart.{outcome}"] = [listed(apart), "text"]
        facts[f"toser.cities.controls.{outcome}"] = [table["controls"].max(), "count"]
        tables.append(table)
    facts["toser.cities.treated"] = [cohorts_of(rows, COHORT).sum(), "count"]
    return Part(fits, facts, pd.concat(tables))


def months(growth, towns, jump) -> Part:
    """Growth 2023-2024 of towns with the status against those without, category held.

    Parameters
    ----------
    growth : pandas.DataFrame
        ``entity`` and ``growth_<outcome>``, log points.
    towns : pandas.DataFrame
        Dated monotowns, one row each: ``entity``, ``region``, ``category``, ``toser_cohort``.
    jump : float
        Growth beyond which an entity is left out of the steady comparison, log points.
    """
    fits, facts, lines = {}, {}, []
    rows = towns.dropna(subset=["category"]).assign(status=lambda t: (t[COHORT] > 0).astype(float))
    of = growth.set_index("entity")
    for outcome in MONTHS:
        all_of = rows.assign(growth=rows["entity"].map(of[f"growth_{outcome}"]))
        all_of = all_of.dropna(subset=["growth"])
        steady = all_of[all_of["growth"].abs() <= jump]
        facts[f"toser.months.jumps.{outcome}"] = [len(all_of) - len(steady), "count"]
        for name, part in (("", all_of), ("steady_", steady)):
            fit = least_squares(part, "growth", ["status"], ["category"], "region")
            fits[f"toser_months_{name}{outcome}"] = (outcome, fit)
            treated = int(part["status"].sum())
            lines.append(
                fit.terms[:1].assign(
                    outcome=outcome,
                    cohort="all",
                    method="least squares" if not name else "least squares, no jumps",
                    entities=treated,
                    controls=len(part) - treated,
                    passes=0,
                    detectable=minimum_detectable_effect(
                        fit["status"]["standard_error"], df=fit.n_clusters - 1
                    ),
                )
            )
    return Part(fits, facts, pd.concat(lines).assign(layer="months").reindex(columns=TABLE))


def spillovers(frame, urban, rings_km) -> Part:
    """Rings among urban okrugs and among the rest: what the mean over all kinds of places mixes.

    Among all entities the effect on the treated holds towns against the countryside, whose incomes
    caught up; within one kind of place that trend is gone.

    Parameters
    ----------
    frame : pandas.DataFrame
        All entities and years, ``toser_cohort`` missing where the date is not known.
    urban : pandas.Series
        Entity -> 1 for an urban okrug, 0 for a district.
    rings_km : sequence of float
    """
    apart = away_from_unknown(frame, frame[frame[COHORT].notna()], COHORT, rings_km[-1])
    kind = apart["entity"].map(urban)
    samples = {"urban": kind == 1, "rural": (kind == 0) | (apart[COHORT] > 0)}
    fits, facts = {}, {}
    for name, chosen in samples.items():
        fit = rings(apart[chosen], "log_taxable_pc", COHORT, "region", rings_km)
        fits[f"toser_spillover_{name}"] = ("log_taxable_pc", fit)
        facts[f"toser.spillover.{name}"] = [fit["att"]["estimate"], "estimate"]
    return Part(fits, facts, pd.DataFrame(columns=TABLE))


def family(table, method=PATH) -> pd.Series:
    """Holm's p-values of the pooled effects of one method, by outcome."""
    rows = table[(table["cohort"] == "pooled") & (table["method"] == method)]
    return pd.Series(multipletests(rows["p_value"], method="holm")[1], rows["outcome"])


def detectable(table, published) -> pd.DataFrame:
    """Detectable effects of the pooled estimates beside published effects on like outcomes.

    Returns
    -------
    pandas.DataFrame
        ``layer``, ``outcome``, ``method``, ``estimate``, ``detectable`` and the columns of the
        published effects, ``outcome`` of which is ``published_outcome``; once without a study where
        none is published.
    """
    ours = table.loc[
        table["cohort"].isin(["pooled", "all"]),
        ["layer", "outcome", "method", "estimate", "detectable"],
    ]
    other = published.rename(
        columns={"outcome": "published_outcome", "effect": "published", "beside": "outcome"}
    )
    return ours.merge(other, on="outcome", how="left")


def study(frame, places, large, growth, municipal, settings, draws, seed, rings_km):
    """Estimate the status in every layer.

    Parameters
    ----------
    frame : pandas.DataFrame
        The municipal panel with ``toser_cohort``.
    places, large, growth : pandas.DataFrame
        What entities are; the layer of cities; growth 2023-2024 of the layer of quarters.
    municipal : pandas.DataFrame
        Table of income by cohort, see :func:`.toser.study`.
    settings : dict
        As in the configuration under ``toser``.
    draws, seed : int
        Permutations of adoption.

    Returns
    -------
    records, table : pandas.DataFrame
    facts : dict
    """
    rows = frame[frame[COHORT].notna() & (frame["monotown"] == 1)]
    urban = places.set_index("entity").filter(like="urban_").iloc[:, 0]
    barred = set(municipal.loc[municipal["passes"] == 0, "cohort"].astype(int))
    town_cities = eligible_cities(large, places, settings["cities"])
    parts = {
        "monotowns": municipalities(rows, barred, settings, draws, seed),
        "cities that are no capital": cities(town_cities, barred, settings, draws, seed),
        "monotowns 2023-2024": months(growth, rows.drop_duplicates("entity"), settings["jump"]),
        "entities of one kind": spillovers(frame, urban, rings_km),
    }
    records = [
        to_records(
            fit,
            specification=name,
            question="toser",
            group="robustness" if sample == "monotowns" else "exploratory",
            outcome=outcome,
            weights="none",
            seed=seed,
            sample=sample,
        )
        for sample, part in parts.items()
        for name, (outcome, fit) in part.fits.items()
    ]
    table = pd.concat([municipal, *(part.table for part in parts.values() if len(part.table))])
    held = family(table[table["layer"] == "municipalities"])
    facts = {name: fact for part in parts.values() for name, fact in part.facts.items()}
    facts |= {f"toser.holm.{outcome}": [p, "p"] for outcome, p in held.items()}
    quarterly = table[(table["layer"] == "months") & (table["method"] == "least squares")]
    of_months = multipletests(quarterly["p_value"], method="holm")[1]
    facts |= {
        f"toser.months.holm.{outcome}": [p, "p"]
        for outcome, p in zip(quarterly["outcome"], of_months, strict=True)
    }
    return pd.concat(records), facts, table.reset_index(drop=True)
