"""Staggered adoption: one function an estimator, for the specifications to name.

Each takes ``(rows, outcome, cohort, cluster, window, ...)`` and returns a Fit with terms ``att``
and ``event e``; see :mod:`monotowns.estimate.cohorts` for what is refused and how it is reported.
"""

import numpy as np
import pandas as pd

from monotowns.estimate import cohorts
from monotowns.estimate.bacon import bacon
from monotowns.estimate.cohorts import pretrend_test
from monotowns.estimate.group_time import callaway_santanna
from monotowns.estimate.imputation import from_events, imputation, two_stage
from monotowns.run.errors import DesignError

__all__ = [
    "bacon",
    "callaway_santanna",
    "imputation",
    "local_projections",
    "pretrend_test",
    "stacked",
    "sun_abraham",
    "synthetic_did",
    "two_stage",
]


def sun_abraham(
    rows: pd.DataFrame,
    outcome,
    cohort,
    cluster="entity",
    window=(-5, 4),
    *,
    covariates=(),
    anticipation=0,
    seed=None,
):
    """Interaction-weighted event study against never treated entities (Sun and Abraham 2021).

    Returns
    -------
    Fit
        ``att`` (events after the treatment, weighted by treated rows), ``event e``, ``band``;
        cohort shares taken as known.
    """
    from diff_diff import SunAbraham
    from diff_diff.results_base import build_event_study_surface

    frame = cohorts.check(rows, outcome, cohort, cluster, covariates, anticipation)
    if (frame[cohort] > 0).all():
        raise DesignError(cohorts.WHERE, "no entity is never treated", keys=["sun_abraham"])
    with cohorts.noted() as notes:
        result = SunAbraham(cluster=cluster, anticipation=anticipation).fit(
            frame,
            outcome=outcome,
            unit="entity",
            time="year",
            first_treat=cohort,
            covariates=list(covariates) or None,
        )
        surface = build_event_study_surface(result)
    event = (frame["year"] - frame[cohort]).where(frame[cohort] > 0)
    return from_events(
        frame,
        cohort,
        cluster,
        surface,
        surface.vcov,
        window,
        mass=event.value_counts(),
        estimator="sun_abraham",
        seed=seed,
        variance=f"CRV1({cluster}), fixest small-sample correction",
        details={"anticipation": anticipation, "notes": notes},
    )


def stacked(
    rows: pd.DataFrame,
    outcome,
    cohort,
    cluster="entity",
    window=(-5, 4),
    *,
    anticipation=0,
    seed=None,
):
    """Stacked event study with corrective weights (Wing, Freedman and Hollingsworth 2024).

    Every cohort must be seen at every event time, so the window is narrowed to the widest that
    all cohorts fill; ``details["window"]`` tells which.

    Returns
    -------
    Fit
        ``att`` (plain mean of the events after the treatment), ``event e``, ``band``. Shocks of a
        year that all share cancel in the estimates but not in their standard errors: these are
        too wide when such shocks are large.
    """
    from diff_diff import StackedDiD

    frame = cohorts.check(rows, outcome, cohort, cluster, (), anticipation)
    cohorts.need_entity_clusters(frame, cluster, "stacked")
    adopted = frame.loc[frame[cohort] > 0, cohort]
    low = max(window[0], frame["year"].min() - adopted.min())
    high = min(window[1], frame["year"].max() - adopted.max())
    if low >= -1 - anticipation or high < 0:
        raise DesignError(
            cohorts.WHERE,
            "no window is filled by every cohort",
            keys=sorted(adopted.unique()),
            found=f"{low} to {high}",
        )
    with cohorts.noted() as notes:
        result = StackedDiD(
            kappa_pre=int(-low - anticipation), kappa_post=int(high), anticipation=anticipation
        ).fit(frame, outcome=outcome, unit="entity", time="year", first_treat=cohort)
        surface = result.aggregate("event_study")
    return from_events(
        frame,
        cohort,
        cluster,
        surface,
        surface.vcov,
        (low, high),
        mass=pd.Series(1.0, range(high + 1)),
        estimator="stacked",
        seed=seed,
        variance=f"CRV1({cluster}), fixest small-sample correction",
        details={"window": (int(low), int(high)), "anticipation": anticipation, "notes": notes},
    )


def local_projections(rows: pd.DataFrame, outcome, cohort, cluster="entity", window=(-5, 4)):
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

    frame = cohorts.check(rows, outcome, cohort, cluster)
    on = (frame[cohort] > 0) & (frame["year"] >= frame[cohort])
    reach = (frame["year"] - frame[cohort])[frame[cohort] > 0]
    before = min(max(-window[0], 2), -int(reach.min()))
    model = LPDiD(pre_window=before, post_window=min(window[1], int(reach.max())), cluster=cluster)
    with cohorts.noted() as notes:
        result = model.fit(
            frame.assign(on=on.astype(int)),
            outcome=outcome,
            unit="entity",
            time="year",
            treatment="on",
        )
    table = result.event_study.dropna(subset=["se"])
    pooled = result.pooled.set_index("window").loc["post"]
    names = ["att", *(f"event {int(h)}" for h in table["horizon"])]
    spread = np.array([pooled["se"], *table["se"]])
    covariance = np.full((len(spread), len(spread)), np.nan)
    np.fill_diagonal(covariance, spread**2)
    return cohorts.report(
        frame,
        cohort,
        cluster,
        names,
        [pooled["coefficient"], *table["coefficient"]],
        covariance,
        estimator="local_projections",
        variance=f"CRV1({cluster}), fixest small-sample correction",
        details={"notes": notes},
    )


def synthetic_did(rows: pd.DataFrame, outcome, cohort, cluster="entity", *, draws=200, seed=0):
    """Weight never treated entities and years so that they run parallel to each cohort.

    Each cohort is fitted by itself (Arkhangelsky et al. 2021) and enters with its treated
    entity-years (Clarke, Pailanir, Athey and Imbens 2023). The variance comes from placebos: never
    treated entities drawn as cohorts of the same sizes.

    Parameters
    ----------
    draws : int
        Placebo draws.

    Returns
    -------
    Fit
        ``att`` and ``group g``.

    Raises
    ------
    DesignError
        Also if the panel is not balanced, a cohort has a single year before, or the treated are
        not fewer than the never treated.
    """
    # Two years before the cohort are what anticipation of one year asks for.
    frame = cohorts.check(rows, outcome, cohort, cluster, anticipation=1)
    cohorts.need_balance(frame)
    cohorts.need_entity_clusters(frame, cluster, "synthetic_did")
    wide = frame.pivot(index="entity", columns="year", values=outcome)
    adopted = frame.groupby("entity")[cohort].first()
    years, never = wide.columns.to_numpy(), wide[adopted == 0].to_numpy()
    sizes = adopted[adopted > 0].value_counts().sort_index()
    if len(never) <= sizes.sum():
        raise DesignError(
            cohorts.WHERE,
            "too few never treated entities for placebos",
            expected=f"more than {sizes.sum()}",
            found=len(never),
        )
    mass = sizes.to_numpy() * np.array([(years >= g).sum() for g in sizes.index])

    def effects(control, treated):
        found = [
            _synthetic(control, part, (years < g).sum())
            for g, part in zip(sizes.index, treated, strict=True)
        ]
        return [np.average(found, weights=mass), *found]

    rng, cut = np.random.default_rng(seed), np.cumsum(sizes.to_numpy())
    placebos = []
    for _ in range(draws):
        mixed = never[rng.permutation(len(never))]
        placebos.append(effects(mixed[cut[-1] :], np.split(mixed[: cut[-1]], cut[:-1])))
    return cohorts.report(
        frame,
        cohort,
        cluster,
        ["att", *(f"group {g}" for g in sizes.index)],
        effects(never, [wide[adopted == g].to_numpy() for g in sizes.index]),
        np.cov(np.transpose(placebos), ddof=0),
        estimator="synthetic_did",
        variance=f"placebo, {draws} draws of entities",
    )


def _synthetic(control, treated, before):
    """Effect on one block of treated entities (rows) after its first ``before`` years."""
    from diff_diff.utils import (
        compute_sdid_estimator,
        compute_sdid_unit_weights,
        compute_time_weights,
    )

    noise = np.diff(control[:, :before], axis=1).std(ddof=1)
    old, new = control[:, :before].T, control[:, before:].T
    mean = treated.mean(axis=0)
    # Regularisation and stopping rule of the authors' code.
    zeta = (len(treated) * len(new)) ** 0.25 * noise
    entities = compute_sdid_unit_weights(old, mean[:before], zeta, min_decrease=1e-5 * noise)
    times = compute_time_weights(old, new, 1e-6 * noise, min_decrease=1e-5 * noise)
    return compute_sdid_estimator(old, new, mean[:before], mean[before:], entities, times)
