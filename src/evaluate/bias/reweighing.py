"""Weights by facets and label, with which neither says anything of the other.

Rows of a facet with a label count as many times as there would be such rows for each
that there is, were the two independent (Kamiran and Calders, Knowledge and Information
Systems 33, 2012). No row is made up, and no facet or label counts more or less in all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.bias.counts import Flags
from sagetree.evaluate.metrics.rows import Weights
from sagetree.tables.label import Labels


@dataclass(frozen=True)
class Reweighing:
    """How many times as much rows count, by the facets they are in and their label.

    `one_sided` are the rows of facets that have one label alone: no weights part the two there.
    """

    factors: Mapping[tuple[bytes, float], float]
    one_sided: int

    @classmethod
    def of(cls, inside: Flags, labels: Labels, weights: Weights = None) -> "Reweighing":
        """Find it by rows that are in facets (n, f) and have labels (n)."""
        facets, codes = np.unique(inside, axis=0, return_inverse=True)
        values, numbers = np.unique(labels, return_inverse=True)
        wide = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
        cells = np.reshape(codes, -1) * len(values) + numbers
        sums = np.bincount(cells, wide, len(facets) * len(values)).reshape(len(facets), -1)
        of_facets, of_labels = sums.sum(axis=1), sums.sum(axis=0)
        expected = np.outer(of_facets, of_labels) / sums.sum()
        factors = np.divide(expected, sums, out=np.ones_like(sums), where=sums > 0)
        found = {
            (facet.tobytes(), float(value)): float(factor)
            for facet, row in zip(facets, factors, strict=True)
            for value, factor in zip(values, row, strict=True)
        }
        single = (sums > 0).sum(axis=1) == 1
        return cls(found, int(np.isin(np.reshape(codes, -1), np.flatnonzero(single)).sum()))

    def emphasis(self, inside: Flags, labels: Labels) -> NDArray[np.float32]:
        """Return how many times as much each row (n) counts; of a kind that is new it is once."""
        pairs = zip(inside, labels.tolist(), strict=True)
        found = (self.factors.get((row.tobytes(), label), 1.0) for row, label in pairs)
        return np.fromiter(found, np.float32, len(labels))
