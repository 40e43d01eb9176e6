"""What the rows are, column by column, beside those of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.absent_cells import missing_shares
from sagetree.bundle.baseline import bin_counts, stability_index
from sagetree.bundle.model import Model
from sagetree.evaluate.report.columns import CodedColumn

# By custom a population stability index from here on is large.
LARGE_SHIFT = 0.25

# Tukey's outer fences: this many times the distance of the quartiles beyond them.
FENCE = 3

# Columns that are shown, and the categories of each.
MOST_COLUMNS, MOST_CATEGORIES = 60, 3

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True)
class ColumnProfile:
    """A column's cells: shares that are missing, here and in training, and what the others are.

    `common` are the most frequent categories and their shares, `quantiles` those of
    numbers (least, 5 %, median, 95 %, greatest) as text. `outliers` is the share
    beyond Tukey's outer fences, `unseen` that of categories training did not see,
    `shift` the population stability index against training's rows.
    """

    column: str
    kind: str
    missing: float
    missing_in_training: float | None
    distinct: int
    common: tuple[tuple[str, float], ...]
    quantiles: tuple[str, ...]
    outliers: float | None
    unseen: float | None
    shift: float | None


@dataclass(frozen=True)
class ProfileFacts:
    """The columns that the model needs, in its own order; `rows` were counted."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    more_columns: int
    shifted: tuple[str, ...]


def profile(
    model: Model,
    columns: Sequence[CodedColumn],
    matrix: NDArray[np.float32],
    unseen: Mapping[str, float],
) -> ProfileFacts:
    """Return the profile of columns made of a feature matrix (n, m).

    `unseen` has each column's share of cells of a category that training did not see.
    """
    before = missing_shares(model.schema)
    shifts = _shifts(model, matrix)
    found = [
        _profile(column, before.get(column.name), unseen.get(column.name, 0.0), shift)
        for column, shift in zip(columns, shifts, strict=True)
    ]
    shifted = [c.column for c in found if c.shift is not None and c.shift >= LARGE_SHIFT]
    return ProfileFacts(
        rows=len(matrix),
        columns=tuple(found[:MOST_COLUMNS]),
        more_columns=max(0, len(found) - MOST_COLUMNS),
        shifted=tuple(shifted),
    )


def _profile(
    column: CodedColumn, before: float | None, unseen: float, shift: float | None
) -> ColumnProfile:
    rows, counts = max(1, len(column.values)), column.counts()
    is_number = not column.categories
    there = column.values[~column.has_none]
    lacking = int(column.is_missing.sum())
    return ColumnProfile(
        column=column.name,
        kind=column.kind,
        missing=max(0.0, lacking - unseen * rows) / rows,
        missing_in_training=before,
        distinct=len(counts) + len(column.words),
        common=()
        if is_number
        else tuple((column.text(v), n / rows) for v, n in counts[:MOST_CATEGORIES]),
        quantiles=tuple(map(column.text, np.quantile(there, QUANTILES).tolist()))
        if is_number and len(there)
        else (),
        outliers=_outliers(there) if is_number and len(there) else None,
        unseen=unseen if column.categories or column.kind == "mixed" else None,
        shift=shift,
    )


def fences(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return Tukey's outer fences of numbers (n > 0), infinite where the quartiles are equal."""
    low, high = np.quantile(values, (0.25, 0.75)).tolist()
    far = FENCE * (high - low) if high > low else np.inf
    return low - far, high + far


def _outliers(values: NDArray[np.float64]) -> float:
    low, high = fences(values)
    return float(np.mean((values < low) | (values > high)))


def _shifts(model: Model, matrix: NDArray[np.float32]) -> list[float | None]:
    """Return each column's stability index, of several features the largest; None: not known."""
    if model.baseline is None:
        return [None] * len(model.features.features)
    own = model.features.in_own_units(matrix)
    found = [0.0] * len(model.features.features)
    histograms = zip(model.features.owners, model.baseline.features, own.T, strict=True)
    for owner, histogram, values in histograms:
        counts = bin_counts(histogram.cuts, values).tolist()
        found[owner] = max(found[owner], stability_index(histogram.counts, counts))
    return list(found)
