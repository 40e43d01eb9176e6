"""The scalar metrics of a binary classifier, by name."""

from dataclasses import dataclass

# One number per metric.
Scalars = dict[str, float]


@dataclass(frozen=True)
class Confusion:
    """How many rows of each label were called what.

    The rows have both labels. Where nothing was called positive, precision and
    F are 0, as with scikit-learn's `zero_division=0`.

    >>> Confusion(90, 5, 2, 3).precision
    0.375
    """

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int

    @property
    def positives(self) -> int:
        """Rows whose label is positive."""
        return self.false_negatives + self.true_positives

    @property
    def negatives(self) -> int:
        """Rows whose label is negative."""
        return self.true_negatives + self.false_positives

    @property
    def rows(self) -> int:
        """All rows."""
        return self.positives + self.negatives

    @property
    def called(self) -> int:
        """Rows that were called positive."""
        return self.true_positives + self.false_positives

    @property
    def accuracy(self) -> float:
        """Share of rows that were called what they are."""
        return (self.true_positives + self.true_negatives) / self.rows

    @property
    def precision(self) -> float:
        """Share of positives among the rows called positive; 0 if none was."""
        return self.true_positives / self.called if self.called else 0.0

    @property
    def recall(self) -> float:
        """Share of the positives that were called so."""
        return self.true_positives / self.positives

    def f(self, beta: float) -> float:
        """Weighted harmonic mean of precision and recall; recall weighs `beta` times as much."""
        square = beta**2
        return (1 + square) * self.true_positives / (square * self.positives + self.called)


def measure(confusion: Confusion, *, auc: float, aucpr: float, logloss: float) -> Scalars:
    """Return all metrics: the three that need no threshold, and what the confusion matrix says.

    `*_best_constant_classifier` is the best that calling all rows the same can
    reach in that metric: in accuracy the share of the more frequent label, in
    the others what calling everything positive gives.
    """
    constant = Confusion(0, confusion.negatives, 0, confusion.positives)
    return {
        "auc": auc,
        "aucpr": aucpr,
        "logloss": logloss,
        "accuracy": confusion.accuracy,
        "precision": confusion.precision,
        "recall": confusion.recall,
        "f0_5": confusion.f(0.5),
        "f1": confusion.f(1),
        "f2": confusion.f(2),
        "true_positive_rate": confusion.recall,
        "true_negative_rate": confusion.true_negatives / confusion.negatives,
        "false_positive_rate": confusion.false_positives / confusion.negatives,
        "false_negative_rate": confusion.false_negatives / confusion.positives,
        "accuracy_best_constant_classifier": max(confusion.positives, confusion.negatives)
        / confusion.rows,
        "precision_best_constant_classifier": constant.precision,
        "recall_best_constant_classifier": constant.recall,
        "f0_5_best_constant_classifier": constant.f(0.5),
        "f1_best_constant_classifier": constant.f(1),
        "f2_best_constant_classifier": constant.f(2),
    }
