"""ROC and precision-recall curves, thin enough for a JSON file.

Only the program `evaluate` draws them: they are scikit-learn's, which training
leaves out.
"""

from dataclasses import asdict, dataclass

from sklearn.metrics import precision_recall_curve, roc_curve

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.thinning import thin
from sagetree.tables.label import Labels


@dataclass(frozen=True)
class RocCurve:
    """True over false positive rates, from (0, 0) to (1, 1)."""

    false_positive_rates: tuple[float, ...]
    true_positive_rates: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores, weights: Weights = None) -> "RocCurve":
        """Return scikit-learn's curve, thinned to 1000 points; `labels` hold 0 and 1."""
        false, true, _ = roc_curve(labels, scores, sample_weight=weights)
        keep = thin(false, true)
        return cls(tuple(false[keep].tolist()), tuple(true[keep].tolist()))


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision over recall, by ascending recall, from scikit-learn's (recall 0, precision 1)."""

    precisions: tuple[float, ...]
    recalls: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores, weights: Weights = None) -> "PrecisionRecallCurve":
        """Return scikit-learn's curve, thinned to 1000 points; `labels` hold 0 and 1."""
        precision, recall, _ = precision_recall_curve(
            labels, scores, sample_weight=weights, drop_intermediate=True
        )
        precision, recall = precision[::-1], recall[::-1]
        keep = thin(recall, precision)
        return cls(tuple(precision[keep].tolist()), tuple(recall[keep].tolist()))


def curves_json(labels: Labels, scores: Scores, weights: Weights = None) -> dict[str, object]:
    """Return both curves by SageMaker's names."""
    return {
        "receiver_operating_characteristic_curve": asdict(RocCurve.of(labels, scores, weights)),
        "precision_recall_curve": asdict(PrecisionRecallCurve.of(labels, scores, weights)),
    }
