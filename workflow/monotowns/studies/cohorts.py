"""A staggered policy cohort by cohort: path before the status, effects by method, the pool.

A mean over cohorts is only worth as much as the worst of their paths: a cohort whose path before
the status differs from that of the never treated is shown apart and enters no mean.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from monotowns.estimate import staggered
from monotowns.estimate.events import pretrend_test
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.estimate.record import TERMS, Fit, wald_terms
from monotowns.estimate.synthetic import synthetic_did
from monotowns.run.errors import DesignError

#: All events that a panel can show.
ALL = (-99, 99)
#: Entities below which a cohort has no spread of its own.
LEAST = 2
#: How methods are called in records and tables.
METHODS = PLAIN, PATH, IMPUTED, SYNTHETIC = "plain", "path", "imputation", "synthetic"

TABLE = [
    "layer",
    "outcome",
    "cohort",
    "method",
    "entities",
    "controls",
    "path_p",
    "path_wald_p",
    "path_slope",
    "path_slope_error",
    "passes",
    "estimate",
    "standard_error",
    "p_value",
    "permutation_p",
    "detectable",
]


class Path(NamedTuple):
    """Path of a cohort before its status, against that of the never treated.

    ``p_value`` is by permutation, ``wald_p`` that of the joint test of the events.
    """

    p_value: float
    wald_p: float
    slope: float
    slope_error: float
    events: pd.DataFrame

    @property
    def fall(self) -> pd.Series:
        """The event furthest from zero, with its term and its error."""
        before = self.events[self.events["term"].str.match(r"event -")]
        return before.loc[before["estimate"].abs().idxmax()]


class ByCohort(NamedTuple):
    """What :func:`by_cohort` finds for one outcome."""

    passing: list
    apart: list
    paths: dict
    fits: dict
    table: pd.DataFrame


def level_of(rows, outcome, years) -> pd.DataFrame:
    """Add the outcome's level in each of the years, one column a year, to the rows that have all.

    Returns
    -------
    pandas.DataFrame
        The rows of entities seen in all of them, with columns ``level <year>``.
    """
    wide = rows.pivot(index="entity", columns="year", values=outcome)
    lacking = [year for year in years if year not in wide]
    if lacking:
        raise DesignError("path of the outcome", "a year is not in the rows", keys=lacking)
    known = wide[list(years)].dropna().add_prefix("level ")
    return rows.merge(known, left_on="entity", right_index=True)


def group_time(rows, outcome, treatment, years=(), seed=None, **options) -> Fit:
    """Callaway and Sant'Anna against the never treated, one base, given levels of some years."""
    given = level_of(rows, outcome, years)
    names = [f"level {year}" for year in years]
    options = {"control_group": "never", "base_period": "universal", "seed": seed} | options
    return staggered.callaway_santanna(given, outcome, treatment, controls=names, **options)


def path_before(fit: Fit, p_value: float) -> Path:
    """Describe the events before the status, with their slope a year and their test by permutation.

    The slope is that of a line through the base (event -1, no deviation) by least squares, its
    error that of the events' covariance.
    """
    event = fit.terms["term"].str.extract(r"^event (-?\d+)$", expand=False).astype(float)
    before = np.flatnonzero(event < -1)
    distance = event.to_numpy()[before] + 1
    weight = distance / (distance @ distance)
    covariance = fit.covariance[np.ix_(before, before)]
    slope = weight @ fit.terms["estimate"].to_numpy()[before]
    error = float(np.sqrt(weight @ covariance @ weight))
    return Path(p_value, pretrend_test(fit).p_value, slope, error, fit.terms[event.notna()])


def path_by_chance(rows, outcome, treatment, strata, level, draws, seed) -> float:
    """Permutation p of the path of one cohort before its status.

    The Wald test takes every entity for a source of spread, though with a dozen treated the spread
    is theirs: it rejects three to four times too often. Under the sharp null the paths are what
    they are whoever got the status, so that a permutation within strata is exact.

    Parameters
    ----------
    rows : pandas.DataFrame
        One cohort and the never treated.
    level : int
        Year of the outcome's level that the paths are freed from, by least squares over entities.

    Returns
    -------
    float
        Of Hotelling's statistic of the changes from each earlier year to the last before the
        status; entities seen in all of these years.
    """
    first = int(rows[treatment].max())
    early = (
        rows[rows["year"] < first].pivot(index="entity", columns="year", values=outcome).dropna()
    )
    changes = early.drop(columns=early.columns[-1]).sub(early.iloc[:, -1], axis=0).to_numpy()
    design = np.column_stack([np.ones(len(early)), early[level]])
    changes = changes - design @ np.linalg.lstsq(design, changes)[0]
    of = rows.drop_duplicates("entity").set_index("entity").loc[early.index]

    def hotelling(cohort) -> float:
        on = cohort > 0
        gap = changes[on].mean(axis=0) - changes[~on].mean(axis=0)
        within = [changes[side] - changes[side].mean(axis=0) for side in (on, ~on)]
        return gap @ np.linalg.solve(sum(part.T @ part for part in within), gap)

    cohort, stratum = of[treatment].to_numpy(), of[strata].to_numpy()
    return randomization_test(hotelling, cohort, stratum, draws, seed).p_value


def cohorts_of(rows, treatment) -> pd.Series:
    """Entities of every cohort, the never treated left out."""
    sizes = rows[rows[treatment] > 0].groupby(treatment)["entity"].nunique()
    return sizes.set_axis(sizes.index.astype(int))


def passing(p_values: dict, level: float) -> list:
    """Cohorts whose path before the status does not differ from that of the never treated."""
    return [cohort for cohort, p in p_values.items() if p > level]


def of_cohorts(rows, treatment, cohorts) -> pd.DataFrame:
    """Rows of the never treated and of some cohorts."""
    return rows[rows[treatment].isin([0, *cohorts])]


def permuted(rows, outcome, treatment, strata, draws, seed):
    """Randomization test of the imputation estimate, adoption permuted within strata."""
    known = rows.dropna(subset=[outcome])
    entities = known.drop_duplicates("entity").sort_values("entity")
    statistic = imputation_statistic(known[outcome], known["entity"], known["year"])
    cohort = entities[treatment].to_numpy()
    return randomization_test(statistic, cohort, entities[strata].to_numpy(), draws, seed)


def by_cohort(
    rows,
    outcome,
    treatment,
    strata,
    rule,
    draws,
    seed,
    *,
    layer,
    barred=(),
    placebos=0,
    methods=METHODS,
) -> ByCohort:
    """Estimate the effect on each cohort by several methods, and the mean over those that pass.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, outcome, first treated year (0 = never, none missing) and strata.
    strata : str
        Column within which adoption is permuted.
    rule : dict
        ``path`` ([first, last] year of the path that effects are conditional on), ``level`` (the
        year of the level that the test of the path is conditional on) and ``pass`` (permutation p
        above which a cohort may be pooled).
    draws : int
        Permutations of adoption.
    layer : str
        Name of the panel, for the table.
    barred : collection of int
        Cohorts that are never pooled, whatever their path of this outcome.
    methods : sequence of str
        Of :data:`METHODS`; permutations belong to imputation.
    placebos : int
        Draws of the placebo error of synthetic differences; 0 leaves it out.

    Returns
    -------
    ByCohort
        ``passing`` and ``apart`` (cohorts); ``paths`` (cohort -> :class:`Path`); ``fits`` (method
        -> Fit with terms ``cohort g``, ``pooled``; under ``path`` also ``pre g``, the slope a
        year); ``table`` with the columns of :data:`TABLE`. Cohorts of one entity are left out.
        Without a passing cohort nothing is pooled.
    """
    known = rows.dropna(subset=[outcome])
    sizes = cohorts_of(known, treatment)
    sizes = sizes[sizes >= LEAST]
    span = range(rule["path"][0], rule["path"][1] + 1)
    paths = {}
    for g in sizes.index:
        part = of_cohorts(known, treatment, [g])
        events = group_time(part, outcome, treatment, [rule["level"]], window=ALL)
        p = path_by_chance(part, outcome, treatment, strata, rule["level"], draws, seed)
        paths[g] = path_before(events, p)
    good = passing({g: p.p_value for g, p in paths.items() if g not in barred}, rule["pass"])
    groups = {f"cohort {g}": [g] for g in sizes.index} | ({"pooled": good} if good else {})
    estimators = {
        PLAIN: lambda part: group_time(part, outcome, treatment),
        PATH: lambda part: group_time(part, outcome, treatment, span),
        IMPUTED: lambda part: staggered.imputation(part, outcome, treatment),
        SYNTHETIC: lambda part: synthetic_did(
            part, outcome, treatment, placebos=placebos, seed=seed
        ),
    }
    parts = {name: of_cohorts(known, treatment, group) for name, group in groups.items()}
    found = {m: {name: estimators[m](part) for name, part in parts.items()} for m in methods}
    chance = {
        name: permuted(part, outcome, treatment, strata, draws, seed).p_value
        for name, part in parts.items()
        if IMPUTED in methods
    }
    table = pd.concat(
        [
            line.assign(cohort=name.removeprefix("cohort "), method=method, permutation_p=p)
            for method, fits in found.items()
            for name, fit in fits.items()
            for p in [_chance(method, name, groups, chance, fit)]
            for line in [fit.terms[:1]]
        ],
        ignore_index=True,
    )
    return ByCohort(
        good,
        [g for g in sizes.index if g not in good],
        paths,
        {method: together(fits, paths if method == PATH else {}) for method, fits in found.items()},
        _finish(table, found, paths, sizes, good, layer, outcome),
    )


def _chance(method, name, groups, chance, fit):
    """Permutation p of imputation, placebo p of synthetic differences, none of the others."""
    if method == IMPUTED:
        return chance[name]
    placebo = fit.details.get("placebo", {}) if method == SYNTHETIC else {}
    return placebo.get(groups[name][0], (np.nan, np.nan))[1] if name != "pooled" else np.nan


def _finish(table, found, paths, sizes, good, layer, outcome):
    """Give the estimates their paths, sizes and detectable effects."""
    key = pd.to_numeric(table["cohort"], errors="coerce")
    fits = [fit for by in found.values() for fit in by.values()]
    table["entities"] = key.map(sizes).fillna(sizes.reindex(good).sum()).astype(int)
    table["controls"] = [fit.n_entities - sum(fit.details["cohorts"].values()) for fit in fits]
    for place, column in enumerate(("path_p", "path_wald_p", "path_slope", "path_slope_error")):
        table[column] = key.map({g: path[place] for g, path in paths.items()})
    table["passes"] = (key.isin(good) | key.isna()).astype(int)
    table["detectable"] = [
        minimum_detectable_effect(error, df=fit.n_clusters - 1)
        for error, fit in zip(table["standard_error"], fits, strict=True)
    ]
    return table.assign(layer=layer, outcome=outcome)[TABLE]


def together(fits: dict, paths: dict) -> Fit:
    """Write the first term of several fits as one result, slopes of paths as ``pre g``."""
    first = next(iter(fits.values()))
    terms = [fit.terms[:1].assign(term=name) for name, fit in fits.items()]
    clusters = max(fit.n_clusters for fit in fits.values())
    for g, path in paths.items():
        terms.append(wald_terms([f"pre {g}"], [path.slope], [path.slope_error], df=clusters - 1))
    return Fit(
        pd.concat(terms, ignore_index=True)[TERMS],
        first.estimator,
        first.variance.split(";")[0],
        max(fit.n_obs for fit in fits.values()),
        max(fit.n_entities for fit in fits.values()),
        clusters,
    )
