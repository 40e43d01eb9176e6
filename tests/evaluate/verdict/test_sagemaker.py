"""evaluation.json has SageMaker's names, shape and numbers."""

import numpy as np
import orjson
import pytest

from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.metrics.curves import curves_json
from sagetree.evaluate.verdict.sagemaker import evaluation_json
from tests.evaluate.labelled import realistic

SCALARS = {
    *("recall", "precision", "accuracy", "auc", "f0_5", "f1", "f2"),
    *("recall_best_constant_classifier", "precision_best_constant_classifier"),
    *("accuracy_best_constant_classifier", "f0_5_best_constant_classifier"),
    *("f1_best_constant_classifier", "f2_best_constant_classifier"),
    *("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"),
}
OURS = {"au_prc", "logloss"}
SHAPES = {"confusion_matrix", "receiver_operating_characteristic_curve", "precision_recall_curve"}


def written(labels, scores, threshold):
    curves = curves_json(labels, scores)
    return orjson.dumps(evaluation_json(evaluate(labels, scores, threshold), curves=curves))


def read_back(labels, scores, threshold):
    return orjson.loads(written(labels, scores, threshold))


def test_names_and_shape():
    labels, scores = realistic(500, 0.1)

    content = read_back(labels, scores, 0.1)

    metrics = content["binary_classification_metrics"]
    assert set(metrics) == SCALARS | OURS | SHAPES
    for name in SCALARS | OURS:
        assert set(metrics[name]) == {"value", "standard_deviation"}
        assert all(isinstance(number, float) for number in metrics[name].values())
    rates = metrics["receiver_operating_characteristic_curve"]
    assert set(rates) == {"false_positive_rates", "true_positive_rates"}
    assert set(metrics["precision_recall_curve"]) == {"precisions", "recalls"}
    assert (content["rows"], content["positives"]) == (500, labels.sum())
    assert content["threshold"] == 0.1
    assert set(content["auc_interval"]) == {"low", "high", "confidence"}


def test_confusion_matrix_is_by_label_then_by_what_was_called():
    labels = np.array([0, 0, 0, 1, 1, 1, 1], np.int8)
    scores = np.array([0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.9], np.float32)

    metrics = read_back(labels, scores, 0.5)["binary_classification_metrics"]

    assert metrics["confusion_matrix"] == {"0": {"0": 2, "1": 1}, "1": {"0": 1, "1": 3}}


def test_what_is_not_a_number_is_sagemakers_word():
    labels = np.array([0, 0, 0, 1], np.int8)
    margins = np.array([-3.0, 2.0, 1.0, 1.5], np.float32)

    metrics = read_back(labels, margins, 0.0)["binary_classification_metrics"]

    assert {metrics[name]["standard_deviation"] for name in SCALARS | OURS} == {"NaN"}
    assert metrics["logloss"]["value"] == "NaN"
    assert metrics["auc"]["value"] == pytest.approx(2 / 3)


def test_size_is_bounded():
    labels, scores = realistic(10_000, 0.3)

    assert len(written(labels, scores, 0.2)) < 100_000
