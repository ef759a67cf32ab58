"""Specification curve of a declared universe, and its joint test under permuted treatments.

Simonsohn, Simmons and Nelson (2020). All specifications that share rows, fixed effects and weights
share one demeaning and one set of cross-products by cluster; each is then a small solve. pyfixest
0.60 demeans anew for every treatment drawn (40 times slower at study size, see tests/bench).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import linalg
from scipy.special import ndtri, stdtr

from monotowns.estimate import absorb
from monotowns.estimate.absorb import drop_singletons
from monotowns.estimate.collinearity import TOLERANCE, absorbed, refuse_unidentified
from monotowns.estimate.kernel import Clusters
from monotowns.estimate.randomization import TIE
from monotowns.estimate.record import wald_terms
from monotowns.estimate.universe import CHOICES, names
from monotowns.run.errors import DesignError, examples

#: Numbers that one block of permuted treatments may take.
BLOCK = 2_000_000


@dataclass(frozen=True)
class JointTest:
    """A specification curve and what permuting the treatment says about it as a whole.

    Attributes
    ----------
    curve : pandas.DataFrame
        One row a specification: its choices, ``estimate``, ``standard_error``, ``ci_low``,
        ``ci_high``, ``p_value`` of the treatment (CRV1, Student's t with clusters - 1 degrees of
        freedom), ``n_obs``, ``n_entities``, ``n_clusters`` and ``rank`` (1 is the smallest).
    statistics : pandas.DataFrame
        ``statistic``, ``observed``, ``p_value`` ``(b + 1) / (m + 1)``, with ``b`` of ``m`` draws at
        least as far from zero; see :func:`curve_statistics`.
    draws : numpy.ndarray, shape (m, specifications)
        Estimates under permuted treatments, for the band that chance alone would fill.
    """

    curve: pd.DataFrame
    statistics: pd.DataFrame
    draws: np.ndarray = field(repr=False)


def joint_test(panel, specifications, cluster, strata, draws, seed) -> JointTest:
    """Is the curve further from zero than curves of treatments permuted at random?

    Whole treatment histories move between entities of a stratum whose treatments are observed in
    the same years; all treatments of an entity move together, outcomes and controls stay. The
    test is exact if the histories are exchangeable within these cells.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity`` and ``year``, once each, the cluster, all columns that the specifications name,
        and a boolean column ``in <sample>`` for each of their samples.
    specifications : pandas.DataFrame
        See :func:`monotowns.estimate.universe.expand`.
    cluster, strata : str
        Columns of clusters and of strata.
    draws, seed : int

    Raises
    ------
    DesignError
        A sample has fewer than two clusters, a value is infinite, a weight not positive, a
        regressor is explained by others or by the fixed effects; no treatment varies within a
        cell, an entity is in two strata.
    """
    groups = shared_rows(panel, specifications, cluster)
    treatments = list(dict.fromkeys(specifications["treatment"]))
    donors = permuted_rows(panel, treatments, strata, draws, seed)
    estimate, error = np.empty((2, draws + 1, len(specifications)))
    terms = []
    for shared, members in groups:
        step = max(1, BLOCK // max(len(shared.rows), shared.cross[..., 0].size))
        for treatment, those in members.groupby("treatment", sort=False):
            values = panel[treatment].to_numpy(float)
            for start in range(0, draws + 1, step):
                block = slice(start, start + step)
                permuted = values[donors(block, shared.rows)].T
                for places, b, se in shared.fits(those, *shared.products(permuted)):
                    estimate[block, places], error[block, places] = b.T, se.T
        at, clusters = members["place"].to_numpy(), len(shared.clusters.labels)
        sizes = {"n_obs": len(shared.rows), "n_entities": shared.entities, "n_clusters": clusters}
        own = wald_terms(at, estimate[0, at], error[0, at], df=clusters - 1)
        terms.append(own.assign(**sizes))
    bad = ~(error > 0).all(axis=0)
    if bad.any():
        raise DesignError(
            "joint test",
            "a permuted treatment is explained by the rest",
            keys=names(specifications[bad]),
            remedy="use coarser strata, or leave these out",
        )
    terms = pd.concat(terms).set_index("term").sort_index().set_axis(specifications.index)
    rank = terms["estimate"].rank(method="first").astype(int)
    curve = pd.concat([specifications[CHOICES], terms.assign(rank=rank)], axis=1)
    df = terms["n_clusters"].to_numpy() - 1
    rows = [
        (name, values[0], ((values[1:] >= values[0] * (1 - TIE)).sum() + 1) / (draws + 1))
        for name, values in curve_statistics(estimate, estimate / error, df).items()
    ]
    table = pd.DataFrame(rows, columns=["statistic", "observed", "p_value"])
    return JointTest(curve, table, estimate[1:])


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


def shared_rows(panel, specifications, cluster) -> list:
    """Pairs of :class:`CrossProducts` and the specifications that share them, with their place.

    Parameters
    ----------
    panel, specifications, cluster
        See :func:`joint_test`.
    """
    shared, known = {}, {column: values.to_numpy() for column, values in panel.notna().items()}
    known["none"] = True
    for place, spec in enumerate(specifications.itertuples(index=False)):
        kept = panel[f"in {spec.sample}"].to_numpy(copy=True)
        fields = spec.outcome, spec.treatment, *spec.columns, *spec.effects, spec.weights, cluster
        for column in fields:
            kept &= known[column]
        shared.setdefault((spec.effects, spec.weights, kept.tobytes()), []).append(place)
    groups = []
    for (effects, weights, kept), places in shared.items():
        members = specifications.iloc[places].assign(place=places)
        columns = [*members["outcome"], *members["treatment"], *members["columns"].explode()]
        columns = [column for column in dict.fromkeys(columns) if not pd.isna(column)]
        rows = np.flatnonzero(np.frombuffer(kept, bool))
        try:
            products = CrossProducts(panel, rows, columns, effects, weights, cluster)
            for (treatment, controls), _ in members.groupby(["treatment", "columns"]):
                products.check([treatment, *controls])
        except DesignError as error:
            raise DesignError(
                "specification curve",
                error.problem,
                keys=names(members),
                found=examples(error.keys) or error.found,
                remedy="leave these out of the universe",
            ) from error
        groups.append((products, members))
    return groups


class CrossProducts:
    """Columns on the same rows, demeaned once: what any regression among them is made of.

    Parameters
    ----------
    panel : pandas.DataFrame
    rows : numpy.ndarray of int
        Positions of the rows on which no column is missing; those alone in a level are dropped.
    columns : list of str
        The q outcomes, treatments and controls.
    effects : sequence of str
        Columns of fixed effects; without any, a constant.
    weights : str
        Column of positive weights, or ``none``.
    cluster : str

    Attributes
    ----------
    rows : numpy.ndarray of int, shape (n,)
        Positions of the rows used.
    clusters : monotowns.estimate.kernel.Clusters
    cross : numpy.ndarray, shape (G, q, q)
        Products by cluster of the demeaned columns, scaled to length 1.
    """

    def __init__(self, panel, rows, columns, effects, weights, cluster):
        named = dict.fromkeys(["entity", *columns, *effects, cluster, weights])
        used = panel[[name for name in named if name != "none"]].iloc[rows]
        used = drop_singletons(used.assign(_row=rows), effects)
        self.rows, self.entities = used["_row"].to_numpy(), used["entity"].nunique()
        weights = None if weights == "none" else used[weights]
        self.clusters = Clusters(used[cluster], [used[e] for e in effects], weights)
        self.at = {column: place for place, column in enumerate(columns)}
        values = used[columns].to_numpy(float)
        self.before, self.clean = self.clusters.ordered(values), self.clusters.demean(values)
        # Columns of one length, lest units decide what counts as singular.
        length = np.linalg.norm(self.clean, axis=0)
        self.length = np.where(length > 0, length, 1.0)
        self.clean /= self.length
        self.cross = self._by_cluster(self.clean)
        self.total = self.cross.sum(axis=0)

    def _by_cluster(self, left):
        pairs = zip(self.clusters.parts(left), self.clusters.parts(self.clean), strict=True)
        return np.stack([x.T @ z for x, z in pairs])

    def check(self, regressors):
        """Refuse regressors that the fixed effects or the others explain."""
        at = [self.at[r] for r in regressors]
        refuse_unidentified(
            "specification", self.before[:, at] / self.length[at], self.clean[:, at], regressors
        )

    def products(self, values):
        """Products by cluster of other columns on the same rows.

        Parameters
        ----------
        values : array_like, shape (n, m)

        Returns
        -------
        cross : numpy.ndarray, shape (G, m, q)
            With the demeaned columns, scaled to length 1.
        square : numpy.ndarray, shape (G, m)
            With themselves; NaN where the fixed effects explain them.
        """
        clean = self.clusters.demean(values)
        square = self.clusters.sums(clean**2)
        square[:, absorbed(self.clusters.ordered(values), clean, range(clean.shape[1]))] = np.nan
        return self._by_cluster(clean), square

    def fits(self, members, cross, square):
        """Coefficients of ``m`` treatments, one at a time, and their CRV1 standard errors.

        By Frisch and Waugh the score of a cluster is bilinear in what is left of treatment and
        outcome, hence in the products by cluster: no row is visited again.

        Parameters
        ----------
        members : pandas.DataFrame
            The specifications.
        cross, square : numpy.ndarray
            Of the treatments; see :meth:`products`.

        Yields
        ------
        places : numpy.ndarray
            Of the specifications that share their controls.
        estimate, standard_error : numpy.ndarray, shape (places, m)
            fixest's small-sample correction; NaN where effects or controls explain a treatment.
        """
        for controls, those in members.groupby("columns", sort=False):
            w, y = [self.at[c] for c in controls], [self.at[o] for o in those["outcome"]]
            slope = linalg.solve(self.total[np.ix_(w, w)], cross.sum(axis=0)[:, w].T)
            among = self.cross[:, w]
            # What is left of the treatment: its square, and its products with what is left of y.
            left = square - 2 * np.einsum("gmk,km->gm", cross[:, :, w], slope)
            left += ((among[:, :, w] @ slope) * slope).sum(axis=1)
            whole = left.sum(axis=0)
            whole[~(whole > TOLERANCE * square.sum(axis=0))] = np.nan
            estimate, error = np.empty((2, len(y), cross.shape[1]))
            for row, place in enumerate(y):
                mix = np.r_[1.0, -linalg.solve(self.total[np.ix_(w, w)], self.total[w, place])]
                with_y = cross[:, :, [place, *w]] @ mix - (among[:, :, [place, *w]] @ mix) @ slope
                estimate[row] = with_y.sum(axis=0) / whole
                score = with_y - estimate[row] * left
                error[row] = np.sqrt((score**2).sum(axis=0)) / whole
            scale = np.sqrt(self.clusters.factor(1 + len(w)))
            length = self.length[y][:, None]
            yield those["place"].to_numpy(), estimate * length, scale * error * length


def permuted_rows(panel, treatments, strata, draws, seed):
    """Permute treatment histories between exchangeable entities.

    Entities are exchangeable within a stratum if their treatments are observed in the same years.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, the treatments and strata; an entity once a year.
    treatments : sequence of str
    strata : str
    draws, seed : int

    Returns
    -------
    callable
        ``(draws as a slice, rows) -> positions``, shape (draws, rows): the rows of the panel whose
        treatment each row gets. In draw 0 every row keeps its own.

    Raises
    ------
    DesignError
        An entity is in two strata, or no treatment varies within any cell.
    """
    where = "permuted treatments"
    unit, entities = absorb.codes(panel["entity"], "entity")
    period, times = absorb.codes(panel["year"], "year")
    stratum = absorb.codes(panel[strata], strata)[0]
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
    donor = np.tile(np.arange(len(entities)), (draws + 1, 1))
    rng = np.random.default_rng(seed)
    for draw in range(1, draws + 1):
        donor[draw, place] = np.argsort(cell + rng.random(len(entities)))
    return lambda block, rows: at[donor[block][:, unit[rows]], period[rows]]
