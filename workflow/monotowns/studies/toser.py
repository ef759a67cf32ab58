"""The status of territory of advanced development by cohort, in the panel of municipalities.

Effects on each cohort beside its path before the status; over the cohorts that pass, sensitivity to
differing trends, randomization, placebo dates, groups; spillovers onto neighbours.
"""

import numpy as np
import pandas as pd

from monotowns.estimate import staggered
from monotowns.estimate.events import pretrend_test
from monotowns.estimate.honest import honest
from monotowns.estimate.power import detectable_slope
from monotowns.estimate.record import Fit, terms_by_chance, to_records
from monotowns.estimate.spillover import rings
from monotowns.measures.agglomeration import great_circle_km
from monotowns.run.errors import DesignError
from monotowns.studies.cohorts import (
    LEAST,
    PATH,
    PLAIN,
    ByCohort,
    by_cohort,
    cohorts_of,
    of_cohorts,
    permuted,
)

OUTCOME, COHORT = "log_taxable_pc", "toser_cohort"

#: The last year in which nobody knew of the status.
BEFORE = 2013

#: What is compared between those who got the status and those who did not.
COMPARED = [
    OUTCOME,
    "log_population",
    "transfer_share",
    "category",
    "log_mp_inverse",
    "manufacturing_base",
]

#: What is no robustness check of the headline.
GROUPS = {
    f"toser_cohort_{OUTCOME}": "headline",
    "toser_spillover": "exploratory",
    "toser_categories": "exploratory",
    "toser_placebo": "placebo",
}


def study(frame, settings, draws, seed, rings_km):
    """Estimate everything about the status beyond single specifications.

    Parameters
    ----------
    frame : pandas.DataFrame
        The panel with measures and exposure, and ``toser_cohort`` (0 = never, missing = undated).
    settings : dict
        The rule of pooling, see :func:`.cohorts.by_cohort`, ``placebos``, and ``jumps`` (entities
        that a check leaves out, as another leaves out passing spikes).
    draws : dict
        ``permutation`` and ``cohorts``: draws of adoption years.
    rings_km : sequence of float
        Bounds of the rings of spillovers, from 0 on.

    Returns
    -------
    records : pandas.DataFrame
    facts : dict, name -> [value, kind]
    tables : dict of pandas.DataFrame
        ``cohorts``, ``means``, ``overlap``, ``left_out``.
    """
    dated = frame[frame[COHORT].notna()]
    rows = dated[dated["monotown"] == 1]
    rule = (settings, draws["cohorts"], seed)
    main = by_cohort(
        rows,
        OUTCOME,
        COHORT,
        "category",
        *rule,
        layer="municipalities",
        placebos=settings["placebos"],
    )
    if not main.passing:
        raise DesignError(
            "effect of the status",
            "no cohort's path before the status passes: nothing can be pooled",
            keys=main.apart,
            expected=f"a permutation p above {settings['pass']}",
            remedy="leave the stage analyse_toser out",
        )
    without = {
        "steady": rows[rows["income_spike"] == 0],
        "jumps": rows[~rows["entity"].isin(settings["jumps"])],
    }
    checks = {
        name: by_cohort(part, OUTCOME, COHORT, "category", *rule, layer=name, methods=[PLAIN, PATH])
        for name, part in without.items()
    }
    pool = of_cohorts(rows, COHORT, main.passing)
    given = (pool, OUTCOME, COHORT)
    full = pool.groupby("entity")["year"].transform("size") == pool["year"].nunique()
    apart = away_from_unknown(frame, dated, COHORT, rings_km[-1])
    imputed = staggered.imputation(*given, seed=seed)
    universal = staggered.callaway_santanna(*given, base_period="universal", seed=seed)
    fits = cohort_fits(main, OUTCOME) | {
        "toser_paths": paths(main),
        **{
            key: fit
            for name, found in checks.items()
            for key, fit in cohort_fits(found, name).items()
        },
        "toser_randomization": randomization(*given, "category", draws["permutation"], seed),
        "toser_honest_relative": honest(universal, seed=seed),
        "toser_honest_smooth": honest(
            universal, (0.0, 0.005, 0.01, 0.02), kind="smoothness", seed=seed
        ),
        "toser_bacon": staggered.bacon(pool[full], OUTCOME, COHORT),
        "toser_spillover": rings(apart, OUTCOME, COHORT, "region", rings_km),
        "toser_categories": by_group(*given, "category"),
        "toser_placebo": staggered.imputation(
            moved_back(pool, COHORT, 2), OUTCOME, COHORT, seed=seed
        ),
        "toser_conditional": conditional(*given, "category", BEFORE, seed),
    }
    records = [
        to_records(
            fit,
            specification=name,
            question="toser",
            group=GROUPS.get(name, "robustness"),
            outcome=OUTCOME,
            weights="none",
            seed=seed,
            sample="all entities" if name == "toser_spillover" else "monotowns",
        )
        for name, fit in fits.items()
    ]
    tables = {
        "cohorts": main.table,
        "means": cohort_means(rows, OUTCOME, COHORT),
        "overlap": overlap(pool, COHORT, COMPARED, BEFORE),
        "left_out": leave_one_out(*given, "region"),
    }
    facts = (
        sample_facts(rows)
        | pool_facts(main, OUTCOME)
        | pool_facts(checks["steady"], "steady")
        | pool_facts(checks["jumps"], "jumps")
        | pretrend_facts(imputed, universal)
        | last_event_facts(rows, without["jumps"], main.passing, 4)
        | {"toser.breakdown": [fits["toser_honest_relative"]["breakdown"]["estimate"], "ratio"]}
        | {
            f"toser.left_region.{name}est": [value, "estimate"]
            for name, value in zip(
                ("low", "high"), tables["left_out"]["estimate"].agg(["min", "max"]), strict=True
            )
        }
    )
    gaps = tables["overlap"].set_index("column")["standardised_difference"]
    facts |= {f"toser.overlap.{column}": [gap, "ratio"] for column, gap in gaps.items()}
    return pd.concat(records), facts, tables


def cohort_fits(main: ByCohort, outcome) -> dict:
    """Results by cohort under their names: the effects given the path, then the other methods."""
    names = {PATH: f"toser_cohort_{outcome}"}
    return {names.get(m, f"toser_cohort_{m}_{outcome}"): fit for m, fit in main.fits.items()}


def paths(main: ByCohort) -> Fit:
    """Events of every cohort, before and after, given the level of one early year."""
    of = main.fits[PATH]
    terms = [
        path.events.assign(term=f"cohort {g} " + path.events["term"])
        for g, path in main.paths.items()
    ]
    variance = "influence function, CRV1(entity): G/(G-1)"
    counts = (of.n_obs, of.n_entities, of.n_clusters)
    return Fit(pd.concat(terms, ignore_index=True), "callaway_santanna", variance, *counts)


def sample_facts(rows) -> dict:
    """Entities by cohort, and the years."""
    ever, never = cohorts_of(rows, COHORT), rows.loc[rows[COHORT] == 0, "entity"].nunique()
    return {
        "toser.treated": [ever.sum(), "count"],
        "toser.never": [never, "count"],
        "toser.cohorts": [", ".join(f"{n} in {year}" for year, n in ever.items()), "text"],
        "toser.years": [f"{rows['year'].min()}-{rows['year'].max()}", "text"],
    }


def pool_facts(main: ByCohort, name) -> dict:
    """Which cohorts are pooled and which stand apart; the test and the fall of every path.

    ``toser.fall`` is the event before the status that is furthest from zero, its sign turned: the
    change from that year to the one before the status; ``toser.fall_years`` says which.
    """
    facts = {
        f"toser.pool.{name}": [listed(main.passing), "text"],
        f"toser.apart.{name}": [listed(main.apart), "text"],
    }
    for cohort, path in main.paths.items():
        worst = path.fall
        since = cohort + int(worst["term"].removeprefix("event "))
        facts |= {
            f"toser.path_p.{name}.{cohort}": [path.p_value, "p"],
            f"toser.path_wald_p.{name}.{cohort}": [path.wald_p, "p"],
            f"toser.path_slope.{name}.{cohort}": [path.slope, "estimate"],
            f"toser.fall.{name}.{cohort}": [-worst["estimate"], "estimate"],
            f"toser.fall_error.{name}.{cohort}": [worst["standard_error"], "estimate"],
            f"toser.fall_years.{name}.{cohort}": [f"{since} to {cohort - 1}", "text"],
        }
    return facts


def listed(cohorts) -> str:
    """Cohorts as the text prints them."""
    return ", ".join(map(str, cohorts)) or "none"


def pretrend_facts(imputed: Fit, universal: Fit) -> dict:
    """Joint tests of the events before the policy, and the slopes that the first would detect.

    ``slope_50`` and ``slope_80`` are the slopes a year of a linear difference in trends that the
    joint test finds with that power (Roth 2022).
    """
    events = imputed.terms["term"].str.extract(r"^event (-\d+)$", expand=False).dropna().astype(int)
    covariance = imputed.covariance[np.ix_(events.index, events.index)]
    facts = {
        "toser.pretrend.p": [pretrend_test(imputed).p_value, "p"],
        "toser.pretrend.universal.p": [pretrend_test(universal).p_value, "p"],
    }
    for power in (50, 80):
        slope = detectable_slope(power / 100, covariance, events, -1)
        facts[f"toser.pretrend.slope_{power}"] = [slope, "estimate"]
    return facts


def last_event_facts(rows, calm, passing, event) -> dict:
    """Whose effect a late event is: of all cohorts, of each that lasts so long, of the pool.

    The events of a mean over cohorts are of fewer and earlier cohorts the later they are. ``calm``
    are the rows without entities whose incomes jump, for the pool once more.
    """
    term, name = f"event {event}", f"toser.event{event}"
    ever = cohorts_of(rows, COHORT)
    reach = [g for g in ever.index[ever >= LEAST] if g + event <= rows["year"].max()]
    groups = {"all": (rows, list(ever.index))} | {g: (rows, [g]) for g in reach}
    if set(reach) & set(passing):
        groups |= {"pool": (rows, passing), "jumps": (calm, passing)}
    facts = {f"{name}.cohorts": [listed(reach), "text"]}
    for group, (part, cohorts) in groups.items():
        found = staggered.imputation(of_cohorts(part, COHORT, cohorts), OUTCOME, COHORT)[term]
        facts[f"{name}.{group}"] = [found["estimate"], "estimate"]
        facts[f"{name}.{group}.p"] = [found["p_value"], "p"]
    return facts


def cohort_means(rows, outcome, treatment) -> pd.DataFrame:
    """Raw means by adoption cohort and year: ``cohort``, ``year``, ``mean``, ``entities``."""
    groups = rows.groupby([treatment, "year"])
    table = groups.agg(mean=(outcome, "mean"), entities=("entity", "nunique")).reset_index()
    return table.rename(columns={treatment: "cohort"}).astype({"cohort": int})


def overlap(rows, treatment, columns, year) -> pd.DataFrame:
    """Means before the policy of those who ever got it and those who never did.

    Returns
    -------
    pandas.DataFrame
        ``column``, ``ever``, ``never``, ``standardised_difference`` (over the root of the mean of
        the two variances), ``entities_ever``, ``entities_never``.
    """
    at = rows[rows["year"] == year]
    ever, never = at.loc[at[treatment] > 0, columns], at.loc[at[treatment] == 0, columns]
    if ever.empty or never.empty:
        raise DesignError("overlap", "one group is empty", keys=[year])
    spread = np.sqrt((ever.var() + never.var()) / 2)
    return pd.DataFrame(
        {
            "column": columns,
            "ever": ever.mean().to_numpy(),
            "never": never.mean().to_numpy(),
            "standardised_difference": ((ever.mean() - never.mean()) / spread).to_numpy(),
            "entities_ever": len(ever),
            "entities_never": len(never),
        }
    )


def leave_one_out(rows, outcome, treatment, by) -> pd.DataFrame:
    """The imputation estimate without each level of a column in turn.

    Returns
    -------
    pandas.DataFrame
        ``by``, ``left_out``, ``estimate``, ``ci_low``, ``ci_high``; levels whose absence leaves no
        treated or no untreated entity are not among them, nor are the never treated themselves.
    """
    found = []
    for level in sorted(rows[by].unique()):
        kept = rows[rows[by] != level]
        if not (kept[treatment] > 0).any() or not (kept[treatment] == 0).any():
            continue
        att = staggered.imputation(kept, outcome, treatment)["att"]
        found.append((by, level, att["estimate"], att["ci_low"], att["ci_high"]))
    return pd.DataFrame(found, columns=["by", "left_out", "estimate", "ci_low", "ci_high"])


def randomization(rows, outcome, treatment, strata, draws, seed) -> Fit:
    """Imputation estimate under adoption years permuted within strata; no standard error."""
    test = permuted(rows, outcome, treatment, strata, draws, seed)
    terms = terms_by_chance(["att"], test.statistic, test.p_value)
    variance = f"randomization of adoption years within {strata}, {draws} draws"
    entities = rows["entity"].nunique()
    return Fit(terms, "imputation", variance, len(rows), entities, entities)


def by_group(rows, outcome, treatment, group) -> Fit:
    """Imputation's average effect on each level of a column, as one result."""
    known = rows.dropna(subset=[group])
    fits = [staggered.imputation(part, outcome, treatment) for _, part in known.groupby(group)]
    names = [f"{group} {level:g}" for level in sorted(known[group].unique())]
    terms = pd.concat([fit.terms[:1] for fit in fits], ignore_index=True)
    entities = known["entity"].nunique()
    variance = fits[0].variance.split(";")[0]
    return Fit(terms.assign(term=names), "imputation", variance, len(known), entities, entities)


def conditional(rows, outcome, treatment, group, year, seed) -> Fit:
    """Callaway and Sant'Anna given the group and the outcome's level of one early year."""
    level = rows[rows["year"] == year].set_index("entity")[outcome]
    values = sorted(rows[group].dropna().unique())[:-1]
    dummies = {f"{group}_{value:g}": (rows[group] == value).astype(float) for value in values}
    given = rows.assign(level=rows["entity"].map(level), **dummies).dropna(subset=["level"])
    return staggered.callaway_santanna(
        given, outcome, treatment, controls=["level", *dummies], seed=seed
    )


def moved_back(rows, treatment, years) -> pd.DataFrame:
    """Untreated rows with the status dated some years too early: an effect that cannot be.

    Entities without a row before the moved date are left out.
    """
    untreated = rows[(rows[treatment] == 0) | (rows["year"] < rows[treatment])]
    dated = untreated[treatment].where(untreated[treatment] == 0, untreated[treatment] - years)
    start = untreated.groupby("entity")["year"].transform("min")
    return untreated.assign(**{treatment: dated})[(dated == 0) | (start < dated)]


def away_from_unknown(frame, rows, treatment, km) -> pd.DataFrame:
    """Leave out entities near a holder of the status that is not among the rows.

    ``frame`` holds all entity-years, ``rows`` those that are to be estimated on. Kept are rows with
    coordinates, of entities seen before the first cohort, further than ``km`` from every holder
    outside of them.
    """
    place = frame.dropna(subset=["lat", "lon"]).drop_duplicates("entity")
    holders = place[place[treatment] != 0]
    unknown = holders[~holders["entity"].isin(rows["entity"])]
    known = rows.dropna(subset=["lat", "lon"])
    start = known.groupby("entity")["year"].transform("min")
    known = known[start < known.loc[known[treatment] > 0, treatment].min()]
    mine = known.drop_duplicates("entity")
    distance = great_circle_km(
        *(mine[c].to_numpy()[:, None] for c in ("lat", "lon")),
        *(unknown[c].to_numpy() for c in ("lat", "lon")),
    )
    near = mine.loc[(distance <= km).any(axis=1), "entity"]
    return known[~known["entity"].isin(near)]
