"""The scalar metrics of a binary classifier, by name."""

from collections.abc import Mapping

import numpy as np

from sagetree.evaluate.metrics.weighted import Floats, accuracies, f_scores, precisions, recalls

# One number per metric.
Scalars = dict[str, float]

# The same for each of some resamples.
Samples = Mapping[str, Floats]


def measure(confusion: Floats, *, auc: Floats, aucpr: Floats, logloss: Floats) -> Samples:
    """Return all metrics: the three that need no threshold, and what the confusion matrix says.

    `confusion` (..., 2, 2) counts rows by label, then by what they were called;
    there are rows of both labels. The others (...) go with each matrix.
    `*_best_constant_classifier` is the best that calling all rows the same can
    reach in that metric: in accuracy the share of the more frequent label, in
    the others what calling everything positive gives.
    """
    totals = confusion.sum(axis=-1)
    constant = np.zeros_like(confusion)
    constant[..., 1] = totals
    of_each = recalls(confusion)
    return {
        "auc": auc,
        "aucpr": aucpr,
        "logloss": logloss,
        "accuracy": accuracies(confusion),
        **_of_positive(confusion),
        "true_positive_rate": of_each[..., 1],
        "true_negative_rate": of_each[..., 0],
        "false_positive_rate": confusion[..., 0, 1] / totals[..., 0],
        "false_negative_rate": confusion[..., 1, 0] / totals[..., 1],
        "accuracy_best_constant_classifier": totals.max(axis=-1) / totals.sum(axis=-1),
        **{f"{name}_best_constant_classifier": v for name, v in _of_positive(constant).items()},
    }


def _of_positive(confusion: Floats) -> Samples:
    return {
        "precision": precisions(confusion)[..., 1],
        "recall": recalls(confusion)[..., 1],
        "f0_5": f_scores(confusion, 0.5)[..., 1],
        "f1": f_scores(confusion, 1)[..., 1],
        "f2": f_scores(confusion, 2)[..., 1],
    }
