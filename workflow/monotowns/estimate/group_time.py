"""Group-time effects of Callaway and Sant'Anna (2021) and their aggregates."""

import numpy as np
import pandas as pd

from monotowns.estimate import cohorts
from monotowns.run.errors import DesignError

CONTROLS = {"never": "never_treated", "not_yet": "not_yet_treated"}


def callaway_santanna(
    rows: pd.DataFrame,
    outcome,
    cohort,
    cluster="entity",
    window=(-5, 4),
    *,
    control_group="not_yet",
    covariates=(),
    anticipation=0,
    base_period="varying",
    library="diff_diff",
    seed=None,
):
    """Average effect on each cohort in each year, doubly robust, and its aggregates.

    A cell compares changes of entities seen in both its years, so that no entity's level enters,
    and cells without a control are left out.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, the outcome and ``cohort`` (first treated year, 0 = never).
    window : (int, int)
        Event times reported.
    control_group : {"not_yet", "never"}
    covariates : sequence of str
        Columns; their values in the base year enter outcome regression and propensity score.
    anticipation : int
        Years before the cohort's year in which the treatment may act; the base year lies before.
    base_period : {"varying", "universal"}
        Years before the treatment against the year before, or against the last untreated year.
    library : {"diff_diff", "moderndid"}
        Who estimates the cells; the second, for balanced panels, is the second opinion.

    Returns
    -------
    Fit
        ``att`` (mean over treated entity-years), ``event e``, ``dynamic`` (mean over e >= 0),
        ``group`` (mean over cohorts), ``group g``, ``calendar`` (mean over years), ``calendar t``,
        each weighted as in Callaway and Sant'Anna (2021, section 3), ``band``. The covariance is
        the sum over clusters of squared influence functions, the estimated cohort shares included;
        there is none for a term that rests on one treated entity. ``details["group_time"]`` holds
        the cells.

    Notes
    -----
    With covariates the two libraries differ: moderndid lets the odds that weight the controls sum
    to one (Sant'Anna and Zhao 2020, as published), diff-diff does not, which shows in small
    cohorts. On an unbalanced panel only diff-diff is offered.
    """
    cells_of = {"diff_diff": _diff_diff, "moderndid": _moderndid}
    for option, chosen, known in (
        ("control_group", control_group, CONTROLS),
        ("base_period", base_period, ("varying", "universal")),
        ("library", library, cells_of),
    ):
        if chosen not in known:
            raise DesignError(option, "unknown", expected=", ".join(known), found=chosen)
    frame = cohorts.check(rows, outcome, cohort, cluster, covariates, anticipation)
    if control_group == "never" and (frame[cohort] > 0).all():
        raise DesignError(cohorts.WHERE, "no entity is never treated", remedy="not_yet controls")
    with cohorts.noted() as notes:
        cells, influence, used = cells_of[library](
            frame, outcome, cohort, control_group, list(covariates), anticipation, base_period
        )
    frame = frame[frame["entity"].isin(used)]
    entities = frame.groupby("entity")[[cohort, cluster]].first()
    names, estimate, psi = aggregate(cells, influence, entities[cohort].to_numpy(), window)
    cells["se"] = np.sqrt(np.diag(cohorts.clustered(influence, entities[cluster])))
    return cohorts.report(
        frame,
        cohort,
        cluster,
        names,
        estimate,
        cohorts.clustered(psi, entities[cluster]),
        estimator="callaway_santanna",
        seed=seed,
        variance=f"influence function, CRV1({cluster}): G/(G-1)",
        details={
            "group_time": cells,
            "anticipation": anticipation,
            "notes": notes,
            "one_base": base_period == "universal",
        },
    )


def _diff_diff(frame, outcome, cohort, control_group, covariates, anticipation, base_period):
    from diff_diff import CallawaySantAnna

    result = CallawaySantAnna(
        control_group=CONTROLS[control_group],
        anticipation=anticipation,
        base_period=base_period,
    ).fit(
        frame,
        outcome=outcome,
        unit="entity",
        time="year",
        first_treat=cohort,
        covariates=covariates or None,
    )
    # The library keeps the influence functions of the cells by position in the sorted entities.
    parts = result._aggregation_kit.influence
    found = [
        (int(g), int(t), cell["effect"])
        for (g, t), cell in result.group_time_effects.items()
        if np.isfinite(cell["effect"]) and not cell.get("is_reference")
    ]
    entities = np.unique(frame["entity"])
    influence = np.zeros((len(entities), len(found)))
    used = np.zeros(len(entities), bool)
    for column, (g, t, _) in enumerate(found):
        part = parts[g, t]
        for side in ("treated", "control"):
            influence[part[f"{side}_idx"], column] += part[f"{side}_inf"]
            used[part[f"{side}_idx"]] = True
    cells = pd.DataFrame(found, columns=["cohort", "year", "estimate"])
    return cells, influence[used], entities[used]


def _moderndid(frame, outcome, cohort, control_group, covariates, anticipation, base_period):
    from moderndid import att_gt

    cohorts.need_balance(frame)
    entities = frame.groupby("entity")[cohort].first()
    result = att_gt(
        frame.assign(entity=pd.factorize(frame["entity"])[0]),
        yname=outcome,
        tname="year",
        idname="entity",
        gname=cohort,
        control_group=control_group.replace("_", "") + "treated",
        xformla=f"~ {' + '.join(covariates)}" if covariates else None,
        anticipation=anticipation,
        base_period=base_period,
    )
    # Its rows are sorted by cohort, the never treated last, then by entity.
    order = np.argsort(np.where(entities == 0, np.inf, entities), kind="stable")
    influence = np.empty((len(entities), len(result.att_gt)))
    influence[order] = np.asarray(result.influence_func) / len(entities)
    at = {"cohort": np.asarray(result.groups, int), "year": np.asarray(result.times, int)}
    cells = pd.DataFrame({**at, "estimate": result.att_gt})
    kept = np.isfinite(cells["estimate"]).to_numpy() & (influence != 0).any(axis=0)
    return cells[kept].reset_index(drop=True), influence[:, kept], entities.index.to_numpy()


def aggregate(cells, influence, cohort_of, window):
    """Average group-time effects with their influence functions.

    Parameters
    ----------
    cells : pandas.DataFrame
        ``cohort``, ``year``, ``estimate`` of C cells.
    influence : numpy.ndarray, shape (n, C)
        Of each entity on each estimate; the columns sum to about 0, their squares to the variance.
    cohort_of : numpy.ndarray, shape (n,)
        Cohort of each entity, 0 = never.
    window : (int, int)
        Event times reported.

    Returns
    -------
    names : list of str, length k
    estimate : numpy.ndarray, shape (k,)
    psi : numpy.ndarray, shape (n, k)
        Influence functions, that of the estimated cohort shares included.
    """
    group, year = cells["cohort"].to_numpy(), cells["year"].to_numpy()
    effect, event = cells["estimate"].to_numpy(), year - group
    n = len(cohort_of)
    member = (cohort_of[:, None] == group) * 1.0
    share = member.mean(axis=0)
    share_influence = (member - share) / n
    post = event >= 0

    def mean(chosen, weight=1.0):
        """Mean of the chosen cells weighted by cohort share times a known weight."""
        known = chosen * weight
        total = known @ share
        value = (known * share) @ effect / total
        psi = influence @ (known * share / total)
        psi = psi + share_influence @ (known * (effect - value) / total)
        # Of a single treated entity the spread cannot be seen: what remains is the controls'.
        alone = np.isin(cohort_of, group[chosen]).sum() < 2
        return value, psi * np.nan if alone else psi

    def average(parts):
        return tuple(np.mean([part[i] for part in parts], axis=0) for i in (0, 1))

    events = {e: mean(event == e) for e in np.unique(event)}
    groups = {g: mean(post & (group == g)) for g in np.unique(group[post])}
    years = {t: mean(post & (year == t)) for t in np.unique(year[post])}
    per_group = 1.0 / np.maximum(1, [(post & (group == g)).sum() for g in group])
    found = {"att": mean(post)}
    found |= {f"event {e}": part for e, part in events.items() if window[0] <= e <= window[1]}
    found["dynamic"] = average([part for e, part in events.items() if e >= 0])
    found["group"] = mean(post, per_group)
    found |= {f"group {g}": part for g, part in groups.items()}
    found["calendar"] = average(list(years.values()))
    found |= {f"calendar {t}": part for t, part in years.items()}
    estimate, psi = zip(*found.values(), strict=True)
    return list(found), np.array(estimate), np.column_stack(psi)
