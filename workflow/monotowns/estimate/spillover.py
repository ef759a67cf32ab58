"""Effects of a staggered treatment on the treated and on their neighbours by distance ring."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from monotowns.estimate import spatial_weights as weights
from monotowns.estimate.record import Fit, wald_terms
from monotowns.measures.agglomeration import EARTH_KM
from monotowns.run.errors import DesignError

WHERE = "spillover rings"


def rings(rows: pd.DataFrame, outcome, cohort, cluster="entity", rings_km=(0, 50, 100)) -> Fit:
    """Difference in differences that leaves room for spillovers onto near controls.

    Two stages (Gardner 2022; Butts 2023, section 5): entity and year effects are estimated on
    clean rows, untreated and beyond the last ring around any place treated by then; what they
    leave of the outcome in all rows is regressed on the treatment and, for rows not yet treated,
    on the ring of the nearest place treated by then. A distance equal to a bound belongs to the
    outer ring.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, ``lat``, ``lon`` (degrees), the outcome, ``cohort`` (first treated
        year, 0 = never) and the cluster, in any order. Places treated outside of the rows are
        not known here: leave their neighbours out, or their rings are taken for clean.
    rings_km : sequence of float
        Bounds of the rings from 0 on.

    Returns
    -------
    Fit
        Terms ``att`` (on the treated: of their own and their neighbours' treatment together) and
        ``spillover a-b`` for each ring. Variance of Gardner (2022, section 4), clustered, with
        the uncertainty of the first stage and fixest's correction for the second; Student's t with
        clusters - 1 degrees of freedom. ``details``: ``cohorts`` (entities by first treated
        year), ``rows`` (rows by term) and ``clean_rows``.

    Raises
    ------
    DesignError
        A column or a value is missing, an entity-year stands twice, a coordinate is out of range,
        place, cohort or cluster change within an entity, no row is treated, there are fewer than
        two clusters, a ring is empty, or an entity or a year has no clean row to tell its effect.
    """
    fixed = list(dict.fromkeys(["lat", "lon", cohort, cluster]))
    rows = _checked(rows, [outcome, *fixed])
    who, ids = pd.factorize(rows["entity"], sort=True)
    when, years = pd.factorize(rows["year"], sort=True)
    place = rows.drop_duplicates("entity")
    exposure, names = _exposure(rows, place, who, cohort, rings_km)
    empty = [name for name, any_row in zip(names, exposure.any(axis=0), strict=True) if not any_row]
    if empty:
        raise DesignError(
            WHERE,
            "a term has no row",
            keys=empty,
            remedy="join the ring with another, or add treated entities",
        )
    groups, labels = pd.factorize(rows[cluster])
    if len(labels) < 2:
        raise DesignError(WHERE, "fewer than two clusters", keys=[cluster])
    clean = exposure.sum(axis=1) == 0
    _linked(who[clean], when[clean], ids, years)

    # The first year's effect is zero; every entity keeps its own.
    n, later = len(rows), when > 0
    at = (np.r_[np.arange(n), np.flatnonzero(later)], np.r_[who, len(ids) + when[later] - 1])
    effects = sparse.csr_array((np.ones(len(at[0])), at), shape=(n, len(ids) + len(years) - 1))
    base = effects[clean]
    normal = splu((base.T @ base).tocsc())
    y = rows[outcome].to_numpy(float)
    left = y - effects @ normal.solve(base.T @ y[clean])
    bread = np.linalg.inv(exposure.T @ exposure)
    estimate = bread @ (exposure.T @ left)
    scores = exposure * (left - exposure @ estimate)[:, None]
    scores[clean] -= (base @ normal.solve(effects.T @ exposure)) * left[clean, None]
    by_cluster = np.zeros((len(labels), len(names)))
    np.add.at(by_cluster, groups, scores)
    correction = len(labels) / (len(labels) - 1) * (n - 1) / (n - len(names))
    covariance = correction * bread @ by_cluster.T @ by_cluster @ bread
    terms = wald_terms(names, estimate, np.sqrt(np.diag(covariance)), df=len(labels) - 1)
    treated = place.loc[place[cohort].between(1, rows["year"].max()), cohort]
    details = {
        "cohorts": treated.astype(int).value_counts().sort_index().to_dict(),
        "rows": dict(zip(names, exposure.sum(axis=0).astype(int).tolist(), strict=True)),
        "clean_rows": int(clean.sum()),
    }
    return Fit(
        terms,
        "spillover_rings",
        f"CRV1({cluster}) with first stage, fixest ssc",
        n,
        len(ids),
        len(labels),
        covariance,
        details,
    )


def _checked(rows, columns):
    columns = list(dict.fromkeys(["entity", "year", *columns]))
    absent = [c for c in columns if c not in rows]
    if absent:
        raise DesignError(WHERE, "no such column", keys=absent, expected=", ".join(rows.columns))
    rows = rows[columns].sort_values(["entity", "year"], ignore_index=True)
    faults = [
        ("a value is missing", rows.isna().any(axis=1)),
        ("an entity-year stands twice", rows.duplicated(["entity", "year"])),
    ]
    for problem, bad in faults:
        if bad.any():
            keys = rows.loc[bad, ["entity", "year"]].itertuples(index=False, name=None)
            raise DesignError(WHERE, problem, keys=keys)
    changing = rows.groupby("entity")[columns[3:]].nunique().max(axis=1) > 1
    if changing.any():
        raise DesignError(
            WHERE, "place, cohort or cluster change within an entity", keys=changing.index[changing]
        )
    return rows


def _exposure(rows, place, who, cohort, rings_km):
    """Indicators of the treated and of each ring, and their terms."""
    points = weights.on_sphere(place["lat"], place["lon"])
    start, year = place[cohort].to_numpy(), rows["year"].to_numpy()
    nearest = np.full(len(rows), np.inf)
    for adopted in np.unique(start[start > 0]):
        treated = points[(start > 0) & (start <= adopted)]
        chord = cKDTree(treated).query(points)[0]
        km = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1))
        nearest = np.where(year >= adopted, km[who], nearest)
    on = (start[who] > 0) & (year >= start[who])
    names = ["att", *(f"spillover {a:g}-{b:g}" for a, b in pairwise(rings_km))]
    within = [~on & (nearest >= a) & (nearest < b) for a, b in pairwise(rings_km)]
    return np.column_stack([on, *within]).astype(float), names


def _linked(who, when, ids, years):
    """Refuse entities and years whose effects the clean rows do not tell."""
    size = len(ids) + len(years)
    graph = sparse.coo_array((np.ones(len(who)), (who, len(ids) + when)), shape=(size, size))
    part = connected_components(graph, directed=False)[1]
    apart = np.flatnonzero(part != np.bincount(part).argmax())
    if len(apart):
        keys = [*(f"entity {i}" for i in ids), *(f"year {t}" for t in years)]
        raise DesignError(
            WHERE,
            "no row that is untreated and beyond the last ring tells the effect of",
            keys=[keys[i] for i in apart],
            remedy="take narrower rings, or leave out what is treated or near from the start",
        )
