"""ROC and precision-recall curves as scikit-learn draws them, thin enough for a JSON file."""

from dataclasses import asdict, dataclass

import numpy as np

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.thinning import thin
from sagetree.evaluate.metrics.weighted import cumulated, roc_points
from sagetree.tables.label import Labels


@dataclass(frozen=True)
class RocCurve:
    """True over false positive rates, from (0, 0) to (1, 1)."""

    false_positive_rates: tuple[float, ...]
    true_positive_rates: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores, weights: Weights = None) -> "RocCurve":
        """Return the curve, thinned to 1000 points; `labels` hold 0 and 1."""
        false, true = roc_points(labels, scores, weights)
        keep = thin(false, true)
        return cls(tuple(false[keep].tolist()), tuple(true[keep].tolist()))


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision over recall, by ascending recall, from (recall 0, precision 1)."""

    precisions: tuple[float, ...]
    recalls: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores, weights: Weights = None) -> "PrecisionRecallCurve":
        """Return the curve, thinned to 1000 points; `labels` hold 0 and 1."""
        _, true, called = cumulated(labels, scores, weights)
        changes = np.diff(true) != 0  # of the points with one recall the first and the last stay
        kept = np.append(True, changes) | np.append(changes, True)
        true, called = true[kept], called[kept]
        precision, recall = np.append(1.0, true / called), np.append(0.0, true / true[-1])
        keep = thin(recall, precision)
        return cls(tuple(precision[keep].tolist()), tuple(recall[keep].tolist()))


def curves_json(labels: Labels, scores: Scores, weights: Weights = None) -> dict[str, object]:
    """Return both curves by SageMaker's names."""
    return {
        "receiver_operating_characteristic_curve": asdict(RocCurve.of(labels, scores, weights)),
        "precision_recall_curve": asdict(PrecisionRecallCurve.of(labels, scores, weights)),
    }
