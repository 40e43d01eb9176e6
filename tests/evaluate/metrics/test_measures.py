"""Metrics of a confusion matrix, on the example of SageMaker's own documentation."""

import numpy as np
import pytest

from sagetree.evaluate.metrics.measures import measure

# Developer guide, model-monitor-model-quality-metrics: one positive row in four.
DOCUMENTED = {
    "recall": 1.0,
    "precision": 0.3333333333333333,
    "accuracy": 0.5,
    "recall_best_constant_classifier": 1.0,
    "precision_best_constant_classifier": 0.25,
    "true_positive_rate": 1.0,
    "true_negative_rate": 0.33333333333333337,
    "false_positive_rate": 0.6666666666666666,
    "false_negative_rate": 0.0,
    "f0_5": 0.3846153846153846,
    "f1": 0.5,
    "f2": 0.7142857142857143,
    "f0_5_best_constant_classifier": 0.29411764705882354,
    "f1_best_constant_classifier": 0.4,
    "f2_best_constant_classifier": 0.625,
}


def measured_of(*counts, auc=1.0, aucpr=1.0, logloss=0.5):
    """The metrics of true negatives, false positives, false negatives, true positives."""
    others = {"auc": auc, "aucpr": aucpr, "logloss": logloss}
    matrix = np.array(counts, float).reshape(2, 2)
    return measure(matrix, **{name: np.array(value) for name, value in others.items()})


def test_documented_example():
    measured = measured_of(1, 2, 0, 1)

    assert {name: measured[name] for name in DOCUMENTED} == pytest.approx(DOCUMENTED)
    assert (measured["auc"], measured["aucpr"], measured["logloss"]) == (1.0, 1.0, 0.5)


def test_the_best_constant_accuracy_is_that_of_the_more_frequent_label():
    # The documentation has 0.25 here, the accuracy of calling everything positive.
    rare = measured_of(1, 2, 0, 1)
    frequent = measured_of(1, 0, 2, 1)

    assert rare["accuracy_best_constant_classifier"] == 0.75
    assert frequent["accuracy_best_constant_classifier"] == 0.75


def test_nothing_called_positive():
    measured = measured_of(97, 0, 3, 0)

    assert (measured["accuracy"], measured["precision"], measured["f1"]) == (0.97, 0, 0)


def test_matrices_are_measured_together_as_one_by_one():
    each = [(1, 2, 0, 1), (1, 0, 2, 1), (97, 0, 3, 0), (0, 5, 1, 8)]
    same = np.linspace(0, 1, len(each))

    together = measure(np.array(each, float).reshape(-1, 2, 2), auc=same, aucpr=same, logloss=same)

    for number, counts in enumerate(each):
        value = same[number]
        one = measured_of(*counts, auc=value, aucpr=value, logloss=value)
        assert {name: values[number] for name, values in together.items()} == one
