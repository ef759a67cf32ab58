"""Effects of a staggered treatment on the treated and on their neighbours by distance ring.

diff-diff's SpilloverDiD (3.13) gives the same estimates, but its standard errors change with the
entity that stands first (its first stage lacks a constant), and it refuses unbalanced panels.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from monotowns.estimate import spatial_weights
from monotowns.estimate.events import clustered, report
from monotowns.estimate.identification import check
from monotowns.estimate.imputation import untreated_effects
from monotowns.estimate.record import Fit
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
        As for :mod:`.staggered`, with ``lat`` and ``lon`` (degrees). Places treated outside of the
        rows are not known here: leave their neighbours out, or their rings are taken for clean.
    rings_km : sequence of float
        Bounds of the rings from 0 on.

    Returns
    -------
    Fit
        Terms ``att`` (on the treated: of their own and their neighbours' treatment together) and
        ``spillover a-b`` for each ring. Variance of Gardner (2022, section 4), clustered, with
        the uncertainty of the first stage and fixest's correction for the second; none for a term
        that rests on one entity.
    """
    cohorts = check(rows, outcome, treatment, cluster, place=("lat", "lon"))
    frame = cohorts.frame
    exposure = _exposure(frame, treatment, rings_km)
    behind = {term: frame.loc[exposure[term] > 0, "entity"].nunique() for term in exposure}
    empty = [term for term, entities in behind.items() if entities == 0]
    if empty:
        raise DesignError(
            "spillover rings", "a term has no row", keys=empty, remedy="join it with another ring"
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
    n, k = exposure.shape
    return report(
        cohorts,
        names,
        estimate,
        (n - 1) / (n - k) * clustered(scores @ bread, frame[cluster]),
        estimator="spillover_rings",
        variance=f"CRV1({cluster}) with first stage, fixest ssc",
        cells=behind,
        clean_rows=int(clean.sum()),
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
