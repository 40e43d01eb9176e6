"""Metrics of a confusion matrix, on the example of SageMaker's own documentation."""

import pytest

from sagetree.evaluate.metrics.measures import Confusion, measure

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


def test_documented_example():
    measured = measure(Confusion(1, 2, 0, 1), auc=1.0, aucpr=1.0, logloss=0.5)

    assert {name: measured[name] for name in DOCUMENTED} == pytest.approx(DOCUMENTED)
    assert (measured["auc"], measured["aucpr"], measured["logloss"]) == (1.0, 1.0, 0.5)


def test_the_best_constant_accuracy_is_that_of_the_more_frequent_label():
    # The documentation has 0.25 here, the accuracy of calling everything positive.
    rare = measure(Confusion(1, 2, 0, 1), auc=1, aucpr=1, logloss=0)
    frequent = measure(Confusion(1, 0, 2, 1), auc=1, aucpr=1, logloss=0)

    assert rare["accuracy_best_constant_classifier"] == 0.75
    assert frequent["accuracy_best_constant_classifier"] == 0.75


def test_nothing_called_positive():
    measured = measure(Confusion(97, 0, 3, 0), auc=0.5, aucpr=0.03, logloss=0.2)

    assert (measured["accuracy"], measured["precision"], measured["f1"]) == (0.97, 0, 0)
