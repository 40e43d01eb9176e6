"""Rows as XGBoost learns from them: features, labels, and each row's role."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.label import Labels

Matrix = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class RowRoles:
    """What is known of rows beside features and label; None where nothing is.

    `weight` (n) says how much each counts, `base_margin` (n), or (n, k) for k
    outputs, where each starts from, `groups` (n) which of them belong together,
    `times` (n) in seconds or any other unit which come first.
    """

    weight: Matrix | None = None
    base_margin: Matrix | None = None
    groups: Rows | None = None
    times: NDArray[np.float64] | None = None

    def take(self, rows: Rows) -> "RowRoles":
        """Return the roles of some rows."""
        values = {name: value[rows] for name, value in vars(self).items() if value is not None}
        return RowRoles(**values)

    def joined(self, other: "RowRoles") -> "RowRoles":
        """Return the roles of these rows and those after them; both know the same."""
        pairs = {name: (value, getattr(other, name)) for name, value in vars(self).items()}
        return RowRoles(
            **{name: np.concatenate(pair) for name, pair in pairs.items() if pair[0] is not None}
        )


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to choose on: features (n, m), labels (n) or (n, 2), roles."""

    matrix: Matrix
    labels: Labels
    roles: RowRoles = RowRoles()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.labels)

    def take(self, rows: Rows) -> "Examples":
        """Return a copy of some rows."""
        return Examples(self.matrix[rows], self.labels[rows], self.roles.take(rows))

    def joined(self, other: "Examples") -> "Examples":
        """Return these rows and those after them, as a copy."""
        return Examples(
            np.concatenate([self.matrix, other.matrix]),
            np.concatenate([self.labels, other.labels]),
            self.roles.joined(other.roles),
        )

    def without_margin(self) -> "Examples":
        """Return the same rows as serving sees them: starting from the model's own score."""
        return replace(self, roles=replace(self.roles, base_margin=None))


@dataclass(frozen=True)
class LeftOut:
    """Labels (n) or (n, 2) and roles of rows that were left out, to measure their scores by."""

    labels: Labels
    roles: RowRoles

    @classmethod
    def of(cls, examples: Examples, rows: Rows | None = None) -> "LeftOut":
        """Take all rows, or some."""
        if rows is None:
            return cls(examples.labels, examples.roles)
        return cls(examples.labels[rows], examples.roles.take(rows))


def group_sizes(groups: Rows) -> NDArray[np.intp]:
    """Return how many rows each run of equal groups has.

    >>> group_sizes(np.array([4, 4, 0, 1, 1, 1])).tolist()
    [2, 1, 3]
    """
    ends = np.flatnonzero(np.diff(groups)) + 1
    return np.diff(np.concatenate([[0], ends, [len(groups)]]))


@dataclass(frozen=True)
class Layout:
    """How rows are handed to XGBoost: names, types and weights of features (m), threads.

    `queries` says that groups are queries, whose rows stand together, `bounds`
    that labels are lower and upper ones (one label is both).
    """

    names: Sequence[str]
    types: Sequence[str]
    feature_weights: Matrix | None
    threads: int
    queries: bool
    bounds: bool

    def data(self, examples: Examples) -> xgboost.DMatrix:
        """Return rows as XGBoost reads them."""
        labels, roles = examples.labels, examples.roles
        lower, upper = (labels[:, 0], labels[:, 1]) if labels.ndim == 2 else (labels, labels)
        queries = group_sizes(roles.groups) if self.queries and roles.groups is not None else None
        weight = roles.weight
        if weight is not None and queries is not None:  # XGBoost weighs whole queries
            weight = weight[np.cumsum(queries) - queries]
        return xgboost.DMatrix(
            examples.matrix,
            None if self.bounds else labels,
            weight=weight,
            base_margin=roles.base_margin,
            feature_names=self.names,
            feature_types=self.types,
            feature_weights=self.feature_weights,
            enable_categorical=True,
            nthread=self.threads,
            group=queries,
            label_lower_bound=lower if self.bounds else None,
            label_upper_bound=upper if self.bounds else None,
        )
