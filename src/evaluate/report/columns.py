"""Columns of rows in the user's own words and units, from the features that the model is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.features.statistics import ClassShares, TargetMean

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A number with as many values at most is shown value by value, others by quarters.
FEW_VALUES = 8

# Categories of the same statistics that are all named.
MOST_TOGETHER = 3

MISSING = "missing"


@dataclass(frozen=True)
class CodedColumn:
    """A column of some rows: numbers (n), NaN where missing, or codes of `categories`.

    The numbers of a `datetime` are days since 1970. `words` are those that a column holds beside
    numbers, each with the rows (n) that have it.
    """

    name: str
    kind: str
    values: Floats
    categories: tuple[str, ...] = ()
    words: tuple[tuple[str, Mask], ...] = ()

    @property
    def has_none(self) -> Mask:
        """Which cells (n) have no number and no code."""
        return np.isnan(self.values)

    @property
    def is_missing(self) -> Mask:
        """Which cells are missing, or of a category or word that training did not see (n)."""
        missing = self.has_none
        for _, mask in self.words:
            missing &= ~mask
        return missing

    def text(self, value: float) -> str:
        """Return a value as the user would write it."""
        if np.isnan(value):
            return MISSING
        if self.categories:
            return self.categories[int(value)]
        if self.kind == "datetime":
            return iso_date(value)
        return f"{value:.6g}"

    def take(self, rows: NDArray[np.intp]) -> "CodedColumn":
        """Return the column of some rows."""
        taken = ((word, mask[rows]) for word, mask in self.words)
        words = tuple((word, mask) for word, mask in taken if mask.any())
        return CodedColumn(self.name, self.kind, self.values[rows], self.categories, words)

    def counts(self) -> list[tuple[float, int]]:
        """Return each value that is there and its number of rows, the most frequent first."""
        found, counts = np.unique(self.values[~self.has_none], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(float(found[n]), int(counts[n])) for n in order]

    def parts(self) -> Iterator[tuple[str, Mask]]:
        """Yield parts of the rows: by value where there are few, else by quarters of the numbers.

        Missing cells are a part of their own; of many categories or words the most frequent are.
        """
        counts = self.counts()
        if self.categories or len(counts) <= FEW_VALUES:
            for value, _ in counts[:FEW_VALUES]:
                yield self.text(value), self.values == value
        else:
            yield from self._quarters()
        yield from sorted(self.words, key=lambda one: -int(one[1].sum()))[:FEW_VALUES]
        if self.is_missing.any():
            yield MISSING, self.is_missing

    def _quarters(self) -> Iterator[tuple[str, Mask]]:
        cuts = np.unique(np.nanquantile(self.values, (0, 0.25, 0.5, 0.75, 1), method="lower"))
        for low, high in pairwise(cuts.tolist()):
            is_last = high == cuts[-1]
            mask = (self.values >= low) & ((self.values <= high) if is_last else self.values < high)
            yield f"{self.text(low)} to {'' if is_last else 'below '}{self.text(high)}", mask


def columns_of(features: FeaturePipeline, matrix: NDArray[np.float32]) -> tuple[CodedColumn, ...]:
    """Return the columns that a feature matrix (n, m) was made of, in the model's order."""
    own = features.in_own_units(matrix)
    parts = zip(features.features, features.parts, strict=True)
    return tuple(_column_of(feature, own[:, part]) for feature, part in parts)


def _column_of(feature: AnyFeature, own: NDArray[np.floating]) -> CodedColumn:
    name, values = feature.column, own.astype(np.float64)
    match feature:
        case TargetMean() | ClassShares():
            return CodedColumn(name, "category", *_of_statistics(feature, own))
        case OneHot():
            codes = np.where(values.any(axis=1), values.argmax(axis=1), np.nan)
            return CodedColumn(name, "category", codes, feature.categories)
        case Category():
            return CodedColumn(name, feature.kind, values[:, 0], feature.categories)
        case Boolean():
            return CodedColumn(name, feature.kind, values[:, 0], ("false", "true"))
        case Moment():
            return CodedColumn(name, "datetime", values[:, 0])
        case Mixed():
            words = _column_of(feature.words, own[:, 1:])
            masks = ((word, words.values == code) for code, word in enumerate(words.categories))
            there = tuple((word, mask) for word, mask in masks if mask.any())
            return CodedColumn(name, feature.kind, values[:, 0], words=there)
        case _:
            return CodedColumn(name, feature.kind.split()[-1], values[:, 0])


def _of_statistics(
    feature: TargetMean | ClassShares, own: NDArray[np.floating]
) -> tuple[Floats, tuple[str, ...]]:
    """Return codes (n) of categories that stand in the matrix as statistics of the label (n, k).

    Categories of the same statistics cannot be told apart: they are one, by all their names. One
    that training did not see is as all rows are: NaN unless a category is so as well.
    """
    if isinstance(feature, TargetMean):
        table = np.array(feature.means, np.float32).reshape(-1, 1)
    else:
        table = np.array(feature.shares[:-1], np.float32)
    names: dict[bytes, list[str]] = {}
    for category, row in zip(feature.categories, table, strict=True):
        names.setdefault(row.tobytes(), []).append(category)
    codes = {key: float(code) for code, key in enumerate(names)}
    rows = own.astype(np.float32)
    found = np.fromiter((codes.get(row.tobytes(), np.nan) for row in rows), np.float64, len(rows))
    return found, tuple(map(_together, names.values()))


def _together(names: Sequence[str]) -> str:
    """Return the name of categories that are one.

    >>> _together(["a"]), _together(["a", "b"]), _together(["a", "b", "c", "d"])
    ('a', 'a or b', 'a or 3 others')
    """
    if len(names) > MOST_TOGETHER:
        return f"{names[0]} or {len(names) - 1} others"
    return " or ".join(names)


def iso_date(days: float) -> str:
    """Return the date this many days after 1970-01-01."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return moment.date().isoformat()
