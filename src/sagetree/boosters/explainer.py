"""What each feature contributes to a prediction."""

import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.library import CONTRIBUTIONS, LibraryError, Matrix, NativeBooster
from sagetree.boosters.shap_method import ShapMethod
from sagetree.boosters.tree_shap import TreeShap
from sagetree.boosters.trees import has_plain_trees, read_trees

# Splits that are computed together: their numbers fit into a core's cache.
SPLITS_AT_ONCE = 16384


class Explainer:
    """The exact SHAP values of one booster.

    Those of trees are computed here, faster than by the library
    (bench/contributions.py), unless `method` says that the library does it. What
    has no trees with one value a leaf, gblinear and multi_output_tree, is always
    the library's.
    """

    def __init__(
        self, booster: NativeBooster, outputs: int, method: ShapMethod = "sagetree"
    ) -> None:
        self._booster = booster
        self._outputs = outputs
        self._lock = threading.Lock()
        self._trees: tuple[TreeShap, ...] | None = None if method == "sagetree" else ()

    @property
    def is_possible(self) -> bool:
        """Whether there are any: before 3.4 XGBoost has none for leaves of several values."""
        return self._base is not None

    @property
    def is_librarys(self) -> bool:
        """Whether the library computes them."""
        return self._trees == () or not has_plain_trees(self._booster)

    @property
    def splits(self) -> int:
        """How many splits are computed for a row; 0 where the library computes."""
        return sum(part.splits for part in self._ready())

    @property
    def is_ready(self) -> bool:
        """Whether the trees have been read, which takes a tenth of a second for 200 of them."""
        return self._trees is not None

    def contributions(self, rows: Matrix, base_margin: Matrix | None = None) -> Matrix:
        """Return the SHAP values of `rows` (n, features), the base values last.

        They are of shape (n, outputs, features + 1); they must be possible. What
        a row starts from, `base_margin` (n, outputs), is in its base values.
        """
        trees = self._ready()
        if not trees:
            return self._booster.predict(rows, CONTRIBUTIONS, base_margin)
        found = np.empty((len(rows), self._outputs, rows.shape[1] + 1), np.float32)
        found[:, :, -1] = self._base
        if base_margin is not None:
            found[:, :, -1] += base_margin
        found[:, :, :-1] = sum(part.values(rows) for part in trees)
        return found

    @cached_property
    def _base(self) -> Matrix | None:
        """The base value of each output, which is the same for all rows."""
        nothing = np.full((1, self._booster.feature_count), np.nan, np.float32)
        try:
            return self._booster.predict(nothing, CONTRIBUTIONS)[0, :, -1]
        except LibraryError:
            return None

    def _ready(self) -> tuple[TreeShap, ...]:
        with self._lock:
            trees = self._trees = self._read() if self._trees is None else self._trees
        return trees

    def _read(self) -> tuple[TreeShap, ...]:
        """Return the trees; none where they are left to the library."""
        booster = self._booster
        if not has_plain_trees(booster):
            return ()
        parts = [part for part in read_trees(booster, SPLITS_AT_ONCE) if part.splits]
        return tuple(TreeShap(part, booster.feature_count, self._outputs) for part in parts)


def contributions_by_column(
    values: NDArray[np.float32], owners: Sequence[int]
) -> NDArray[np.float32]:
    """Return SHAP values summed to the user's own columns (..., columns + 1), base value last.

    `owners` gives each feature's column number.
    """
    if tuple(owners) == tuple(range(len(owners))):  # the usual case
        return values
    columns = max(owners, default=-1) + 1
    summed = np.zeros((*values.shape[:-1], columns + 1), np.float32)
    np.add.at(summed.T, np.asarray(owners, np.intp), values.T[:-1])
    summed[..., -1] = values[..., -1]
    return summed
