"""Least squares of many specifications from one set of cross-products by cluster."""

import numpy as np
import pandas as pd
from scipy import linalg

from monotowns.estimate import absorb
from monotowns.estimate.absorb import drop_singletons
from monotowns.estimate.collinearity import ABSORBED
from monotowns.run.errors import DesignError

#: Least eigenvalue of the regressors' correlations that still says that they differ: below, the
#: cross-products leave fewer than six digits of the coefficients.
SINGULAR = 1e-10


class CrossProducts:
    """Columns on the same rows, demeaned once: what any regression among them is made of.

    Parameters
    ----------
    rows : pandas.DataFrame, n rows
        The named columns, none missing.
    columns : sequence of str
        The q outcomes, treatments and controls.
    effects : sequence of str
        Columns of fixed effects; without any, a constant. Rows alone in a level are dropped.
    weights : str or None
        Column of positive weights.
    cluster : str
        Column of clusters.

    Attributes
    ----------
    index : numpy.ndarray, shape (n,)
        Positions within ``rows`` of the rows used, ordered by cluster.
    n, clusters : int
    at : dict
        Place of each column.

    Raises
    ------
    DesignError
        No rows are left, or fewer than two clusters.
    """

    def __init__(self, rows, columns, effects, weights, cluster):
        used = drop_singletons(rows.assign(_position=np.arange(len(rows))), effects)
        home, labels = absorb.codes(used[cluster], cluster)
        if len(labels) < 2:
            raise DesignError(
                "cross-products",
                "fewer than two clusters",
                keys=[cluster],
                found=f"{len(used)} rows",
            )
        order = np.argsort(home, kind="stable")
        used, home = used.iloc[order], home[order]
        self.index = used["_position"].to_numpy()
        self.n, self.clusters = len(used), len(labels)
        self.start = np.searchsorted(home, np.arange(len(labels)))
        self.effects = [absorb.codes(used[e], e)[0] for e in effects] or [np.zeros(self.n, int)]
        self.absorbed = absorb.residual_degrees(self.effects, home)
        self.root = None if weights is None else np.sqrt(used[weights].to_numpy(float))
        self.at = {column: place for place, column in enumerate(columns)}
        values = used[list(columns)].to_numpy(float)
        self.clean, left = self._demean(values)
        self.explained = left <= ABSORBED
        # Columns of one length, lest units decide what counts as singular.
        self.length = np.linalg.norm(self.clean, axis=0)
        self.length[self.explained] = 1.0
        self.clean /= self.length
        self.cross = np.stack([part.T @ part for part in self._parts(self.clean)])
        self.total = self.cross.sum(axis=0)

    def _demean(self, values):
        """Demeaned columns and the share of their length that is left."""
        clean = absorb.demean(values, self.effects, root=self.root)
        whole = np.linalg.norm(values if self.root is None else values * self.root[:, None], axis=0)
        return clean, np.linalg.norm(clean, axis=0) / np.where(whole > 0, whole, 1)

    def _parts(self, array):
        return np.split(array, self.start[1:])

    def own(self, column):
        """Products by cluster of one of the columns; see :meth:`products`."""
        at = self.at[column]
        cross = self.cross[:, [at]] * self.length[at]
        return cross, cross[:, :, at] * self.length[at]

    def products(self, values):
        """Products by cluster of other columns on the same rows.

        Parameters
        ----------
        values : array_like, shape (n, m)

        Returns
        -------
        cross : numpy.ndarray, shape (clusters, m, q)
            With the demeaned columns, scaled to length 1.
        square : numpy.ndarray, shape (clusters, m)
            With themselves; NaN where the fixed effects explain them.
        """
        clean, left = self._demean(values)
        pairs = zip(self._parts(clean), self._parts(self.clean), strict=True)
        square = np.add.reduceat(clean**2, self.start, axis=0)
        return np.stack([x.T @ z for x, z in pairs]), np.where(left > ABSORBED, square, np.nan)

    def check(self, regressors):
        """Refuse regressors that the fixed effects or the others explain.

        Raises
        ------
        DesignError
        """
        places = [self.at[r] for r in regressors]
        gone = [r for r, place in zip(regressors, places, strict=True) if self.explained[place]]
        if gone:
            raise DesignError(
                "specification", "a regressor is explained by the fixed effects", keys=gone
            )
        if np.linalg.eigvalsh(self.total[np.ix_(places, places)])[0] < SINGULAR:
            raise DesignError(
                "specification", "the regressors explain one another", keys=regressors
            )

    def fit(self, cross, square, controls, outcomes):
        """Coefficients of ``m`` treatments, one at a time, and their CRV1 standard errors.

        By Frisch and Waugh the score of a cluster is bilinear in what is left of treatment and
        outcome, hence in the products by cluster: no row is visited again.

        Parameters
        ----------
        cross, square : numpy.ndarray
            Of the treatments; see :meth:`products`.
        controls, outcomes : sequence of str

        Returns
        -------
        estimate, standard_error : numpy.ndarray, shape (outcomes, m)
            fixest's small-sample correction; NaN where effects or controls explain a treatment.
        """
        w, y = [self.at[c] for c in controls], [self.at[o] for o in outcomes]
        factor = linalg.cho_factor(self.total[np.ix_(w, w)]) if w else None
        solve = (lambda b: linalg.cho_solve(factor, b)) if w else (lambda b: b)
        slope = solve(cross.sum(axis=0)[:, w].T)
        among = self.cross[:, w]
        # What is left of the treatment: its square, and its products with what is left of y.
        left = square - 2 * np.einsum("gmk,km->gm", cross[:, :, w], slope)
        left += ((among[:, :, w] @ slope) * slope).sum(axis=1)
        whole = left.sum(axis=0)
        whole[~(whole > SINGULAR * square.sum(axis=0))] = np.nan
        k = 1 + len(w) + self.absorbed
        scale = self.clusters / (self.clusters - 1) * (self.n - 1) / (self.n - k)
        estimate, error = np.empty((2, len(y), cross.shape[1]))
        for row, place in enumerate(y):
            mix = np.r_[1.0, -solve(self.total[w, place])]
            with_y = cross[:, :, [place, *w]] @ mix - (among[:, :, [place, *w]] @ mix) @ slope
            estimate[row] = with_y.sum(axis=0) / whole
            score = with_y - estimate[row] * left
            error[row] = np.sqrt(scale * (score**2).sum(axis=0)) / whole
        length = self.length[y][:, None]
        return estimate * length, error * length


def permuted_rows(panel, treatments, strata, draws, seed):
    """Deal treatment histories out anew between exchangeable entities.

    Entities are exchangeable within a stratum if their treatments are observed in the same years.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, the treatments and strata; an entity once a year.
    treatments : sequence of str
    strata : str or None
    draws, seed : int

    Returns
    -------
    callable
        ``(draws as a slice, rows) -> positions``, shape (draws, rows): the rows of the panel whose
        treatment each row gets.

    Raises
    ------
    DesignError
        An entity is in two strata, or no treatment varies within any cell.
    """
    where = "permuted treatments"
    unit, entities = absorb.codes(panel["entity"], "entity")
    period, times = absorb.codes(panel["year"], "year")
    stratum = (
        np.zeros(len(panel), int) if strata is None else absorb.codes(panel[strata], strata)[0]
    )
    home = np.empty(len(entities), int)
    home[unit] = stratum
    if (home[unit] != stratum).any():
        torn = np.unique(unit[home[unit] != stratum])
        raise DesignError(where, f"an entity is in two strata of {strata}", keys=entities[torn])
    shape = (len(entities), len(times))
    at = np.zeros(shape, int)
    at[unit, period] = np.arange(len(panel))
    history = np.full((*shape, len(treatments)), np.nan)
    history[unit, period] = panel[list(treatments)].to_numpy(float)
    history = history.reshape(len(entities), -1)
    key = pd.DataFrame(np.c_[home, ~np.isnan(history)].astype(int))
    cell = key.groupby(list(key)).ngroup().to_numpy()
    first = np.unique(cell, return_index=True)[1]
    if np.array_equal(history, history[first][cell], equal_nan=True):
        raise DesignError(
            where, "no treatment varies between exchangeable entities", remedy="use coarser strata"
        )
    place = np.argsort(cell, kind="stable")
    donor = np.empty((draws, len(entities)), int)
    rng = np.random.default_rng(seed)
    for draw in range(draws):
        donor[draw, place] = np.argsort(cell + rng.random(len(entities)))
    return lambda block, rows: at[donor[block][:, unit[rows]], period[rows]]
