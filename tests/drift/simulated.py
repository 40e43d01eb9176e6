"""Columns of every sort, as training has them and as they come later, without a model."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.column_baseline import ColumnBaseline
from sagetree.drift.captured.rows import ColumnCells
from sagetree.drift.measures.baselines import KnownColumn
from sagetree.features.base import UNSEEN
from sagetree.features.number import Number

Floats = NDArray[np.float64]
Random = np.random.Generator

MISSING = 0.03

NUMBERS = ("normal", "lognormal", "counts", "spike", "whole")
CATEGORIES = ("few", "rare", "zipf", "many")
SORTS = (*NUMBERS, *CATEGORIES)


def draw(sort: str, random: Random, rows: int, *, missing: float = MISSING) -> Floats:
    """Cells of a column (n): numbers, or numbers that name categories; NaN where missing."""
    values: Floats
    match sort:
        case "normal":
            values = random.normal(size=rows)
        case "lognormal":
            values = random.lognormal(0, 2, rows)
        case "counts":
            values = random.poisson(1.5, rows).astype(np.float64)
        case "spike":
            values = np.where(random.random(rows) < 0.6, 0, random.exponential(5, rows))
        case "whole":
            values = np.floor(random.gamma(1.0, 40, rows))
        case "few":
            values = random.choice(5, rows, p=[0.5, 0.3, 0.15, 0.04, 0.01]).astype(np.float64)
        case "rare":
            values = (random.random(rows) < 0.02).astype(np.float64)
        case "zipf":
            values = np.minimum(random.zipf(1.5, rows), 10**7).astype(np.float64)
        case _:
            values = random.integers(0, 1743, rows).astype(np.float64)
    return np.where(random.random(rows) < missing, np.nan, values)


def known_of(sort: str, values: Floats) -> KnownColumn:
    """What a bundle holds of a column with these cells."""
    missing = float(np.isnan(values).mean())
    if sort in NUMBERS:
        found = ColumnBaseline.measure(Number(column=sort), values.astype(np.float32)[:, None])
        return KnownColumn(sort, "number", False, missing, found.numbers, None)
    counts = Counter(f"{value:.0f}" for value in values[~np.isnan(values)])
    return KnownColumn(sort, "category", False, missing, None, dict(sorted(counts.items())))


def cells_of(sort: str, values: Floats, known: KnownColumn) -> ColumnCells:
    """The same cells as they are captured."""
    missing = int(np.isnan(values).sum())
    if known.counts is None:
        return ColumnCells(values.astype(np.float32).astype(np.float64), None, (), missing, {})
    numbers = {word: float(number) for number, word in enumerate(known.counts)}
    texts = ["" if np.isnan(value) else f"{value:.0f}" for value in values]
    codes = np.array([numbers.get(text, UNSEEN) if text else np.nan for text in texts])
    unseen = Counter(text for text in texts if text and text not in numbers)
    return ColumnCells(None, codes, tuple(known.counts), missing, unseen)
