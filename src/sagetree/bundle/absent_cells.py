"""Cells that tell a model nothing, by column: missing ones, and categories training did not see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import is_beyond
from sagetree.errors import quote
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table, column_cell

# Columns may have this share of such cells beyond training's.
ABSENT_BEYOND = 0.05

# Of more columns the others are only counted.
COLUMNS_NAMED = 10

Counts = Mapping[str, int]


@dataclass(frozen=True)
class AbsentCells:
    """How many cells of some rows are missing, and how many of a category never seen, by column.

    Columns without such cells are not listed. `examples` has an unseen category of each.
    """

    rows: int = 0
    missing: Counts = field(default_factory=dict)
    unseen: Counts = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def count(cls, table: Table, made: FeatureMatrix, features: FeaturePipeline) -> "AbsentCells":
        """Count those of a table whose columns are the inputs; `made` is what was made of it."""
        unseen: dict[str, int] = {}
        examples: dict[str, str] = {}
        for row, column in made.unseen:
            if column not in unseen:
                examples[column] = str(column_cell(table.column(column), row))
            unseen[column] = unseen.get(column, 0) + 1
        empty = _empty(made.values, features)
        counted = {name: unseen.get(name, 0) for name in features.misses_unseen}
        missing = {name: count - counted.get(name, 0) for name, count in empty.items()}
        return cls(table.rows, {n: c for n, c in missing.items() if c}, unseen, examples)

    def joined(self, other: "AbsentCells") -> "AbsentCells":
        """Return the counts of these rows and the others."""
        return AbsentCells(
            self.rows + other.rows,
            _sum(self.missing, other.missing),
            _sum(self.unseen, other.unseen),
            {**other.examples, **self.examples},
        )

    def suspects(self, schema: Schema) -> tuple[str, ...]:
        """Return, in a sentence each, the columns with more such cells than training explains."""
        found = [
            f"column {quote(name)}: {count} of {self.rows} cells hold categories that training did "
            f"not see, such as {quote(self.examples[name])}"
            for name, count in self.unseen.items()
            if is_beyond(count, self.rows, 0, ABSENT_BEYOND)
        ]
        for name, share in missing_shares(schema).items():
            count = self.missing.get(name, 0)
            if is_beyond(count, self.rows, share, ABSENT_BEYOND):
                found.append(
                    f"column {quote(name)}: {count} of {self.rows} cells are missing, and in "
                    f"training {share:.1%}"
                )
        return _shortened(found)


def missing_shares(schema: Schema) -> dict[str, float]:
    """Return the share of training's cells that are missing, by input column; {} if not known."""
    if not schema.rows:
        return {}
    return {c.name: c.missing / schema.rows for c in schema.columns if c.is_input}


def _empty(values: NDArray[np.float32], features: FeaturePipeline) -> dict[str, int]:
    """Return how many rows of a feature matrix (n, m) have nothing of each column."""
    parts = zip(features.features, features.parts, strict=True)
    return {
        feature.column: int(np.count_nonzero(feature.is_absent(values[:, part])))
        for feature, part in parts
    }


def _sum(one: Counts, other: Counts) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _shortened(sentences: Sequence[str]) -> tuple[str, ...]:
    more = len(sentences) - COLUMNS_NAMED
    rest = (f"and {more} more columns like these",) if more > 0 else ()
    return (*sentences[:COLUMNS_NAMED], *rest)
