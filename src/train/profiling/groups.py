"""The label as a column, and the groups of rows by it in which others are shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.columns import CodedColumn, Floats
from sagetree.tables.label import AnyLabel, ClassLabel, EventLabel, Label, Labels

# Of more classes the largest are groups of their own, the others are one.
MOST_GROUPS = 4


@dataclass(frozen=True)
class RowGroups:
    """Names of groups of rows (g), and the number of each row's group (n)."""

    names: tuple[str, ...]
    codes: NDArray[np.int8]

    @classmethod
    def one(cls, rows: int) -> "RowGroups":
        """Return one group of all rows, where there is no label."""
        return cls(("rows",), np.zeros(rows, np.int8))

    @classmethod
    def of(cls, label: CodedColumn) -> "RowGroups":
        """Return the groups of a label: its classes, or by the quarters of a number."""
        if not label.categories:
            return cls._quarters(label.name, label.values)
        counts = np.bincount(label.values.astype(np.intp), minlength=len(label.categories))
        kept = np.arange(len(counts))
        if len(counts) > MOST_GROUPS:
            kept = np.sort(np.argsort(-counts, kind="stable")[: MOST_GROUPS - 1])
        numbers = np.full(len(counts), len(kept), np.int8)
        numbers[kept] = np.arange(len(kept))
        names = [f"{label.name} = {label.categories[place]}" for place in kept]
        if len(kept) < len(counts):
            names.append("other classes")
        return cls(tuple(names), numbers[label.values.astype(np.intp)])

    @classmethod
    def _quarters(cls, name: str, values: Floats) -> "RowGroups":
        low, high = np.quantile(values, (0.25, 0.75)).tolist()
        codes = np.where(values <= low, 0, np.where(values < high, 1, 2))
        found, codes = np.unique(codes, return_inverse=True)
        names = (f"{name} to {low:.4g}", f"{name} between", f"{name} from {high:.4g}")
        return cls(tuple(names[place] for place in found), codes.astype(np.int8))

    @property
    def sizes(self) -> NDArray[np.intp]:
        """The rows of each group (g)."""
        return np.bincount(self.codes, minlength=len(self.names))

    def counts(self, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return how many of the rows (n) that are meant are in each group (g)."""
        return np.bincount(self.codes[mask], minlength=len(self.names))

    def crossed(self, codes: Floats, size: int) -> NDArray[np.intp]:
        """Return the rows of each group and code (g, size); NaN is not code."""
        there = ~np.isnan(codes)
        both = self.codes[there].astype(np.intp) * size + codes[there].astype(np.intp)
        counts = np.bincount(both, minlength=len(self.names) * size)
        return counts.reshape(len(self.names), size)


def label_column(label: AnyLabel, labels: Labels) -> CodedColumn:
    """Return an encoded label as a column; of times and intervals it is the time that is known."""
    if isinstance(label, Label):
        return CodedColumn(label.name, "boolean", labels.astype(np.float64), label.classes)
    if isinstance(label, ClassLabel):
        return CodedColumn(label.name, "category", labels.astype(np.float64), label.classes)
    times = labels if labels.ndim == 1 else labels[:, 0]
    # Cox's censored times are negative
    numbers = np.abs(times) if isinstance(label, EventLabel) else times
    return CodedColumn(label.columns[0], "number", numbers.astype(np.float64))
