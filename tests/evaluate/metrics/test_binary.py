"""Every number of an Evaluation equals scikit-learn's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.metrics.curves import RocCurve
from tests.evaluate.labelled import labelled, realistic


def of_sklearn(labels, scores, threshold):
    """The metrics by name, each from its own function of scikit-learn."""
    called = scores.astype(np.float64) >= threshold
    ones = np.ones(len(labels), bool)
    least = np.finfo(np.float32).eps  # scikit-learn would sum float32 as such
    clipped = scores.astype(np.float64).clip(least, 1 - least)
    names = {0.5: "f0_5", 1: "f1", 2: "f2"}
    return {
        "auc": sk.roc_auc_score(labels, scores),
        "aucpr": sk.average_precision_score(labels, scores),
        "logloss": sk.log_loss(labels, clipped),
        "accuracy": sk.accuracy_score(labels, called),
        "precision": sk.precision_score(labels, called, zero_division=0),
        "recall": sk.recall_score(labels, called),
        "true_positive_rate": sk.recall_score(labels, called),
        "true_negative_rate": sk.recall_score(labels, called, pos_label=0),
        "false_positive_rate": 1 - sk.recall_score(labels, called, pos_label=0),
        "false_negative_rate": 1 - sk.recall_score(labels, called),
        "accuracy_best_constant_classifier": max(
            sk.accuracy_score(labels, ones), sk.accuracy_score(labels, ~ones)
        ),
        "precision_best_constant_classifier": sk.precision_score(labels, ones),
        "recall_best_constant_classifier": sk.recall_score(labels, ones),
        **{
            name: sk.fbeta_score(labels, called, beta=beta, zero_division=0)
            for beta, name in names.items()
        },
        **{
            f"{name}_best_constant_classifier": sk.fbeta_score(labels, ones, beta=beta)
            for beta, name in names.items()
        },
    }


@settings(max_examples=settings().max_examples // 2)  # each asks scikit-learn for 19 metrics
@given(labelled(), st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.7, 1.0]) | st.floats(0, 1))
def test_values_equal_scikit_learns(rows, threshold):
    labels, scores = rows

    evaluation = evaluate(labels, scores, threshold)

    assert evaluation.scalars == pytest.approx(of_sklearn(*rows, threshold), rel=1e-15, abs=1e-15)
    assert evaluation.auc == sk.roc_auc_score(labels, scores)
    assert (evaluation.rows, evaluation.positives) == (len(labels), labels.sum())
    low, high = evaluation.auc_interval
    assert 0 <= low <= evaluation.auc <= high <= 1


def test_nothing_called_positive_is_zero_without_a_warning():
    labels, scores = realistic(100, 0.1)

    evaluation = evaluate(labels, scores, 1.0)

    assert [evaluation.scalars[name] for name in ("precision", "recall", "f1")] == [0, 0, 0]
    assert evaluation.scalars["accuracy"] == evaluation.scalars["accuracy_best_constant_classifier"]
    assert evaluation.deviations["precision"] == 0


def test_margins_have_every_metric_but_logloss():
    labels, scores = realistic(200, 0.3)
    margins = np.log(scores / (1 - scores))

    evaluation = evaluate(labels, margins, -2.0)

    assert math.isnan(evaluation.scalars["logloss"])
    assert math.isnan(evaluation.deviations["logloss"])
    others = {name for name, value in evaluation.scalars.items() if math.isfinite(value)}
    assert others == set(evaluation.scalars) - {"logloss"}
    assert evaluation.auc == sk.roc_auc_score(labels, margins)


def test_one_positive_row():
    labels = np.array([0, 0, 0, 1], np.int8)
    scores = np.array([0.1, 0.2, 0.4, 0.3], np.float32)

    evaluation = evaluate(labels, scores, 0.25)

    assert evaluation.scalars == pytest.approx(of_sklearn(labels, scores, 0.25))
    assert evaluation.deviations == {}
    assert evaluation.auc_interval == (0.0, 1.0)


def test_two_rows():
    labels, scores = np.array([1, 0], np.int8), np.array([0.5, 0.5], np.float32)

    evaluation = evaluate(labels, scores, 0.5)

    assert evaluation.auc == 0.5
    assert RocCurve.of(labels, scores).true_positive_rates == (0.0, 1.0)


def test_the_same_seed_gives_the_same_evaluation():
    rows = realistic(300, 0.1)

    assert evaluate(*rows, 0.1) == evaluate(*rows, 0.1)
    assert evaluate(*rows, 0.1) != evaluate(*rows, 0.1, seed=1)
