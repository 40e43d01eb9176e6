"""Exact SHAP values of trees: all nodes of many trees at once, one row at a time.

The values are those of path-dependent TreeSHAP (Lundberg et al., Nature Machine
Intelligence 2020, algorithm 2), which XGBoost gives too. Its recursion from
node to node becomes array operations by this identity. Beneath a leaf stands
its value times a product over the features of its path, each with the factor

    z (1 - y) + o y

where `o` is 1 if the row passes all splits of the path by that feature, else 0,
and `z` is the share of the training rows that pass them. The Shapley value of a
feature is the integral over y from 0 to 1 of this product, in which o - z takes
the place of the feature's own factor. On a path of d features that is a
polynomial of degree d - 1, for which Gauss's quadrature with d / 2 points is
exact.
"""

import threading
from math import prod

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.tree_layout import lay_out
from sagetree.boosters.trees import Integers, Trees

Floats = NDArray[np.float32]

# Numbers of several rows that are computed together take so much at most: they
# stay in the cores' cache, and every thread keeps as much.
ROOM_BYTES = 2 * 2**20

# Arrays of a number for each row, point and edge that are needed at once.
_ARRAYS = 4


class _Workspace(threading.local):
    """Room for the numbers of one row, of each thread its own: fresh pages would cost more."""

    def __init__(self) -> None:
        self._room = np.empty(0, np.float32)

    def arrays(self, *shape: int) -> Floats:
        """Return an array that holds what the last row left."""
        size = prod(shape)
        if self._room.size < size:
            self._room = np.empty(size, np.float32)
        return self._room[:size].reshape(shape)


_WORKSPACE = _Workspace()


class TreeShap:
    """The SHAP values that some trees give to a row; one of the trees has a split at least.

    Splits and edges stand as in `sagetree.boosters.tree_layout`: an array (2, n) has a
    number for each edge of the n splits, an array (points, 2, n) one for each
    edge and point of the quadrature.
    """

    def __init__(self, trees: Trees, features: int, outputs: int) -> None:
        layout = lay_out(trees)
        nodes, count = layout.nodes, len(layout.nodes)
        self._shape = (outputs, features)
        self._feature = trees.feature[nodes]
        self._bin = layout.outputs * features + self._feature
        self._value = trees.value[nodes]
        self._default_left = trees.default_left[nodes]
        self._categories = _Categories(trees, nodes)
        ends = np.stack([trees.left[nodes], trees.right[nodes]])
        self._leaf = np.where(trees.left[ends] < 0, trees.value[ends], np.float32(0))

        points, weights = np.polynomial.legendre.leggauss((layout.most_features + 1) // 2)
        points = (points[:, None, None] + 1) / 2
        self._points = points.astype(np.float32)
        self._weights = (weights[:, None, None] / 2).astype(np.float32)
        self._share = layout.share.astype(np.float32)
        self._outside = (layout.share * (1 - points)).astype(np.float32)

        def at_points(edges: Integers) -> Integers:
            return edges + np.arange(len(points))[:, None] * 2 * count

        self._repeats = layout.repeats
        splits = np.concatenate([nodes[:0], *(repeat.splits for repeat in layout.repeats)])
        earlier = np.concatenate([nodes[:0], *(repeat.earlier for repeat in layout.repeats)])
        self._repeated = at_points(np.concatenate([splits, splits + count]))
        self._earlier = at_points(np.concatenate([earlier, earlier]))
        self._depths = [depth._replace(edges=at_points(depth.edges)) for depth in layout.depths]

    @property
    def splits(self) -> int:
        """The number of splits, by which the time of a row goes."""
        return len(self._feature)

    def values(self, rows: Floats) -> NDArray[np.float64]:
        """Return the SHAP values (m, outputs, features) of rows (m, features)."""
        found = np.empty((len(rows), *self._shape))
        bytes_per_row = _ARRAYS * self._outside.nbytes
        at_once = max(1, ROOM_BYTES // bytes_per_row)
        for begin in range(0, len(rows), at_once):
            some = slice(begin, begin + at_once)
            found[some] = self._some_values(rows[some])
        return found

    def _some_values(self, rows: Floats) -> NDArray[np.float64]:
        passes = self._passes(rows)
        shape = len(rows), len(self._points), *passes.shape[1:]
        factor, effect, above, beneath = _WORKSPACE.arrays(_ARRAYS, *shape)
        np.multiply(self._points, passes[:, None], out=factor)
        np.add(factor, self._outside, out=factor)
        np.subtract(passes, self._share, out=effect[:, 0])
        np.divide(effect[:, :1], factor[:, 1:], out=effect[:, 1:])
        np.divide(effect[:, 0], factor[:, 0], out=effect[:, 0])
        if self._repeated.size:  # what the feature's earlier edge gave is taken back
            for flat in effect.reshape(len(rows), -1):
                flat[self._repeated] -= flat.take(self._earlier, mode="clip")
            for flat in factor.reshape(len(rows), -1):
                flat[self._repeated] /= flat.take(self._earlier, mode="clip")
        self._descend(factor, above)
        np.multiply(above, self._leaf, out=beneath)
        self._ascend(beneath)
        np.multiply(beneath, effect, out=beneath)
        by_split = np.add.reduce(beneath.reshape(len(rows), -1, shape[-1]), axis=1)
        found = [np.bincount(self._bin, split, prod(self._shape)) for split in by_split]
        return np.asarray(found, np.float64).reshape(-1, *self._shape)

    def _passes(self, rows: Floats) -> Floats:
        """Say whether a row passes each edge and those above it by its feature (m, 2, n)."""
        value = rows.take(self._feature, axis=1, mode="clip")
        # a comparison with NaN is false
        left = np.where(self._default_left, ~(value >= self._value), value < self._value)
        self._categories.decide(rows, left)
        passes = np.empty((len(rows), 2, left.shape[1]), np.float32)
        passes[:, 0] = left
        np.subtract(1, passes[:, 0], out=passes[:, 1])
        if self._repeats:
            for row in passes:
                flat, (to_left, to_right) = row.reshape(-1), row
                for splits, earlier in self._repeats:
                    passed = flat.take(earlier, mode="clip")
                    to_left[splits] *= passed
                    to_right[splits] *= passed
        return passes

    def _descend(self, factor: Floats, above: Floats) -> None:
        """Multiply the factors from the roots down to each edge."""
        flat = above.reshape(len(above), -1)
        over = self._weights
        for place, edges, *_ in self._depths:
            if place.start:
                over = flat.take(edges, axis=1, mode="clip")[:, :, None]
            np.multiply(factor[..., place], over, out=above[..., place])

    def _ascend(self, beneath: Floats) -> None:
        """Add up the leaves beneath each edge; those that lead to leaves are there already."""
        left, right = beneath[:, :, 0], beneath[:, :, 1]
        lower = self._depths[-1].place
        for depth in self._depths[-2::-1]:
            sums = (left[..., lower] + right[..., lower]).take(depth.below, axis=2, mode="clip")
            middle = depth.lefts.stop - depth.lefts.start
            left[..., depth.lefts] = sums[..., :middle]
            right[..., depth.rights] = sums[..., middle:]
            lower = depth.place


class _Categories:
    """Splits by categories: for each of them the categories that go right, as bits."""

    def __init__(self, trees: Trees, nodes: Integers) -> None:
        self._splits = np.flatnonzero(trees.is_categorical[nodes])
        self._feature = trees.feature[nodes[self._splits]]
        sets = [trees.categories[node] for node in nodes[self._splits].tolist()]
        self._count = 1 + max((max(found) for found in sets if found), default=0)
        self._missing = (self._count + 7) // 8  # the byte that says where NaN goes
        table = np.zeros((len(sets), self._missing + 1), np.uint8)
        for bits, found in zip(table, sets, strict=True):
            right = np.zeros(self._count, np.bool_)
            right[found] = True
            bits[: self._missing] = np.packbits(right, bitorder="little")
        table[:, self._missing] = ~trees.default_left[nodes[self._splits]]
        self._bytes = table.ravel()
        self._begin = np.arange(len(sets)) * table.shape[1]

    def decide(self, rows: Floats, left: NDArray[np.bool_]) -> None:
        """Set for these splits whether a row goes left, as with an unknown category it does."""
        if not len(self._splits):
            return
        known = (rows >= 0) & (rows < self._count)
        code = np.where(known, rows, 0).astype(np.intp)
        missing = np.isnan(rows)
        place = np.where(missing, self._missing, code >> 3)
        bit = np.where(known, 1 << (code & 7), missing).astype(np.uint8)
        found = self._bytes.take(self._begin + place.take(self._feature, axis=1), mode="clip")
        to_left = (found & bit.take(self._feature, axis=1)) == 0
        for row, decided in zip(left, to_left, strict=True):
            row[self._splits] = decided
