"""Columns of rows in the user's own words and units, from the features that the model is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sagetree.features.category import Category, OneHot
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean
from sagetree.features.pipeline import FeaturePipeline

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A number with as many values at most is shown value by value, others by quarters.
FEW_VALUES = 8

MISSING = "missing"


@dataclass(frozen=True)
class CodedColumn:
    """A column of some rows: numbers (n), NaN where missing, or codes of `categories`.

    The numbers of a `datetime` are days since 1970.
    """

    name: str
    kind: str
    values: Floats
    categories: tuple[str, ...] = ()

    @property
    def is_missing(self) -> Mask:
        """Which cells are missing, or of a category that training did not see (n)."""
        return np.isnan(self.values)

    def text(self, value: float) -> str:
        """Return a value as the user would write it."""
        if np.isnan(value):
            return MISSING
        if self.categories:
            return self.categories[int(value)]
        if self.kind == "datetime":
            return _date(value)
        return f"{value:.6g}"

    def take(self, rows: NDArray[np.intp]) -> "CodedColumn":
        """Return the column of some rows."""
        return CodedColumn(self.name, self.kind, self.values[rows], self.categories)

    def counts(self) -> list[tuple[float, int]]:
        """Return each value that is there and its number of rows, the most frequent first."""
        found, counts = np.unique(self.values[~self.is_missing], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(float(found[n]), int(counts[n])) for n in order]

    def parts(self) -> Iterator[tuple[str, Mask]]:
        """Yield parts of the rows: by value where there are few, else by quarters of the numbers.

        Missing cells are a part of their own; of many categories the most frequent are.
        """
        counts = self.counts()
        if self.categories or len(counts) <= FEW_VALUES:
            for value, _ in counts[:FEW_VALUES]:
                yield self.text(value), self.values == value
        else:
            yield from self._quarters()
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
    owners = np.asarray(features.owners)
    found = []
    for number, feature in enumerate(features.features):
        places = np.flatnonzero(owners == number)
        values = own[:, places].astype(np.float64)
        kind = "category" if isinstance(feature, OneHot) else feature.kind.split()[-1]
        if isinstance(feature, OneHot):
            codes = np.where(values.any(axis=1), values.argmax(axis=1), np.nan)
        else:
            codes = values[:, 0]
        words: tuple[str, ...] = ()
        if isinstance(feature, Category):
            words = feature.categories
        elif isinstance(feature, Boolean):
            words = ("false", "true")
        elif isinstance(feature, Moment):
            kind = "datetime"
        found.append(CodedColumn(feature.column, kind, codes, words))
    return tuple(found)


def _date(days: float) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return moment.date().isoformat()
