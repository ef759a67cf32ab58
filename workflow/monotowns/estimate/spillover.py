"""Effects of a staggered treatment on the treated and on their neighbours by distance ring.

diff-diff's SpilloverDiD (3.13) gives the same estimates, but its standard errors change with the
entity that stands first (its first stage lacks a constant), and it refuses unbalanced panels.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from monotowns.estimate import spatial_weights
from monotowns.estimate.events import clustered
from monotowns.estimate.identification import check
from monotowns.estimate.imputation import untreated_effects
from monotowns.estimate.record import Fit, wald_terms
from monotowns.measures.agglomeration import EARTH_KM
from monotowns.run.errors import DesignError


def rings(rows: pd.DataFrame, outcome, treatment, cluster="entity", rings_km=(0, 50, 100)) -> Fit:
    """Difference in differences that leaves room for spillovers onto near controls.

    Two stages (Gardner 2022; Butts 2023, section 5): entity and year effects are estimated on
    clean rows, untreated and beyond the last ring around any place treated by then; what they
    leave of the outcome in all rows is regressed on the treatment and, for rows not yet treated,
    on the ring of the nearest place treated by then. A distance equal to a bound belongs to the
    outer ring.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, ``lat``, ``lon`` (degrees), the outcome, ``treatment`` (first treated
        year, 0 = never) and the cluster. Places treated outside of the rows are not known here:
        leave their neighbours out, or their rings are taken for clean.
    rings_km : sequence of float
        Bounds of the rings from 0 on.

    Returns
    -------
    Fit
        Terms ``att`` (on the treated: of their own and their neighbours' treatment together) and
        ``spillover a-b`` for each ring. Variance of Gardner (2022, section 4), clustered, with
        the uncertainty of the first stage and fixest's correction for the second; Student's t with
        clusters - 1 degrees of freedom.

    Raises
    ------
    DesignError
        The rows of :func:`~.identification.check`; a term that rests on fewer than two entities;
        an entity or a year without a clean row.
    """
    frame = check(rows, outcome, treatment, cluster, place=("lat", "lon"))
    exposure = _exposure(frame, treatment, rings_km)
    behind = exposure.astype(bool).apply(lambda column: frame.loc[column, "entity"].nunique())
    if (behind < 2).any():
        raise DesignError(
            "spillover rings",
            "a term rests on fewer than two entities",
            keys=behind.index[behind < 2],
            remedy="join the ring with another, or add treated entities",
        )
    names, exposure = list(exposure), exposure.to_numpy()
    clean = exposure.sum(axis=1) == 0
    effects, solve = untreated_effects(frame, clean)
    base, y = effects[clean], frame[outcome].to_numpy(float)
    left = y - effects @ solve(base.T @ y[clean])
    bread = np.linalg.inv(exposure.T @ exposure)
    estimate = bread @ (exposure.T @ left)
    scores = exposure * (left - exposure @ estimate)[:, None]
    scores[clean] -= (base @ solve(effects.T @ exposure)) * left[clean, None]
    n, clusters = len(frame), frame[cluster].nunique()
    covariance = (n - 1) / (n - len(names)) * clustered(scores @ bread, frame[cluster])
    return Fit(
        wald_terms(names, estimate, np.sqrt(np.diag(covariance)), df=clusters - 1),
        "spillover_rings",
        f"CRV1({cluster}) with first stage, fixest ssc",
        n,
        frame["entity"].nunique(),
        clusters,
        covariance,
        {"clean_rows": int(clean.sum())},
    )


def _exposure(frame, treatment, rings_km) -> pd.DataFrame:
    """Indicators of the treated and of each ring, by term."""
    who, _ = pd.factorize(frame["entity"])
    place = frame.drop_duplicates("entity")
    points = spatial_weights.on_sphere(place["lat"], place["lon"])
    start, year = place[treatment].to_numpy(), frame["year"].to_numpy()
    nearest = np.full(len(frame), np.inf)
    for adopted in np.unique(start[start > 0]):
        treated = points[(start > 0) & (start <= adopted)]
        chord = cKDTree(treated).query(points)[0]
        km = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1))
        nearest = np.where(year >= adopted, km[who], nearest)
    on = (start[who] > 0) & (year >= start[who])
    within = {
        f"spillover {a:g}-{b:g}": ~on & (nearest >= a) & (nearest < b)
        for a, b in pairwise(rings_km)
    }
    return pd.DataFrame({"att": on, **within}, index=frame.index).astype(float)
