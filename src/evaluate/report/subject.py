"""What a report is on: a model, rows with labels, and what was found of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.bundle.model import Model
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.cases import TrainingRecord
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.verdict.gate import MetricVerdict, Verdict
from sagetree.evaluate.verdict.operating_point import OperatingPoint
from sagetree.tables.label import AnyLabel, Labels
from sagetree.tables.roles import RowRoles

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class JudgedRows:
    """Rows with their features (n, m), labels (n) or (n, 2), scores (n) or (n, k), and roles.

    `name` says in words which rows they are; `are_new` whether the model that is
    reported on has learnt from none of them.
    """

    values: Matrix
    labels: Labels
    scores: Scores
    roles: RowRoles
    name: str
    are_new: bool

    @property
    def weights(self) -> Weights:
        """How much each row counts (n), None where all count as one."""
        return self.roles.weight

    def some(self, most: int) -> "JudgedRows":
        """Return at most this many of the rows, evenly spread; of groups whole ones if any fits."""
        if len(self.labels) <= most:
            return self
        if self.roles.groups is not None:
            _, numbers, sizes = np.unique(
                self.roles.groups, return_inverse=True, return_counts=True
            )
            evenly = np.arange(0, len(sizes), -(-len(numbers) // most))
            whole = evenly[np.cumsum(sizes[evenly]) <= most]
            if len(whole):
                return self.take(np.flatnonzero(np.isin(numbers, whole)))
        return self.take(np.linspace(0, len(self.labels) - 1, most).astype(np.intp))

    def counting(self) -> "JudgedRows":
        """Return the rows that count: one of weight 0 is not a row."""
        if self.weights is None or self.weights.all():
            return self
        return self.take(np.flatnonzero(self.weights))

    def take(self, rows: NDArray[np.intp]) -> "JudgedRows":
        """Return some of the rows."""
        return JudgedRows(
            self.values[rows],
            self.labels[rows],
            self.scores[rows],
            self.roles.take(rows),
            self.name,
            self.are_new,
        )


@dataclass(frozen=True)
class Subject:
    """All that a report is made of; `verdict` is None where nothing was to be decided.

    `unseen` counts the cells by column that hold a category training did not see;
    `warnings` say, in a sentence each, why to distrust what was measured; `point` is what the
    threshold gives, None of a model that has none; `bias` compares facets, where there are some.
    """

    model: Model
    label: AnyLabel | None
    training: TrainingRecord
    rows: JudgedRows
    evaluation: Evaluation | Measured
    verdict: Verdict | MetricVerdict | None = None
    unseen: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    point: OperatingPoint | None = None
    bias: BiasAnalysis | None = None
