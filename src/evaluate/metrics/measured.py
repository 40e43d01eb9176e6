"""What a task's metrics are of some rows: values, how certain they are, and what to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagetree.evaluate.metrics.measures import Scalars
from sagetree.evaluate.metrics.weighted import Floats

# Rows, or their weight, by the label, then by what they were called.
Confusion = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Measured:
    """The metrics of rows of one task, by name, and their standard deviations.

    `headline` is the one a verdict goes by; better is higher, unless `falling`,
    and `baseline` is what a model reaches that says the same of every row.
    `confusion` is of classes.
    """

    rows: int
    scalars: Scalars
    deviations: Scalars
    headline: str
    baseline: float
    falling: bool = False
    confusion: Confusion | None = None


def by_name(confusion: Floats, classes: Sequence[str]) -> Confusion:
    """Return a confusion matrix (k, k) by the names of its classes (k), its counts as such."""
    return {
        name: {
            other: int(value) if value.is_integer() else value
            for other, value in zip(classes, row, strict=True)
        }
        for name, row in zip(classes, confusion.tolist(), strict=True)
    }
