"""What each column of training's rows held, finely enough to tell drift of rows that come later.

The histograms of `sagetree.bundle.baseline` are of features, in ten bins, for a server that counts
all day. Here are columns: numbers in many bins, and each category's count by itself, also
where the model is given something else in its place.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import Histogram
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.number import Boolean
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.tables.stored_record import StoredRecord

Floats = NDArray[np.float64]

# Bins of equal numbers of rows: the distance of two distributions is right to a fiftieth.
BINS = 50

# Of these many rows the distance is right to a hundredth, and training takes no longer.
MOST_ROWS = 20_000

FALSE_TRUE = ("false", "true")


class Observed(NamedTuple):
    """A column's cells: numbers (n), codes of categories (n), or both; NaN where it has none."""

    numbers: Floats | None
    codes: Floats | None


def words_of(feature: AnyFeature) -> tuple[str, ...]:
    """Return the categories that a column's codes stand for, () if it has none."""
    match feature:
        case Category():
            return feature.categories
        case Boolean():
            return FALSE_TRUE
        case Mixed():
            return feature.words.categories
        case _:
            return ()


def observe(feature: AnyFeature, values: NDArray[np.floating]) -> Observed:
    """Return a column's cells from its features (n, k), which are in the user's own units.

    Statistics of the label that stand for categories are not turned back: who has the cells
    takes the codes from them.
    """
    wide = values.astype(np.float64)
    match feature:
        case Mixed():
            return Observed(wide[:, 0], _codes(feature.words, wide[:, 1:]))
        case Category():
            return Observed(None, _codes(feature, wide))
        case Boolean():
            return Observed(None, wide[:, 0])
        case _:
            return Observed(wide[:, 0], None)


def _codes(feature: Category, values: Floats) -> Floats:
    if isinstance(feature, OneHot):
        return np.where(values.any(axis=1), values.argmax(axis=1), np.nan)
    return values[:, 0]


class ColumnBaseline(StoredRecord):
    """A column of some of training's rows: its numbers, and how many rows had each category.

    `counts` has one for each of the column's categories, in their order. `are_whole` says that
    all numbers were whole ones, `least` is the smallest.
    """

    column: str
    numbers: Histogram | None = None
    counts: tuple[int, ...] | None = None
    are_whole: bool = False
    least: float | None = None

    @classmethod
    def measure(cls, feature: AnyFeature, values: NDArray[np.floating]) -> "ColumnBaseline":
        """Return the baseline of a column by its features (n, k), in the user's own units."""
        numbers, codes = observe(feature, values)
        counts = None
        if codes is not None:
            size = len(words_of(feature))
            there = codes[~np.isnan(codes)].astype(np.intp)
            counts = tuple(np.bincount(there, minlength=size)[:size].tolist())
        if numbers is None:
            return cls(column=feature.column, counts=counts)
        finite = numbers[np.isfinite(numbers)]
        return cls(
            column=feature.column,
            numbers=Histogram.measure(numbers, BINS),
            counts=counts,
            are_whole=bool(len(finite)) and bool((finite == np.floor(finite)).all()),
            least=float(finite.min()) if len(finite) else None,
        )


class ColumnBaselines(StoredRecord):
    """The baseline of each input column, in the model's order, and of each output of the model.

    `scores` are the finished model's for some of the rows it has learnt from. Those of
    held-out rows, in `sagetree.bundle.baseline`, are of other models, which learnt from fewer: new
    rows' scores are spread as one or the other.
    """

    columns: tuple[ColumnBaseline, ...]
    scores: tuple[Histogram, ...] = ()

    @classmethod
    def measure(cls, features: FeaturePipeline, matrix: NDArray[np.float32]) -> "ColumnBaselines":
        """Return the baselines of columns by what was made of them (n, m)."""
        own = features.in_own_units(matrix)
        parts = zip(features.features, features.parts, strict=True)
        return cls(columns=tuple(ColumnBaseline.measure(f, own[:, part]) for f, part in parts))
