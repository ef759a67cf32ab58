"""Specification curve of a declared universe, and its joint test under permuted treatments.

Simonsohn, Simmons and Nelson (2020). All specifications that share rows, fixed effects and weights
share one demeaning and one set of cross-products by cluster; each is then a small solve.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr

from monotowns.estimate.cross_products import CrossProducts, permuted_rows
from monotowns.estimate.randomization import TIE
from monotowns.estimate.record import wald_terms
from monotowns.estimate.universe import CHOICES, names
from monotowns.run.errors import DesignError

#: Numbers that one block of permuted treatments may take.
BLOCK = 2_000_000


def specification_curve(panel, specifications, cluster="region") -> pd.DataFrame:
    """Estimate every specification by least squares on its complete rows.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, the cluster and all columns that the specifications name.
    specifications : pandas.DataFrame
        See :func:`monotowns.estimate.universe.expand`.
    cluster : str
        Column of clusters.

    Returns
    -------
    pandas.DataFrame
        The choices, ``estimate``, ``standard_error``, ``ci_low``, ``ci_high``, ``p_value`` of the
        treatment, ``n_obs``, ``n_clusters`` and ``rank`` (1 is the smallest estimate), in the
        order of ``specifications``. CRV1 and Student's t with clusters - 1 degrees of freedom, as
        :func:`monotowns.estimate.regression.least_squares`.

    Raises
    ------
    DesignError
        A column is absent or infinite, an entity stands twice in a year, a sample has no rows or
        fewer than two clusters, or a regressor is explained by others or by the fixed effects.
    """
    return _curve(_groups(panel, specifications, cluster), specifications)


@dataclass(frozen=True)
class JointTest:
    """What permuting the treatment says about a whole curve.

    Attributes
    ----------
    statistics : pandas.DataFrame
        ``statistic``, ``observed``, ``p_value``; see :func:`curve_statistics`.
    curve : pandas.DataFrame
        The observed curve, see :func:`specification_curve`.
    draws : numpy.ndarray, shape (m, specifications)
        Estimates under permuted treatments, for the band that chance alone would fill.
    """

    statistics: pd.DataFrame
    curve: pd.DataFrame
    draws: np.ndarray = field(repr=False)


def joint_test(panel, specifications, cluster="region", strata=None, draws=500, seed=0):
    """Is the curve further from zero than curves of treatments dealt out at random?

    Whole treatment histories move between entities of a stratum whose treatments are observed in
    the same years; all treatments of an entity move together, outcomes and controls stay. The
    test is exact if the histories are exchangeable within these cells.

    Parameters
    ----------
    panel, specifications, cluster
        See :func:`specification_curve`.
    strata : str, optional
        Column of strata, one an entity; without it all entities are one stratum.
    draws, seed : int

    Returns
    -------
    JointTest
        p-values ``(b + 1) / (m + 1)``, with ``b`` of ``m`` draws at least as far from zero.

    Raises
    ------
    DesignError
        As :func:`specification_curve`; no treatment varies within a cell, an entity is in two
        strata, or a permuted treatment is explained by the fixed effects or controls.
    """
    groups = _groups(panel, specifications, cluster)
    curve = _curve(groups, specifications)
    treatments = list(dict.fromkeys(specifications["treatment"]))
    donors = permuted_rows(panel, treatments, strata, draws, seed)
    estimate = np.empty((draws, len(specifications)))
    ratio = estimate.copy()
    for rows, shared, members in groups:
        step = max(1, BLOCK // max(shared.n, shared.clusters * len(shared.at)))
        for treatment, those in members.groupby("treatment", sort=False):
            values = panel[treatment].to_numpy(float)
            for start in range(0, draws, step):
                block = slice(start, start + step)
                dealt = values[donors(block, rows[shared.index])].T
                for places, b, se in _fits(shared, those, *shared.products(dealt)):
                    estimate[block, places] = b.T
                    with np.errstate(divide="ignore", invalid="ignore"):
                        ratio[block, places] = (b / se).T
    bad = ~np.isfinite(ratio).all(axis=0)
    if bad.any():
        raise DesignError(
            "joint test",
            "a permuted treatment is explained by the rest",
            keys=names(specifications[bad]),
            remedy="use coarser strata, or leave these out",
        )
    df = curve["n_clusters"].to_numpy() - 1
    seen = curve_statistics(curve["estimate"], curve["estimate"] / curve["standard_error"], df)
    drawn = curve_statistics(estimate, ratio, df)
    table = pd.DataFrame(
        [
            (name, value, ((drawn[name] >= value * (1 - TIE)).sum() + 1) / (draws + 1))
            for name, value in seen.items()
        ],
        columns=["statistic", "observed", "p_value"],
    )
    return JointTest(table, curve, estimate)


def curve_statistics(estimate, ratio, df, level=0.05) -> dict:
    """The three summaries of a curve of Simonsohn, Simmons and Nelson (2020), free of sign.

    Parameters
    ----------
    estimate, ratio : array_like, shape (..., specifications)
        Estimates and their t ratios.
    df : array_like, shape (specifications,)
        Degrees of freedom of the ratios.

    Returns
    -------
    dict
        ``median``: absolute median estimate. ``share_significant``: share of specifications that
        are significant with the sign that most estimates have. ``average_z``: absolute mean of
        the normal scores of the ratios (Stouffer's Z over the root of their number).
    """
    estimate, ratio = np.asarray(estimate, float), np.asarray(ratio, float)
    tail = stdtr(df, -np.abs(ratio))
    # Beyond 37 standard deviations the normal tail is zero to the computer.
    z = np.sign(ratio) * np.minimum(-ndtri(tail), 37.0)
    majority = np.sign(np.sign(estimate).sum(axis=-1))
    share = [((tail < level / 2) & (sign * estimate > 0)).mean(axis=-1) for sign in (1, -1)]
    tied = np.maximum(*share)
    return {
        "median": np.abs(np.median(estimate, axis=-1)),
        "share_significant": np.select([majority > 0, majority < 0], share, tied),
        "average_z": np.abs(z.mean(axis=-1)),
    }


def _columns(panel, specifications, cluster):
    """All columns that the specifications need, checked."""
    where = "specification curve"
    masks = list(specifications["mask"].dropna().unique())
    weights = sorted({*specifications["weights"]} - {"none"})
    numbers = {*specifications["outcome"], *specifications["treatment"], *weights}
    numbers = sorted(numbers.union(*specifications["control_columns"]))
    labels = sorted({cluster}.union(*specifications["effects"]))
    absent = [c for c in ["entity", "year", *numbers, *labels, *masks] if c not in panel]
    if absent:
        raise DesignError(where, "no such column in the panel", keys=absent)
    values = panel[numbers].to_numpy(float)
    for problem, bad in (
        ("an entity stands twice in a year", panel.duplicated(["entity", "year"])),
        ("a value is infinite", np.isinf(values).any(axis=1)),
        ("weights are not positive", (panel[weights] <= 0).any(axis=1)),
    ):
        if bad.any():
            keys = panel.loc[bad, ["entity", "year"]].itertuples(index=False, name=None)
            raise DesignError(where, problem, keys=keys)
    for mask in masks:
        if panel[mask].dtype != bool:
            raise DesignError(
                where,
                "a sample is not a column of true and false",
                keys=[mask],
                found=panel[mask].dtype,
            )
    return [*numbers, *labels]


def _groups(panel, specifications, cluster):
    """Rows, cross-products and specifications of all that share both."""
    columns = _columns(panel, specifications, cluster)
    gaps = {c: panel[c].notna().to_numpy() for c in columns if panel[c].isna().any()}
    shared = {}
    for place, spec in enumerate(specifications.itertuples(index=False)):
        needed = {spec.outcome, spec.treatment, *spec.control_columns, *spec.effects, spec.weights}
        kept = np.ones(len(panel), bool) if pd.isna(spec.mask) else panel[spec.mask].to_numpy()
        for column in (needed | {cluster}) & gaps.keys():
            kept = kept & gaps[column]
        shared.setdefault((spec.effects, spec.weights, kept.tobytes()), []).append(place)
    groups = []
    for (effects, weight, kept), places in shared.items():
        rows = np.flatnonzero(np.frombuffer(kept, bool))
        members = specifications.iloc[places].assign(place=places)
        columns = dict.fromkeys([*members["outcome"], *members["treatment"]])
        columns |= dict.fromkeys(c for cs in members["control_columns"] for c in cs)
        weight = None if weight == "none" else weight
        try:
            products = CrossProducts(panel.iloc[rows], list(columns), effects, weight, cluster)
        except DesignError as error:
            raise DesignError(
                "specification curve",
                error.problem,
                keys=names(members),
                found=error.found,
                remedy=error.remedy,
            ) from error
        groups.append((rows, products, members))
    return groups


def _fits(shared, members, cross, square):
    """Places, estimates and standard errors of one treatment's specifications, by control set."""
    for controls, those in members.groupby("control_columns", sort=False):
        yield those["place"].to_numpy(), *shared.fit(cross, square, controls, those["outcome"])


def _curve(groups, specifications):
    parts = []
    for _, shared, members in groups:
        for (treatment, controls), those in members.groupby(["treatment", "control_columns"]):
            try:
                shared.check([treatment, *controls])
            except DesignError as error:
                raise DesignError(
                    "specification curve",
                    error.problem,
                    keys=names(those),
                    found=", ".join(error.keys),
                    remedy="leave these out of the universe",
                ) from error
        for treatment, those in members.groupby("treatment", sort=False):
            for places, b, se in _fits(shared, those, *shared.own(treatment)):
                terms = wald_terms(
                    specifications.index[places], b[:, 0], se[:, 0], df=shared.clusters - 1
                )
                terms["n_obs"], terms["n_clusters"] = shared.n, shared.clusters
                parts.append(terms.assign(place=places))
    terms = pd.concat(parts).sort_values("place").set_index(specifications.index)
    rank = terms["estimate"].rank(method="first").astype(int)
    found = terms.drop(columns=["term", "place"]).assign(rank=rank)
    return pd.concat([specifications[CHOICES], found], axis=1)
