"""Labels and scores that can be measured: the one check before any metric."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.bundle.copies import TOLD_COPIES
from sagetree.errors import ArtifactError, DataError
from sagetree.tables.label import Labels

Weights: TypeAlias = NDArray[np.float32] | None

# What rows are called in an error, where the caller knows no better name.
THESE_ROWS = "the evaluated rows"

_BOTH_LABELS = "Give rows of both labels: AUC, precision and recall need them"


def with_weight(weights: Weights, *values: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the values (n, ...) of the rows that count: one of weight 0 is not a row."""
    return list(values) if weights is None else [each[weights > 0] for each in values]


def effective_rows(weights: Weights, rows: int) -> float:
    """Return how many rows of equal weight say as much: Kish's effective sample size."""
    if weights is None:
        return float(rows)
    wide = weights.astype(np.float64)
    return float(wide.sum() ** 2 / (wide**2).sum())


def counted_once(
    labels: Labels, scores: Scores, weights: Weights, copies: NDArray[np.intp]
) -> tuple[Labels, Scores, NDArray[np.float32]]:
    """Return labels, scores and weights of one row for each that copies (n) repeat.

    It weighs as much as they do together, so that metrics stay what they are, and their
    spread is that of the rows that say something.
    """
    columns = (scores.reshape(len(scores), -1), labels.reshape(len(labels), -1))
    keys = np.column_stack([*columns, copies]).astype(np.float64)
    order = np.lexsort(keys.T)
    ordered = keys[order]
    begins = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    wide = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
    sums = np.bincount(np.cumsum(begins) - 1, wide[order])
    first = order[begins]
    rows = np.argsort(first)  # as they stand in the table
    return labels[first[rows]], scores[first[rows]], sums[rows].astype(np.float32)


def said_of_copies(copies: int, rows: int) -> Iterator[str]:
    """Yield what is to be said about rows that are copies of other ones, if they are worth it."""
    if copies and copies >= TOLD_COPIES * rows:
        yield (
            f"{copies} of {rows} rows are copies of other rows: intervals and standard deviations "
            "count each once"
        )


def check_rows(labels: Labels, scores: Scores, where: str) -> None:
    """Refuse rows on which no metric is defined; `where` names them for the reader.

    Raises DataError without rows or with rows of one label only, ArtifactError
    for scores that are NaN or infinite.
    """
    if len(labels) == 0:
        raise DataError("there are no rows", where=where, hint=_BOTH_LABELS)
    positives = np.count_nonzero(labels)
    if positives in (0, len(labels)):
        kind = "positive" if positives else "negative"
        raise DataError(f"all {len(labels)} rows are {kind}", where=where, hint=_BOTH_LABELS)
    check_finite(labels, scores, where)


def check_finite(labels: Labels, scores: Scores, where: str) -> None:
    """Refuse scores that are NaN or infinite (ArtifactError), and no rows at all (DataError)."""
    if len(labels) == 0:
        raise DataError("there are no rows", where=where, hint="Give rows with labels")
    strange = np.argwhere(~np.isfinite(scores))
    if len(strange):
        raise ArtifactError(
            f"the model gives {scores[tuple(strange[0])]} as the score of row {strange[0][0] + 1}",
            where=where,
            hint="Train again: a model must give every row a finite score",
        )


def is_positive(scores: Scores, threshold: float) -> NDArray[np.bool_]:
    """Say for each score whether it is at least the threshold.

    Both are compared as float64. Without that NumPy would round the threshold to float32, and a
    score that prints as 0.699999988079071 would pass 0.7.
    """
    return scores >= np.float64(threshold)


def are_probabilities(scores: Scores) -> bool:
    """Whether all scores lie in 0..1; a model with another objective gives margins."""
    return bool(scores.min() >= 0 and scores.max() <= 1)
