"""Staggered adoption: one function an estimator, for the specifications to name.

diff-diff estimates; each function here checks the rows (:mod:`.identification`), asks for one
model and reports its terms ``att`` and ``event e`` (:mod:`.events`). Own are the joint covariance
of imputation (:mod:`.imputation`) and the averages of Callaway and Sant'Anna (:func:`aggregate`).

All take ``rows`` (pandas.DataFrame with ``entity`` and ``year``) and the names of the columns of
the outcome, the ``treatment`` (first treated year, 0 = never), the cluster and the controls;
``anticipation`` is the number of years before the cohort's year in which the treatment may act,
``window`` the first and the last event time that is reported, ``seed`` that of the uniform band,
which is left out without one.
All raise DesignError where the rows do not identify the effects.
"""

import warnings
from typing import Literal

import numpy as np
import pandas as pd

from monotowns.estimate.events import clustered, largest_cells, report
from monotowns.estimate.identification import WHERE, Cohorts, check
from monotowns.estimate.imputation import imputation
from monotowns.estimate.record import Fit
from monotowns.estimate.regression import least_squares
from monotowns.run.errors import DesignError

__all__ = [
    "bacon",
    "callaway_santanna",
    "imputation",
    "local_projections",
    "stacked",
    "sun_abraham",
    "two_stage",
]

CONTROLS = {"never": "never_treated", "not_yet": "not_yet_treated"}
COMPARISONS = ("earlier_vs_later", "later_vs_earlier", "treated_vs_never")
FIXEST = "fixest small-sample correction"


def _estimate(model, cohorts: Cohorts, **columns):
    """Fit a model of diff-diff without letting its errors reach the user raw.

    Its warnings are left out: what they are about is checked on the rows beforehand.
    """
    columns = {"first_treat": cohorts.treatment} | columns
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(
                cohorts.frame,
                outcome=cohorts.outcome,
                unit="entity",
                time="year",
                **{name: column for name, column in columns.items() if column},
            )
    except Exception as error:
        name = f"{type(model).__name__} of diff-diff"
        raise DesignError(name, "cannot be estimated on these rows", found=error) from error


def callaway_santanna(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    controls=(),
    control_group: Literal["not_yet", "never"] = "not_yet",
    base_period: Literal["varying", "universal"] = "varying",
    anticipation: int = 0,
    window: tuple[int, int] = (-5, 4),
    seed=None,
) -> Fit:
    """Average effect on each cohort in each year, doubly robust, and its aggregates.

    A cell compares changes of entities seen in both its years, so that no entity's level enters,
    and cells without a control are left out. Controls enter outcome regression and propensity score
    with their values in the base year. Years before the treatment are held against the year before
    ("varying") or all against the last untreated year ("universal").

    Returns
    -------
    Fit
        ``att`` (mean over treated entity-years), ``event e``, ``dynamic`` (mean over e >= 0),
        ``group`` (mean over cohorts), ``group g``, ``calendar`` (mean over years), ``calendar t``,
        each weighted as in Callaway and Sant'Anna (2021, section 3), ``band``. The covariance is
        the sum over clusters of squared influence functions, the estimated cohort shares included.
        ``details["group_time"]`` holds the cells.
    """
    from diff_diff import CallawaySantAnna

    cohorts = check(rows, outcome, treatment, cluster, controls, anticipation)
    if control_group == "never":
        cohorts.need_never()
    frame = cohorts.frame
    years = np.unique(frame["year"])

    def base(cohort):
        return years[years < cohort - anticipation].max()

    cohorts.need_reference(base)
    model = CallawaySantAnna(
        control_group=CONTROLS[control_group], anticipation=anticipation, base_period=base_period
    )
    result = _estimate(model, cohorts, covariates=list(controls))
    # The library keeps the influence functions of the cells by position in the sorted entities.
    parts, entities = result._aggregation_kit.influence, np.unique(frame["entity"])
    found = [
        (g, t, cell["effect"], cell["n_treated"])
        for (g, t), cell in result.group_time_effects.items()
        if np.isfinite(cell["effect"]) and not cell.get("is_reference")
    ]
    cells = pd.DataFrame(found, columns=["cohort", "year", "estimate", "treated"])
    influence, used = np.zeros((len(entities), len(cells))), np.zeros(len(entities), bool)
    for column, (g, t, *_) in enumerate(found):
        for side in ("treated", "control"):
            at = parts[g, t][f"{side}_idx"]
            influence[at, column] += parts[g, t][f"{side}_inf"]
            used[at] = True
    frame, influence = frame[frame["entity"].isin(entities[used])], influence[used]
    of = frame.groupby("entity")[[treatment, cluster]].first()
    means = aggregate(cells, influence, of[treatment].to_numpy(), window)
    return report(
        cohorts._replace(frame=frame),
        list(means),
        [value for value, _, _ in means.values()],
        clustered(np.column_stack([psi for _, psi, _ in means.values()]), of[cluster]),
        estimator="callaway_santanna",
        variance=f"influence function, CRV1({cluster}): G/(G-1)",
        cells={term: largest for term, (_, _, largest) in means.items()},
        seed=seed,
        anticipation=anticipation,
        one_base=base_period == "universal" and len({base(g) - g for g in cells["cohort"]}) == 1,
        group_time=cells,
    )


def aggregate(cells, influence, cohort_of, window) -> dict:
    """Average group-time effects with their influence functions.

    diff-diff (3.13) has no averages by calendar year nor over cohorts, no covariance of the
    averages with each other, and counts years of anticipation into the average effect.

    Parameters
    ----------
    cells : pandas.DataFrame
        ``cohort``, ``year``, ``estimate``, ``treated`` (entities) of C cells.
    influence : numpy.ndarray, shape (n, C)
        Of each entity on each estimate; the columns sum to about 0, their squares to the variance.
    cohort_of : numpy.ndarray, shape (n,)
        Cohort of each entity, 0 = never.

    Returns
    -------
    dict
        Term -> (estimate, influence function of shape (n,), treated entities of the largest cell);
        the influence function includes that of the estimated cohort shares.
    """
    group, year = cells["cohort"].to_numpy(), cells["year"].to_numpy()
    effect, treated, event = cells["estimate"].to_numpy(), cells["treated"].to_numpy(), year - group
    post = event >= 0
    member = (cohort_of[:, None] == group) * 1.0
    share = member.mean(axis=0)
    share_influence = (member - share) / len(cohort_of)

    def mean(chosen, weight=1.0):
        """Mean of the chosen cells weighted by cohort share times a known weight."""
        known = chosen * weight
        total = known @ share
        value = (known * share) @ effect / total
        psi = influence @ (known * share) + share_influence @ (known * (effect - value))
        return value, psi / total, treated[chosen].max()

    def average(parts):
        value, psi, largest = zip(*parts, strict=True)
        return np.mean(value), np.mean(psi, axis=0), max(largest)

    events = {e: mean(event == e) for e in np.unique(event)}
    years = {f"calendar {t}": mean(post & (year == t)) for t in np.unique(year[post])}
    size = cells[post].groupby("cohort").size().reindex(group).to_numpy()
    return (
        {"att": mean(post)}
        | {f"event {e}": part for e, part in events.items() if window[0] <= e <= window[1]}
        | {"dynamic": average([part for e, part in events.items() if e >= 0])}
        | {"group": mean(post, 1 / np.where(post, size, 1))}
        | {f"group {g}": mean(post & (group == g)) for g in np.unique(group[post])}
        | {"calendar": average(years.values())}
        | years
    )


def sun_abraham(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    controls=(),
    anticipation: int = 0,
    window: tuple[int, int] = (-5, 4),
    seed=None,
) -> Fit:
    """Interaction-weighted event study against never treated entities (Sun and Abraham 2021).

    Returns
    -------
    Fit
        ``att`` (events after the treatment, weighted by treated rows), ``event e``, ``band``;
        cohort shares taken as known.
    """
    from diff_diff import SunAbraham
    from diff_diff.results_base import build_event_study_surface

    cohorts = check(rows, outcome, treatment, cluster, controls, anticipation)
    cohorts.need_never()
    cohorts.need_reference(lambda g: g - anticipation - 1)
    model = SunAbraham(cluster=cluster, anticipation=anticipation, rank_deficient_action="error")
    result = _estimate(model, cohorts, covariates=list(controls))
    return _report_events(
        cohorts,
        build_event_study_surface(result),
        window,
        mass=cohorts.event.value_counts(),
        estimator="sun_abraham",
        variance=f"CRV1({cluster}), {FIXEST}",
        seed=seed,
        anticipation=anticipation,
    )


def two_stage(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    controls=(),
    weights=None,
    anticipation: int = 0,
    window: tuple[int, int] = (-5, 4),
    seed=None,
) -> Fit:
    """Regress what is left when the effects of untreated rows are taken out (Gardner 2022).

    Returns
    -------
    Fit
        ``att``, ``event e`` (before the treatment: mean residuals of the first stage, pulled to 0
        by it), ``band``. Unweighted, the effects are those of :func:`imputation`; the variance
        includes the first stage. ``att`` is a regression of its own, the library gives no
        covariance of it with the events.
    """
    from diff_diff import SurveyDesign, TwoStageDiD

    further = [*controls, *([weights] if weights else [])]
    cohorts = check(rows, outcome, treatment, cluster, further, anticipation)
    cohorts = cohorts.imputable(anticipation)
    model = TwoStageDiD(
        cluster=cluster, anticipation=anticipation, pretrends=True, rank_deficient_action="error"
    )
    design = SurveyDesign(weights=weights) if weights else None
    result = _estimate(model, cohorts, covariates=list(controls), survey_design=design)
    return _report_events(
        cohorts,
        result.aggregate("event_study"),
        window,
        factor=cohorts.clusters / (cohorts.clusters - 1),
        att=(result.overall_att, result.overall_se),
        estimator="two_stage",
        variance=f"two-stage GMM, CRV1({cluster}): G/(G-1)",
        seed=seed,
        anticipation=anticipation,
        one_base=False,
    )


def stacked(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    anticipation: int = 0,
    window: tuple[int, int] = (-5, 4),
    seed=None,
) -> Fit:
    """Stacked event study with corrective weights (Wing, Freedman and Hollingsworth 2024).

    Every cohort must be seen at every event time, so the window is narrowed to the widest that
    all cohorts fill (``details["filled"]``). The regression has no entity effects: entities not
    seen in all years of the stack are left out, or their levels would enter the estimates.

    Returns
    -------
    Fit
        ``att`` (plain mean of the events after the treatment), ``event e``, ``band``. Shocks of a
        year that all share cancel in the estimates but not in their standard errors: these are
        too wide when such shocks are large.
    """
    from diff_diff import StackedDiD

    cohorts = check(rows, outcome, treatment, cluster, (), anticipation)
    frame = cohorts.frame
    if cohorts.clusters < frame["entity"].nunique():
        raise DesignError("estimator stacked", "its variance is by entity only", keys=[cluster])
    adopted = frame.loc[frame[treatment] > 0, treatment]
    low = int(max(window[0], frame["year"].min() - adopted.min()))
    high = int(min(window[1], frame["year"].max() - adopted.max()))
    if low >= -1 - anticipation or high < 0:
        raise DesignError(
            WHERE,
            "no window is filled by every cohort",
            keys=sorted(adopted.unique()),
            found=f"{low} to {high}",
        )
    cohorts.need_reference(lambda g: g - anticipation - 1)
    cohorts = cohorts.throughout(range(adopted.min() + low, adopted.max() + high + 1))
    model = StackedDiD(
        kappa_pre=-low - anticipation,
        kappa_post=high,
        anticipation=anticipation,
        rank_deficient_action="error",
    )
    result = _estimate(model, cohorts)
    return _report_events(
        cohorts,
        result.aggregate("event_study"),
        (low, high),
        mass=pd.Series(1.0, range(high + 1)),
        estimator="stacked",
        variance=f"CRV1({cluster}), {FIXEST}",
        seed=seed,
        anticipation=anticipation,
        filled=(low, high),
    )


def _report_events(cohorts, surface, window, *, factor=1.0, att=None, mass=None, **record) -> Fit:
    """Report an event study of diff-diff.

    ``factor`` is the small-sample factor that the library leaves out. The average effect is ``att``
    (estimate, standard error) or the mean of the events by ``mass`` (event time -> weight).
    """
    events = np.asarray(surface.vcov_index, int)
    effect = pd.Series(surface.att, np.asarray(surface.event_time, int))[events].to_numpy()
    known = np.isfinite(effect)
    events, effect, vcov = events[known], effect[known], surface.vcov[np.ix_(known, known)]
    weight = np.zeros(len(events))
    if mass is not None:
        weight = np.where(events >= 0, mass.reindex(events, fill_value=0), 0.0)
        weight /= weight.sum()
    shown = (window[0] <= events) & (events <= window[1])
    linear = np.vstack([weight, np.eye(len(events))[shown]])
    estimate, covariance = linear @ effect, factor * linear @ vcov @ linear.T
    if att is not None:
        covariance[0], covariance[:, 0] = np.nan, np.nan
        estimate[0], covariance[0, 0] = att[0], factor * att[1] ** 2
    names = ["att", *(f"event {e}" for e in events[shown])]
    return report(cohorts, names, estimate, covariance, **record)


def local_projections(
    rows: pd.DataFrame,
    outcome,
    treatment,
    cluster="entity",
    *,
    window: tuple[int, int] = (-5, 4),
) -> Fit:
    """Regress long differences on adoption among clean controls, one regression an event time.

    Returns
    -------
    Fit
        ``att`` (mean change over the window after the treatment, of cohorts seen throughout it),
        ``event e``; effects of cohorts are weighted by variance (Dube, Girardi, Jorda and Taylor
        2025, the default estimand). The regressions are separate: there is no covariance of the
        events, hence no band and no test of pre-trends.
    """
    from diff_diff import LPDiD

    cohorts = check(rows, outcome, treatment, cluster)
    cohorts.need_reference(lambda g: g - 1)
    frame, event = cohorts.frame, cohorts.event
    cohorts.need_years(range(frame["year"].min(), frame["year"].max()))
    model = LPDiD(
        pre_window=min(max(-window[0], 2), -int(event.min())),
        post_window=min(window[1], int(event.max())),
        cluster=cluster,
        rank_deficient_action="error",
    )
    adoption = cohorts._replace(frame=frame.assign(on=(event >= 0).astype(int)))
    result = _estimate(model, adoption, first_treat=None, treatment="on")
    table = result.event_study.dropna(subset=["se"])
    pooled = result.pooled.set_index("window").loc["post"]
    spread = np.array([pooled["se"], *table["se"]])
    covariance = np.full((len(spread), len(spread)), np.nan)
    np.fill_diagonal(covariance, spread**2)
    # A long difference needs the year before the treatment.
    based = frame[frame["entity"].isin(frame.loc[event == -1, "entity"])]
    return report(
        cohorts,
        ["att", *(f"event {h:.0f}" for h in table["horizon"])],
        [pooled["coefficient"], *table["coefficient"]],
        covariance,
        estimator="local_projections",
        variance=f"CRV1({cluster}), {FIXEST}",
        cells=largest_cells(cohorts._replace(frame=based)),
    )


def bacon(rows: pd.DataFrame, outcome, treatment, cluster="entity") -> Fit:
    """Decompose two-way fixed effects into two-by-two comparisons (Goodman-Bacon 2021).

    Returns
    -------
    Fit
        ``twfe`` with its clustered standard error; for each kind of comparison its mean estimate
        and ``weight <kind>`` (the weights sum to one, the products to ``twfe``), without
        uncertainty. Refuses a panel with gaps, on which the decomposition is not exact.
    """
    from diff_diff import BaconDecomposition

    cohorts = check(rows, outcome, treatment, cluster)
    frame = cohorts.frame
    if len(frame) < frame["entity"].nunique() * frame["year"].nunique():
        raise DesignError(WHERE, "the panel is not balanced", remedy="leave out who has gaps")
    on = (cohorts.event >= 0).astype(float)
    plain = least_squares(frame.assign(on=on), outcome, ["on"], ["entity", "year"], cluster)
    result = _estimate(BaconDecomposition(weights="exact"), cohorts)
    effect, weight = result.effect_by_type(), result.weight_by_type()
    kinds = [kind for kind in COMPARISONS if weight[kind] > 0]
    found = {"twfe": plain["on"]["estimate"]} | {kind: effect[kind] for kind in kinds}
    found |= {f"weight {kind}": weight[kind] for kind in kinds}
    covariance = np.full((len(found), len(found)), np.nan)
    covariance[0, 0] = plain.covariance[0, 0]
    return report(
        cohorts,
        list(found),
        list(found.values()),
        covariance,
        estimator="bacon",
        variance=plain.variance,
        cells={"twfe": largest_cells(cohorts)["att"]},
    )
