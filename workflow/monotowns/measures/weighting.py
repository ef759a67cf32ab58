"""Weights of a composite index that the data choose.

No package offers them together: COINr has them in R; scipy 1.17 and statsmodels 0.15 have the
entropy, the eigenvalues and the geometry that stand below.
"""

import numpy as np
from scipy.spatial import HalfspaceIntersection
from scipy.stats import entropy

#: Least share of every dimension in the weights that benefit of the doubt may choose.
LEAST_WEIGHT = 0.05
#: Eigenvalues of an exact 1 come out a little off it.
EXACT = 1e-9


def pca_weights(scores):
    """Weights by principal components of the correlations (Nicoletti, Scarpetta and Boylaud 2000).

    A dimension weighs as its communality: the sum of its squared loadings on the components with
    an eigenvalue above 1, which no rotation of them changes. Where no two dimensions are correlated
    all components are kept and all weigh alike.
    """
    value, vector = np.linalg.eigh(np.corrcoef(np.asarray(scores, float), rowvar=False))
    kept = value > min(1 + EXACT, value[-1] - EXACT)
    loading = vector[:, kept] ** 2 @ value[kept]
    return loading / loading.sum()


def entropy_weights(scores):
    """Weights by how far each dimension sets the units apart (Shannon entropy; Zeleny 1982).

    1 less the entropy of a column's shares over log n, of positive scores, scaled to add up to 1.
    """
    spread = 1 - entropy(scores, base=len(scores))
    return spread / spread.sum()


def benefit_of_the_doubt(scores, least=LEAST_WEIGHT):
    """Each unit's best weighted sum, such that no unit would pass 1 with the same weights.

    Cherchye, Moesen, Rogge and Van Puyenbroeck (2007), with every weight at least ``least`` of
    their sum. All units share one polytope of admissible weights and a linear programme has its
    optimum at a vertex: the vertices are listed once and each unit takes its best.

    Scores have shape (n, d), two dimensions at least, and are positive; ``least`` is below 1/d.
    """
    scores = np.asarray(scores, float)
    n, d = scores.shape
    top = scores.max(axis=0)
    # Columns are scaled to a maximum of 1 for the geometry's sake; weights of the scaled scores
    # are those of the raw ones times the maximum.
    ceiling = np.c_[scores / top, -np.ones(n)]
    ratio = np.c_[(least - np.eye(d)) / top, np.zeros(d)]
    inside = top / (2 * scores.sum(axis=1).max())
    vertices = HalfspaceIntersection(np.vstack([ceiling, ratio]), inside).intersections / top
    return (scores @ vertices.T).max(axis=1)
