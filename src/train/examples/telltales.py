"""Columns that alone predict the label.

Each is fitted on one half of some rows and scored on the other: so any kind of
dependence counts, also that on whether a value is missing, and categories that are
all different predict nothing.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Task
from sagetree.features.base import Feature
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.statistics import ManyCategories
from sagetree.tables.label import Labels
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.group import ONE, Group

# A column that alone reaches more (AUC, the mean of each class's recall, R2) is not
# a feature but the label under another name.
TELLTALE = 0.99

# Rows taken, and how many of each label the half that is scored must have: a
# column of noise separates a handful of rows by chance.
EXAMINED_ROWS = 20_000
LEAST_OF_LABEL = 10

# Numbers are compared in this many bins of equal counts, and missing ones in one more;
# where a line goes through each bin, it needs some rows.
BINS = 64
ROWS_OF_LINE = 10

_SEED = 0

Bins: TypeAlias = NDArray[np.intp]
Numbers: TypeAlias = NDArray[np.float32]


class NamedValues(NamedTuple):
    """The values (n) of one column under its name; codes if it holds categories."""

    name: str
    values: Numbers
    is_category: bool

    def bins(self, half: int, most: int = BINS) -> Bins:
        """Return each row's bin (n), 0 if missing; the edges are chosen from the first half."""
        return _codes(self.values) if self.is_category else _quantile_bins(self.values, half, most)


# Of a column, and the number of rows that it is fitted on: how well it predicts the others.
Measure: TypeAlias = Callable[[NamedValues, int], float]


def telltales(sample: Examples, features: FeaturePipeline, task: Task) -> list[tuple[str, str]]:
    """Return the columns that alone predict the label, and how well each does in words.

    The rows of `sample` are in no order.
    """
    half = sample.rows // 2
    if sample.labels.ndim > 1 or half < LEAST_OF_LABEL:
        return []
    name, measure = _measure(sample.labels, half, task)
    if measure is None:
        return []
    scored = ((each.name, measure(each, half)) for each in _columns(sample.matrix, features))
    return [(column, f"{name} {value:.3f}") for column, value in scored if value > TELLTALE]


def sample_of(examples: Examples, group: Group = ONE) -> Examples:
    """Return some rows of all hosts, drawn the same way each time, in no order."""
    rows = int(group.total(np.array([examples.rows]))[0])
    most = -(-EXAMINED_ROWS * examples.rows // max(EXAMINED_ROWS, rows))
    order = np.random.default_rng(_SEED).permutation(examples.rows)[:most]
    some = examples.take(np.sort(order).astype(np.intp))  # from a disk, front to back
    shuffle = np.argsort(np.argsort(order))
    # `some` lets go of the pages of a large file: these rows touch all of them
    drawn = Examples(some.some(some.rows)[shuffle], some.labels[shuffle])
    if group.size == 1:
        return drawn
    every = Examples(group.gather_rows(drawn.matrix), group.gather_rows(drawn.labels))
    return every.take(np.random.default_rng(_SEED).permutation(every.rows).astype(np.intp))


def _columns(matrix: Numbers, features: FeaturePipeline) -> Iterator[NamedValues]:
    for feature, part in zip(features.features, features.parts, strict=True):
        if isinstance(feature, Mixed):
            numbers = slice(part.start, part.start + 1)
            yield from _values(feature.number, matrix[:, numbers])
            yield from _values(feature.words, matrix[:, numbers.stop : part.stop])
        else:
            yield from _values(feature, matrix[:, part])


def _values(feature: Feature, part: Numbers) -> Iterator[NamedValues]:
    """Yield the produced features of one transform, of indicators the category of each row."""
    if isinstance(feature, OneHot):
        codes = np.where(part.any(axis=1), part.argmax(axis=1), np.nan)
        yield NamedValues(feature.column, codes.astype(np.float32), True)
        return
    is_category = type(feature) in (Category, ManyCategories)
    for name, values in zip(feature.names, part.T, strict=True):
        yield NamedValues(name, values, is_category)


def _measure(labels: Labels, half: int, task: Task) -> tuple[str, Measure | None]:
    """Return the name of the measure of a task, and the measure; None where rows are too few."""
    if task in ("binary", "multiclass"):
        classes = labels.astype(np.intp)
        enough = np.count_nonzero(np.bincount(classes[half:]) >= LEAST_OF_LABEL) > 1
        if task == "multiclass":
            return "recall", (lambda of, half: column_recall(of, classes, half)) if enough else None
        return "AUC", (lambda of, half: column_auc(of, classes > 0, half)) if enough else None
    # Cox's negative labels are times too
    numbers = np.asarray(np.abs(labels) if task == "survival" else labels, np.float64)
    varies = numbers[half:].min() < numbers[half:].max()
    return "R2", (lambda of, half: column_r2(of, numbers, half)) if varies else None


def column_auc(column: NamedValues, labels: NDArray[np.bool_], half: int) -> float:
    """Return the AUC of one column alone: the share of positives in each bin is the score."""
    bins = column.bins(half)
    count = int(bins.max()) + 1
    fitted, scored = bins[:half], bins[half:]
    prior = labels[:half].mean()
    positives = np.bincount(fitted[labels[:half]], minlength=count)
    rates = (positives + prior) / (np.bincount(fitted, minlength=count) + 1)
    _, ranks = np.unique(rates, return_inverse=True)  # bins of equal rates are ties
    of_positives = np.bincount(ranks[scored[labels[half:]]], minlength=count).astype(float)
    of_negatives = np.bincount(ranks[scored[~labels[half:]]], minlength=count).astype(float)
    below = np.cumsum(of_negatives) - of_negatives
    pairs = of_positives.sum() * of_negatives.sum()
    return float((of_positives * (below + of_negatives / 2)).sum() / pairs)


def column_recall(column: NamedValues, labels: NDArray[np.intp], half: int) -> float:
    """Return the mean of the classes' recalls by one column alone.

    A row is called as the commonest class of the nearest number, or of its category,
    in the first half. The classes are those with LEAST_OF_LABEL rows among the scored.
    """
    bins = _codes(column.values) if column.is_category else _nearest(column.values, half)
    actual = labels[half:]
    called = _commonest(bins[:half], labels[:half], int(bins.max()) + 1)[bins[half:]]
    of_class = np.bincount(actual)
    right = np.bincount(actual[called == actual], minlength=len(of_class))
    enough = of_class >= LEAST_OF_LABEL
    return float(np.mean(right[enough] / of_class[enough]))


def _commonest(bins: Bins, labels: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return the commonest label of each of the bins, -1 where there is none."""
    classes = int(labels.max()) + 1
    pairs, rows = np.unique(bins * classes + labels, return_counts=True)
    ascending = pairs[np.argsort(rows, kind="stable")]
    commonest = np.full(count, -1)
    commonest[ascending // classes] = ascending % classes  # the last one written stays
    return commonest


def column_r2(column: NamedValues, labels: NDArray[np.float64], half: int) -> float:
    """Return the R2 of one column alone: a line through each bin, of categories their mean."""
    bins = column.bins(half, max(1, half // ROWS_OF_LINE))
    count = int(bins.max()) + 1
    fitted, known = bins[:half], labels[:half]
    rows = np.maximum(np.bincount(fitted, minlength=count), 1)

    def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(fitted, values, minlength=count) / rows

    is_seen = np.bincount(fitted, minlength=count) > 0
    level = np.where(is_seen, means(known), known.mean())
    place, slope = np.zeros(count), np.zeros(count)
    values = np.nan_to_num(column.values.astype(np.float64))
    if not column.is_category:
        place = means(values[:half])
        away = values[:half] - place[fitted]
        spread = means(away**2)
        slope = means(away * known) / np.where(spread > 0, spread, 1)
    scored, actual = bins[half:], labels[half:]
    predicted = level[scored] + slope[scored] * (values[half:] - place[scored])
    return float(1 - np.sum((actual - predicted) ** 2) / np.sum((actual - actual.mean()) ** 2))


def _codes(values: Numbers) -> Bins:
    """Return each category's number, 0 where it is missing."""
    codes = np.where(np.isnan(values), -1, values).astype(np.intp) + 1
    return np.asarray(codes)


def _quantile_bins(values: Numbers, half: int, most: int) -> Bins:
    present = values[:half][~np.isnan(values[:half])]
    if not len(present):
        return np.zeros(len(values), np.intp)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, most + 1)[1:-1]))
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, "right"))


def _nearest(values: Numbers, half: int) -> Bins:
    """Return which distinct number of the first half is nearest to each (n), 0 if missing."""
    known = np.unique(values[:half][~np.isnan(values[:half])]).astype(np.float64)
    middles = (known[1:] + known[:-1]) / 2
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(middles, values, "right"))
