"""Codes of many categories to statistics of the label, so that no row sees its own label.

Rows that are learnt from are dealt out to parts, and each has the statistics of the
other parts' rows; rows that are scored have those of all rows learnt from, as serving
has. So a fold's are made of the rows inside it alone. Copies of a row, and rows of one group,
are in one part: or else a repeated row would meet its label in its twin.

A category's mean is drawn towards that of all rows as the best linear prediction of a
random intercept is: by as many rows as labels vary more inside categories than between
them. Where they vary no more between them than chance explains, all have the same mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.training_rows import row_hashes
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.features.statistics import ClassShares, ManyCategories, TargetMean
from sagetree.tables.encoding import Floats
from sagetree.train.examples.examples import Examples, Matrix, Statistics
from sagetree.train.hosts.group import ONE, Group

# Each row's statistics are then of four fifths of the rows; more parts gain nothing.
PARTS = 5

_TINY = 1e-300

# What stands for codes, by their place in the source: (parts, codes and the unseen one, outputs).
Tables: TypeAlias = Mapping[int, NDArray[np.float32]]


@dataclass(frozen=True)
class TargetEncoder:
    """The code columns of examples by their place: `sizes` has each one's number of categories.

    `classes` is the number of classes, 0 for a label that is a number itself. Statistics are
    of the rows of all hosts.
    """

    sizes: Mapping[int, int]
    classes: int = 0
    group: Group = ONE

    @classmethod
    def of(cls, features: FeaturePipeline, classes: int, group: Group = ONE) -> "TargetEncoder":
        """Return the encoder of examples that these features have made."""
        found = {
            place: len(feature.categories)
            for place, owner in enumerate(features.owners)
            if type(feature := features.features[owner]) is ManyCategories
        }
        return cls(MappingProxyType(found), classes, group)

    def cross_fit(self, rows: Examples) -> tuple[Examples, Tables]:
        """Return rows to learn from, each with the other parts' statistics, and those of all."""
        if not self.sizes:
            return rows, {}
        parts, sums = self._sums(rows)
        tables = {place: of_column.apart() for place, of_column in sums.items()}
        learnt = replace(rows, statistics=Statistics(tables, parts))
        return learnt, {place: of_column.together() for place, of_column in sums.items()}

    def fit(self, rows: Examples) -> Tables:
        """Return the statistics of all rows."""
        return self.cross_fit(rows)[1]

    def encode(self, rows: Examples, tables: Tables) -> Examples:
        """Return rows to score, with the statistics of those that were learnt from."""
        return replace(rows, statistics=Statistics(tables)) if self.sizes else rows

    def served(
        self, features: FeaturePipeline, tables: Tables, classes: tuple[str, ...]
    ) -> FeaturePipeline:
        """Return the features with the statistics of the codes; `classes` are the label's."""
        if not self.sizes:
            return features
        names = classes if self.classes else ()
        found: tuple[AnyFeature, ...] = tuple(
            _fitted(feature, tables[features.owners.index(number)][0], names)
            if type(feature) is ManyCategories
            else feature
            for number, feature in enumerate(features.features)
        )
        return FeaturePipeline(  # a copy would keep what was made of the codes
            missing_values=features.missing_values,
            unknown_category=features.unknown_category,
            features=found,
        )

    def _sums(self, rows: Examples) -> tuple[NDArray[np.uint8], Mapping[int, "_Sums"]]:
        targets = self._targets(rows)
        weight = self._unit_weights(rows)
        centre = self._mean(targets, weight)
        parts = _parts(rows)
        sums = {p: _Sums.none(size, targets.shape[1], centre) for p, size in self.sizes.items()}
        for span, block in rows.blocks():
            of_rows = targets[span] - centre, weight[span], parts[span]
            sums = {place: found.plus(block[:, place], *of_rows) for place, found in sums.items()}
        return parts, {place: found.of_all(self.group) for place, found in sums.items()}

    def _mean(self, targets: Floats, weight: Floats) -> Floats:
        """Return the mean of targets (n, outputs)."""
        if self.group.size == 1:
            return np.asarray(np.average(targets, axis=0, weights=weight))
        sums = self.group.total(np.concatenate([weight @ targets, [weight.sum()]]))
        mean: Floats = sums[:-1] / sums[-1]
        return mean

    def _unit_weights(self, rows: Examples) -> Floats:
        """Return the rows' weights (n), 1 on average: only their ratio says something."""
        if rows.roles.learning_weight is None:
            return np.ones(rows.rows)
        weight = rows.roles.learning_weight.astype(np.float64)
        if self.group.size == 1:
            unit: Floats = weight / weight[weight > 0].mean()
            return unit
        total, count = self.group.total(np.array([weight.sum(), np.count_nonzero(weight)])).tolist()
        return weight * float(count / total)

    def _targets(self, rows: Examples) -> Floats:
        """Return what means are made of (n, outputs)."""
        if self.classes:
            return np.eye(self.classes, dtype=np.float64)[rows.labels.astype(np.intp)]
        return rows.labels.astype(np.float64)[:, None]


def _fitted(
    known: ManyCategories, table: NDArray[np.float32], classes: tuple[str, ...]
) -> AnyFeature:
    """Return the transform that has the statistics of a table (codes, outputs)."""
    name, categories, values = known.column, known.categories, table.tolist()
    if classes:
        shares = tuple(map(tuple, values))
        return ClassShares(column=name, categories=categories, classes=classes, shares=shares)
    *means, mean = (value for (value,) in values)
    return TargetMean(column=name, categories=categories, means=tuple(means), mean=mean)


def _parts(rows: Examples) -> NDArray[np.uint8]:
    """Return the part of each row (n): that of its group or its copies, else one of its own."""
    together = rows.roles.groups if rows.roles.groups is not None else rows.copies
    numbers = np.arange(rows.rows) if together is None else together
    values = numbers[:, None].astype(np.float32)
    hashes = row_hashes(values, np.zeros(len(values), np.float32)).rows
    return (hashes % np.uint64(PARTS)).astype(np.uint8)


@dataclass(frozen=True)
class _Sums:
    """Of one column: the weight of rows and the sums of their labels, by part and code.

    Labels are counted from `centre` (outputs), so that large ones lose no digits; `squares`
    are the sums of theirs by part, all outputs together.
    """

    weights: Floats
    labels: Floats
    squares: Floats
    centre: Floats

    @classmethod
    def none(cls, size: int, outputs: int, centre: Floats) -> "_Sums":
        """Return the sums of no row; the last code is that of categories not listed."""
        shape = PARTS, size + 1
        return cls(np.zeros(shape), np.zeros((*shape, outputs)), np.zeros(PARTS), centre)

    def plus(
        self, codes: Matrix, labels: Floats, weight: Floats, parts: NDArray[np.uint8]
    ) -> "_Sums":
        """Return the sums with more rows (n); one whose code is missing has no part in them."""
        there = ~np.isnan(codes)
        shape, parts = self.weights.shape, parts[there]
        places = parts * np.intp(shape[1]) + codes[there].astype(np.intp)
        weight, weighed = weight[there], weight[there, None] * labels[there]
        counted = np.bincount(places, weight, self.weights.size).reshape(shape)
        added = [np.bincount(places, values, self.weights.size) for values in weighed.T]
        squares = (weighed * labels[there]).sum(axis=1)
        return replace(
            self,
            weights=self.weights + counted,
            labels=self.labels + np.stack(added, axis=1).reshape(self.labels.shape),
            squares=self.squares + np.bincount(parts, squares, PARTS),
        )

    def of_all(self, group: Group) -> "_Sums":
        """Return the sums of the rows of all hosts."""
        return replace(
            self,
            weights=group.total(self.weights),
            labels=group.total(self.labels),
            squares=group.total(self.squares),
        )

    def together(self) -> NDArray[np.float32]:
        """Return the statistics of all rows (1, codes, outputs)."""
        of_all = self.weights.sum(axis=0), self.labels.sum(axis=0)
        return self._drawn(*of_all, _pull(*of_all, self.squares.sum()))[None]

    def apart(self) -> NDArray[np.float32]:
        """Return for each part the statistics of the others (parts, codes, outputs).

        How far they are drawn is of the others too: a part's own labels would show in it.
        """
        found = []
        for others in ~np.eye(PARTS, dtype=bool):
            weights, labels = self.weights[others].sum(axis=0), self.labels[others].sum(axis=0)
            found.append(
                self._drawn(weights, labels, _pull(weights, labels, self.squares[others].sum()))
            )
        return np.stack(found)

    def _drawn(self, weights: Floats, labels: Floats, pull: float) -> NDArray[np.float32]:
        """Return the means of codes, drawn towards that of all rows, which every part has."""
        mean = self.labels.sum(axis=(0, 1)) / max(self.weights.sum(), _TINY)
        drawn = np.broadcast_to(mean, labels.shape).copy()
        if np.isfinite(pull):
            there = weights > 0
            drawn[there] = (labels[there] + pull * mean) / (weights[there, None] + pull)
        return (drawn + self.centre).astype(np.float32)


def _pull(weights: Floats, labels: Floats, squares: float) -> float:
    """Return how many rows the mean of all counts for, infinite if categories say nothing.

    It is the variance of labels inside categories over that between them, by the usual
    moments of an analysis of variance; of weights (codes), sums of labels (codes,
    outputs) and the sum of their squares.
    """
    there = weights > 0
    counts, sums = weights[there], labels[there]
    rows, groups = counts.sum(), len(counts)
    usual = rows - (counts**2).sum() / max(rows, _TINY)
    if rows <= groups or usual <= 0:
        return np.inf
    of_means = (sums**2 / counts[:, None]).sum()
    inside = max(squares - of_means, 0.0) / (rows - groups)
    between = (of_means - (sums.sum(axis=0) ** 2).sum() / rows) / (groups - 1)
    varies = (between - inside) * (groups - 1) / usual
    return float(inside / varies) if varies > 0 else np.inf
