"""How the values of one column are spread, in all rows and in each group of them; exact counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.columns import CodedColumn, Floats
from sagetree.evaluate.report.profile import fences
from sagetree.train.profiling.groups import RowGroups

# A number of at most this many values is shown value by value.
FEW_VALUES = 12

# Categories that are shown, the most frequent ones.
MOST_CATEGORIES = 10

BINS = 30


@dataclass(frozen=True)
class NumberSummary:
    """Quantiles (0, 5, 25, 50, 75, 95, 100 %) of the numbers that are there, mean and spread.

    `deviation` is the sample's (n - 1), NaN of one number; `outliers` lie beyond
    Tukey's outer fences.
    """

    quantiles: tuple[float, ...]
    mean: float
    deviation: float
    outliers: int


QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class GroupedHistogram:
    """Rows of each group and bin (g, b), between `edges` (b + 1); `beyond` are not drawn."""

    edges: Floats
    counts: NDArray[np.intp]
    beyond: int


@dataclass(frozen=True)
class Bars:
    """Rows of each group and value (g, k); `more` values are left out."""

    names: tuple[str, ...]
    counts: NDArray[np.intp]
    more: int


def number_facts(values: Floats) -> NumberSummary | None:
    """Return what the numbers (n, NaN = missing) are, None where there are none."""
    present = values[~np.isnan(values)]
    if not len(present):
        return None
    low, high = fences(present)
    return NumberSummary(
        quantiles=tuple(np.quantile(present, QUANTILES).tolist()),
        mean=float(present.mean()),
        deviation=float(present.std(ddof=1)) if len(present) > 1 else np.nan,
        outliers=int(np.count_nonzero((present < low) | (present > high))),
    )


def shape_of(column: CodedColumn, groups: RowGroups) -> GroupedHistogram | Bars | None:
    """Return how a column's values are spread, None where it has none."""
    present = column.values[~column.is_missing]
    if not len(present):
        return None
    if column.categories:
        return _bars(column, groups, np.arange(len(column.categories)), column.values)
    found = _few(present)
    if found is None:
        return _histogram(column.values, present, groups)
    codes = np.searchsorted(found, column.values).astype(np.float64)
    codes[column.is_missing] = np.nan
    return _bars(column, groups, found, codes)


def _few(present: Floats) -> Floats | None:
    """Return the distinct numbers, None where there are more than a few."""
    if len(np.unique(present[:1000])) > FEW_VALUES:
        return None
    found = np.unique(present)
    return found if len(found) <= FEW_VALUES else None


def _bars(
    column: CodedColumn, groups: RowGroups, found: NDArray[np.generic], codes: Floats
) -> GroupedHistogram | Bars:
    """Return the bars of codes (n) of the values found (k); of too many the most frequent."""
    counts = groups.crossed(codes, len(found))
    kept = np.arange(len(found))
    if column.categories and column.kind not in ("ordinal", "boolean"):
        totals = counts.sum(axis=0)
        kept = np.argsort(-totals, kind="stable")
        kept = kept[totals[kept] > 0]
    kept = kept[: FEW_VALUES if not column.categories else MOST_CATEGORIES]
    names = tuple(column.text(float(value)) for value in found[kept].tolist())
    return Bars(names, counts[:, kept], int(np.count_nonzero(counts.sum(axis=0))) - len(kept))


def _histogram(values: Floats, present: Floats, groups: RowGroups) -> GroupedHistogram:
    low, high = float(present.min()), float(present.max())
    inner, outer = fences(present)
    low, high = max(low, inner), min(high, outer)
    inside = (present >= low) & (present <= high)
    edges = _edges(present[inside])
    counts = np.stack(
        [
            np.histogram(values[groups.codes == number], edges)[0]
            for number in range(len(groups.names))
        ]
    )
    return GroupedHistogram(edges, counts, len(present) - int(counts.sum()))


def _edges(values: Floats) -> Floats:
    """Return the edges of bins; those of whole numbers hold equally many of them each."""
    low, high = float(values.min()), float(values.max())
    if (values == np.floor(values)).all() and high - low < 2.0**52:
        width = max(1.0, np.ceil((high - low + 1) / BINS))
        count = int((high - low) // width) + 1
        return np.asarray(low - 0.5 + width * np.arange(count + 1), np.float64)
    return np.linspace(low, high, BINS + 1)
