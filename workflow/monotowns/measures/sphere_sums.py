"""Sums of a distance kernel over all pairs of points on a sphere, without the n x n matrix.

The points are halved at medians into a balanced tree. Two cells far apart for their sizes interact
through Chebyshev nodes on each (the black-box fast multipole method of Fong and Darve 2009, here on
tangent planes), near cells point by point, cells beyond the cutoff not at all. Order and separation
bound the error of every single pair: with masses of one sign no sum is off by more, wherever the
points lie.
"""

import numpy as np

#: Most points in a leaf: fewer make more pairs of cells, more make more pairs of points.
LEAF = 128
#: Weights computed in one step; they stay in the processor's cache.
BLOCK = 2**17
#: Cells wider than this (radians) are halved before anything is interpolated on them.
WIDEST = 0.5


def unit_vectors(lat, lon):
    """Points of the unit sphere, shape (n, 3), from degrees."""
    lat, lon = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def kernel_sums(
    points, mass, kernel, radius, floor, cutoff=np.inf, far_field=(1, 0.0), scale=np.inf
):
    """Sum of ``kernel(distance) * mass[j]`` over all ``j``, own mass included, for every ``i``.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 3)
        Unit vectors.
    mass : numpy.ndarray, shape (n, T)
        Of one sign.
    kernel : callable
        Weight of a distance, elementwise; smooth beyond the floor.
    radius, floor, cutoff : float
        In the unit of distance: radius of the sphere; smaller distances than ``floor`` count as
        ``floor``, larger ones than ``cutoff`` do not count.
    far_field : (int, float)
        Nodes a side, and the largest sum of two cells' radii over the distance of their centres
        at which they interact through nodes. At 0 every sum is exact.
    scale : float
        Distance over which the kernel changes however far away: cells whose radii sum to more do
        not interact through nodes.

    Returns
    -------
    numpy.ndarray, shape (n, T)
    """
    nodes, separation = far_field
    weigh = _weigher(kernel, radius, floor)
    weigh_to_cutoff = _weigher(kernel, radius, floor, cutoff)
    floor, cutoff = floor / radius, cutoff / radius
    order, levels = _tree(points)
    points, mass = points[order], mass[order]
    total = np.zeros_like(mass)
    a = b = np.zeros(1, dtype=np.intp)
    for bounds in levels:
        cells = _Cells(points, bounds)
        apart, reach = cells.angle(a, b), cells.radius[a] + cells.radius[b]
        counts, whole = apart - reach <= cutoff, apart + reach <= cutoff
        # The kernel bends at the floor, the cutoff and the antipode; within the floor it is flat.
        smooth = reach <= np.minimum(separation * np.minimum(apart, np.pi - apart), scale / radius)
        smooth &= whole & (apart - reach >= floor)
        far = (smooth | (apart + reach <= floor)) & whole
        far &= np.maximum(cells.radius[a], cells.radius[b]) <= WIDEST
        if far.any():
            total += cells.far(mass, a[far], b[far], nodes, weigh)
        near = counts & ~far
        if bounds is levels[-1]:
            inside, edge = near & whole, near & ~whole
            total += cells.near(mass, a[inside], b[inside], weigh)
            total += cells.near(mass, a[edge], b[edge], weigh_to_cutoff)
        a, b = _halves(a[near], b[near])
    result = np.empty_like(total)
    result[order] = total
    return result


def _tree(points):
    """Order of the points, and level by level the bounds of the cells in that order."""
    order = np.arange(len(points))
    levels = [np.array([0, len(points)])]
    while np.diff(levels[-1]).max() > LEAF:
        bounds = [0]
        for start, stop in zip(levels[-1][:-1], levels[-1][1:], strict=True):
            inside = order[start:stop]
            axis = np.ptp(points[inside], axis=0).argmax()
            half = (stop - start) // 2
            order[start:stop] = inside[np.argpartition(points[inside, axis], half)]
            bounds += [start + half, stop]
        levels.append(np.array(bounds))
    return order, levels


def _halves(a, b):
    """Pairs of the halves of paired cells, each unordered pair once."""
    one = np.concatenate([2 * a, 2 * a, 2 * a + 1, 2 * a + 1])
    two = np.concatenate([2 * b, 2 * b + 1, 2 * b, 2 * b + 1])
    return one[one <= two], two[one <= two]


def _chebyshev(t, nodes):
    """Interpolation weights of Chebyshev nodes at ``t`` in [-1, 1], and the nodes."""
    at = np.cos((2 * np.arange(nodes) + 1) * np.pi / (2 * nodes))
    vander = np.polynomial.chebyshev.chebvander
    scale = np.r_[1, np.full(nodes - 1, 2)] / nodes
    return vander(t, nodes - 1) * scale @ vander(at, nodes - 1).T, at


def _weigher(kernel, radius, floor, cutoff=None):
    """Weights between blocks of points x and y, shapes (m, k, 3) -> (m, k, k)."""
    least = np.sin(floor / radius / 2) ** 2

    def weigh(x, y):
        # Squares of half chords as one product, about a centre close by lest digits cancel.
        centre = x.mean(axis=1, keepdims=True)
        x, y = (x - centre) / 2, (y - centre) / 2
        squares = [(v**2).sum(axis=2, keepdims=True) for v in (x, y)]
        ones = np.ones_like(squares[0])
        left = np.concatenate([-2 * x, squares[0], ones], axis=2)
        right = np.concatenate([y, ones, squares[1]], axis=2)
        distance = left @ np.ascontiguousarray(right.transpose(0, 2, 1))
        np.clip(distance, least, 1, out=distance)
        np.arcsin(np.sqrt(distance, out=distance), out=distance)
        distance *= 2 * radius
        weight = kernel(distance)
        return weight if cutoff is None else weight * (distance <= cutoff)

    return weigh


def _exchange(places, mass, a, b, weigh):
    """Sums at the places of every cell over those of the cells it is paired with.

    Parameters
    ----------
    places : numpy.ndarray, shape (cells, k, 3)
    mass : numpy.ndarray, shape (cells, k, T)
    a, b : numpy.ndarray, shape (pairs,)
        Cells, each unordered pair once.
    """
    total = np.zeros_like(mass)
    step = max(1, BLOCK // places.shape[1] ** 2)
    for start in range(0, len(a), step):
        i, j = a[start : start + step], b[start : start + step]
        weight = weigh(places[i], places[j])
        _add(total, i, weight @ mass[j])
        back = weight.transpose(0, 2, 1) @ mass[i]
        back[i == j] = 0
        _add(total, j, back)
    return total


def _add(total, cell, value):
    sort = np.argsort(cell, kind="stable")
    cell = cell[sort]
    first = np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))
    total[cell[first]] += np.add.reduceat(value[sort], first, axis=0)


class _Cells:
    """The cells of one level: boxes on their tangent planes, and what goes on between them."""

    def __init__(self, points, bounds):
        self.points, self.start, self.size = points, bounds[:-1], np.diff(bounds)
        low, high = self._range(points)
        axis = (low + high) / 2
        length = np.linalg.norm(axis, axis=1, keepdims=True)
        # Points all around the globe have no middle; their cell is too wide to be used anyway.
        axis = np.where(length > 1e-6, axis / np.maximum(length, 1e-6), [0.0, 0.0, 1.0])
        east = np.cross(np.eye(3)[np.abs(axis).argmin(axis=1)], axis)
        east /= np.linalg.norm(east, axis=1, keepdims=True)
        self.frame = np.stack([east, np.cross(axis, east), axis], axis=1)
        plane = np.einsum("nkd,nd->nk", self._each(self.frame[:, :2]), points)
        low, high = self._range(plane)
        self.middle = (high + low) / 2
        # Cells of one point keep a box of some millimetres.
        self.half = np.maximum((high - low) / 2, 1e-9)
        self.scaled = (plane - self._each(self.middle)) / self._each(self.half)
        corners = self._lift(np.array([[0, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]]))
        self.centre = corners[:, 0]
        chord = np.linalg.norm(corners[:, 1:] - corners[:, :1], axis=2).max(axis=1)
        beyond = ((np.abs(self.middle) + self.half) ** 2).sum(axis=1) >= 1
        self.radius = np.where(beyond, np.pi, 2 * np.arcsin(np.minimum(chord / 2, 1)))

    def _range(self, values):
        return np.minimum.reduceat(values, self.start), np.maximum.reduceat(values, self.start)

    def _each(self, values):
        return np.repeat(values, self.size, axis=0)

    def _lift(self, offsets):
        """Points of the sphere over places of the boxes, shape (cells, places, 3)."""
        plane = self.middle[:, None] + self.half[:, None] * offsets
        height = np.sqrt(np.maximum(1 - (plane**2).sum(axis=2, keepdims=True), 0))
        return np.concatenate([plane, height], axis=2) @ self.frame

    def angle(self, a, b):
        """Angle between the centres of cells."""
        chord = np.linalg.norm(self.centre[a] - self.centre[b], axis=1)
        return 2 * np.arcsin(np.minimum(chord / 2, 1))

    def far(self, mass, a, b, nodes, weigh):
        """Sums at the points from pairs of cells that interact through nodes."""
        (east, at), (north, _) = (_chebyshev(t, nodes) for t in self.scaled.T)
        basis = (east[:, :, None] * north[:, None, :]).reshape(len(east), -1)
        offsets = np.stack(np.meshgrid(at, at, indexing="ij"), axis=2).reshape(-1, 2)
        charge = [np.add.reduceat(basis * m[:, None], self.start) for m in mass.T]
        field = _exchange(self._lift(offsets), np.stack(charge, axis=2), a, b, weigh)
        sums = [np.einsum("nk,nk->n", basis, self._each(f)) for f in field.transpose(2, 0, 1)]
        return np.stack(sums, axis=1)

    def near(self, mass, a, b, weigh):
        """Sums at the points from pairs of cells whose points interact one by one."""
        # Sizes differ by one at most: the odd place repeats a point, with no mass.
        within = np.arange(self.size.max())
        used = within < self.size[:, None]
        place = self.start[:, None] + np.where(used, within, 0)
        return _exchange(self.points[place], mass[place] * used[..., None], a, b, weigh)[used]
