"""The order in which `tree_shap` keeps the splits of trees, and what it needs of each.

One depth of all trees stands after the other, so that a depth is computed at
once, from the one above or the one below. Within a depth those splits come
first whose left edge alone leads to another split, then those with two such
edges, then those with a right one. So the edges to splits stand together, on
either side.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.trees import Integers, Trees

# Shares, and their products, are at least this: an edge that no training row has
# passed would make 0 / 0. No more than a float32 needs, for leaves with hardly
# any weight may hold huge values.
LEAST_SHARE = 1e-30


class Depth(NamedTuple):
    """The splits of one depth, at `place`.

    `edges` are the edges that lead to them (of no meaning for roots). `lefts`
    and `rights` are the splits whose edge on that side leads to a split, and
    `below` says to which of the next depth's, the left edges first.
    """

    place: slice
    edges: Integers
    lefts: slice
    rights: slice
    below: Integers


class Repeat(NamedTuple):
    """Splits by a feature that stands above them already, and the `earlier` edge by it."""

    splits: Integers
    earlier: Integers


class Layout(NamedTuple):
    """n splits in their order; split k has the edges k to the left and n + k to the right.

    `nodes` are the splits' numbers in the trees, `outputs` what their trees add
    to. `share` (2, n) is the share of the training rows that pass an edge and
    those above it by the same feature. `repeats` begins with the splits whose
    feature stands above them once. `most_features` is the greatest number of
    different features on a path.
    """

    nodes: Integers
    outputs: Integers
    share: NDArray[np.float64]
    depths: list[Depth]
    repeats: list[Repeat]
    most_features: int


class _Front(NamedTuple):
    """The splits of one depth, and the edges and features of the paths to them, newest first."""

    nodes: Integers
    outputs: Integers
    edges: Integers
    path_edges: Integers
    path_features: Integers
    distinct: Integers

    def take(self, places: Integers) -> "_Front":
        return _Front(*(array[places] for array in self))


def lay_out(trees: Trees) -> Layout:
    """Bring the splits of the trees into their order."""
    count = trees.splits
    nodes, outputs, times, earlier = np.zeros((4, count), np.intp)
    share = np.empty((2, count))
    depths: list[Depth] = []
    most_features, begin = 1, 0
    front = _roots(trees)
    while len(front.nodes):
        order, left_splits, right_splits = _order(trees, front.nodes)
        if depths:
            depths[-1] = depths[-1]._replace(below=np.argsort(order))
        front = front.take(order)
        end = begin + len(order)
        nodes[begin:end], outputs[begin:end] = front.nodes, front.outputs

        feature = trees.feature[front.nodes]
        same = front.path_features == feature[:, None]
        again = np.flatnonzero(same.any(axis=1))
        last = front.path_edges[again, same[again].argmax(axis=1)]
        splits = begin + again
        earlier[splits], times[splits] = last, times[last % count] + 1
        share[:, begin:end] = _shares(trees, front.nodes)
        share[:, splits] = np.maximum(share[:, splits] * share.ravel()[last], LEAST_SHARE)
        distinct = front.distinct + 1
        distinct[again] -= 1
        most_features = max(most_features, int(distinct.max()))

        lefts, rights = np.flatnonzero(left_splits), np.flatnonzero(right_splits)
        depths.append(
            Depth(
                slice(begin, end), front.edges, _span(begin, lefts), _span(begin, rights), lefts[:0]
            )
        )
        above = np.concatenate([lefts, rights])
        edges = begin + np.concatenate([lefts, count + rights])
        front = _Front(
            np.concatenate([trees.left[front.nodes[lefts]], trees.right[front.nodes[rights]]]),
            front.outputs[above],
            edges,
            np.column_stack([edges, front.path_edges[above]]),
            np.column_stack([feature[above], front.path_features[above]]),
            distinct[above],
        )
        begin = end
    at = (np.flatnonzero(times == time) for time in range(1, times.max(initial=0) + 1))
    repeats = [Repeat(splits, earlier[splits]) for splits in at]
    return Layout(nodes, outputs, share, depths, repeats, most_features)


def _roots(trees: Trees) -> _Front:
    found = trees.left[trees.roots] >= 0
    roots = trees.roots[found]
    nothing = np.full(len(roots), -1)
    path = nothing[:, None]
    return _Front(roots, trees.outputs[found], nothing, path, path, np.zeros(len(roots), np.intp))


def _order(trees: Trees, nodes: Integers) -> tuple[Integers, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the order of a depth's splits; in it, whether left and right edges lead to splits."""
    left = trees.left[trees.left[nodes]] >= 0
    right = trees.left[trees.right[nodes]] >= 0
    kind = np.where(left, np.where(right, 1, 0), np.where(right, 2, 3))
    order = np.argsort(kind, kind="stable")
    return order, left[order], right[order]


def _shares(trees: Trees, nodes: Integers) -> NDArray[np.float64]:
    """Return the shares of each split's training rows that go left and right (2, n)."""
    cover = trees.cover[nodes]
    parts = np.stack([trees.cover[trees.left[nodes]], trees.cover[trees.right[nodes]]])
    shares = np.divide(parts, cover, out=np.full_like(parts, 0.5), where=cover > 0)
    return np.maximum(shares, LEAST_SHARE)


def _span(begin: int, places: Integers) -> slice:
    """Return where `places`, which follow each other, are behind `begin`."""
    first, last = (int(places[0]), int(places[-1])) if len(places) else (0, -1)
    return slice(begin + first, begin + last + 1)
