"""Each metric in numpy equals scikit-learn's: with weights, ties, and classes that are missing."""

import inspect
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from sagetree.evaluate.metrics import weighted
from sagetree.evaluate.metrics.weighted import Predicted

# Few values, so that scores tie.
SCORES = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0])
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.5])
SIZE = 4
FEW = settings(max_examples=settings().max_examples // 2)  # each of many of scikit-learn's


@st.composite
def rows_of(draw, labels, predictions):
    """Draw rows with labels and predictions of a kind, with weights or without."""
    count = draw(st.integers(1, 24))
    drawn = [draw(st.lists(kind, min_size=count, max_size=count)) for kind in (labels, predictions)]
    weights = draw(st.none() | st.lists(WEIGHTS, min_size=count, max_size=count))
    if weights is not None:
        weights[draw(st.integers(0, count - 1))] = 1.0
        weights = np.array(weights, np.float32)
    return Predicted(*(np.array(values, np.float32) for values in drawn), weights)


def of_sklearn(function, rows, predictions=None, truth=None, **options):
    """What scikit-learn says; that it divides by zero it says too."""
    predictions = rows.predictions.astype(float) if predictions is None else predictions
    truth = rows.labels.astype(float) if truth is None else truth
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(truth, predictions, sample_weight=rows.weights, **options)


def of_classes(function, average, **options):
    options = {"average": average, "zero_division": 0, **options}
    return lambda rows: of_sklearn(function, rows, rows.classes, **options)


def of_values(function):
    return lambda rows: of_sklearn(function, rows)


def accuracy_score(rows):
    return of_sklearn(sk.accuracy_score, rows, rows.classes)


# Which function of scikit-learn says the same, for calls and for values.
CALLS = {
    "accuracy": accuracy_score,
    "balanced_accuracy": lambda rows: of_sklearn(sk.balanced_accuracy_score, rows, rows.classes),
    "f1_binary": of_classes(sk.f1_score, "binary"),
    "f1_macro": of_classes(sk.f1_score, "macro"),
    "precision_binary": of_classes(sk.precision_score, "binary"),
    "precision_macro": of_classes(sk.precision_score, "macro"),
    "recall_binary": of_classes(sk.recall_score, "binary"),
    "recall_macro": of_classes(sk.recall_score, "macro"),
}
VALUES = {
    "mse": of_values(sk.mean_squared_error),
    "rmse": of_values(sk.root_mean_squared_error),
    "mae": of_values(sk.mean_absolute_error),
}
PROBABILITIES = {
    "aucpr": of_values(sk.average_precision_score),
    "logloss": lambda rows: of_sklearn(
        sk.log_loss,
        rows,  # scikit-learn clips float32 by what it is exact to, and float64 by less
        rows.predictions.astype(float).clip(2.0**-23, 1 - 2.0**-23),
        truth=rows.labels,
    ),
}
# Each has a test of its own below, or is a part of those above.
OTHERS = {
    "accuracies", "average_precision", "confusion_matrix", "cumulated", "error", "f_scores",
    "greatest_f1", "log_losses", "pinball_loss", "precisions", "r2", "recall_at_precision",
    "recalls", "roc_auc", "roc_points",  # the points are compared in test_curves
}  # fmt: skip


def check(rows, expected):
    for name, of_them in expected.items():
        value = getattr(weighted, name)(rows)
        assert value == pytest.approx(of_them(rows), rel=1e-12, abs=1e-12), name


def test_every_metric_is_compared():
    public = {
        name
        for name, value in vars(weighted).items()
        if inspect.isfunction(value) and value.__module__ == weighted.__name__ and name[0] != "_"
    }
    assert public == {*CALLS, *VALUES, *PROBABILITIES, *OTHERS}


@FEW
@given(rows_of(st.integers(0, 1), SCORES))
def test_binary_calls(rows):
    check(rows, CALLS)


@FEW
@given(rows_of(st.integers(0, 3), st.tuples(*[SCORES] * SIZE)))
def test_calls_of_classes(rows):
    check(rows, {name: of_them for name, of_them in CALLS.items() if "binary" not in name})


@given(rows_of(st.integers(0, 1), SCORES))
def test_probabilities(rows):
    if rows.weights is not None:  # scikit-learn takes the clipped share of both as they are
        rows = Predicted(rows.labels, rows.predictions, rows.weights + np.float32(0.5))
    if len(np.unique(rows.labels)) == 2:
        check(rows, PROBABILITIES)
        found = weighted.roc_auc(rows.labels, rows.predictions)
        assert found == sk.roc_auc_score(rows.labels, rows.predictions)
    elif not rows.labels.any():
        assert weighted.aucpr(rows) == 0.0


@given(rows_of(st.integers(0, 1), SCORES))
def test_rows_without_weight_are_no_rows(rows):
    if rows.weights is None:
        return
    kept = rows.weights > 0
    fewer = Predicted(rows.labels[kept], rows.predictions[kept], rows.weights[kept])
    for name in ("aucpr", "logloss", "accuracy", "f1_binary", "mae", "r2"):
        measure = getattr(weighted, name)
        assert measure(rows) == pytest.approx(measure(fewer), rel=1e-12, abs=1e-12), name
    assert weighted.recall_at_precision(rows, 0.5) == weighted.recall_at_precision(fewer, 0.5)


@given(rows_of(st.integers(0, SIZE - 1), st.tuples(*[SCORES] * SIZE)))
def test_aucpr_of_classes(rows):
    labels = label_binarize(rows.labels, classes=range(SIZE))
    expected = of_sklearn(sk.average_precision_score, rows, truth=labels, average="weighted")
    assert weighted.aucpr(rows) == pytest.approx(expected, rel=1e-12)


@given(rows_of(st.integers(0, 1), SCORES), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_thresholds(rows, at):
    called = rows.predictions > at
    wrong = 1 - of_sklearn(sk.accuracy_score, rows, called)
    assert weighted.error(rows, at) == pytest.approx(wrong, rel=1e-12, abs=1e-12)
    precisions, recalls, _ = of_sklearn(sk.precision_recall_curve, rows)
    with_weight = rows.labels if rows.weights is None else rows.labels * rows.weights
    best = recalls[precisions >= at].max() if with_weight.any() else 0.0
    assert weighted.recall_at_precision(rows, at) == pytest.approx(best, rel=1e-12)


@FEW
@given(rows_of(st.integers(0, 1), SCORES))
def test_calls_at_the_greatest_f1(rows):
    point = weighted.greatest_f1(rows.labels, rows.predictions, rows.weights)
    found = replace(rows, threshold=point.threshold)
    with_weight = rows.labels if rows.weights is None else rows.labels * rows.weights
    if not with_weight.any():
        assert not found.classes.any()
        return
    scores = rows.predictions if rows.weights is None else rows.predictions[rows.weights > 0]
    of_each = [of_sklearn(sk.f1_score, rows, rows.predictions >= score) for score in scores]
    assert weighted.f1_binary(found) == pytest.approx(max(of_each), rel=1e-12)
    assert point.f1 == pytest.approx(max(of_each), rel=1e-12)


@given(rows_of(st.floats(-100, 100, width=32), st.floats(-100, 100, width=32)))
def test_values(rows):
    check(rows, VALUES)
    expected = of_sklearn(sk.mean_pinball_loss, rows, alpha=0.2)
    assert weighted.pinball_loss(rows, 0.2) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(rows_of(st.integers(-3, 3), st.integers(-3, 3)))
def test_r2(rows):
    counted = rows.labels if rows.weights is None else rows.labels[rows.weights > 0]
    if len(np.unique(counted)) > 1:
        expected = of_sklearn(sk.r2_score, rows)
        assert weighted.r2(rows) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@FEW
@given(
    rows_of(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), st.sampled_from([0.5, 1.0, 2.0])
)
def test_every_class_of_a_matrix(rows, beta):
    true, called = rows.true_classes, rows.predictions.astype(np.intp)
    matrix = weighted.confusion_matrix(true, called, SIZE, rows.weights)
    options = {"labels": range(SIZE)}
    expected = of_sklearn(sk.confusion_matrix, rows, called, **options)
    assert matrix == pytest.approx(expected, rel=1e-12)
    options |= {"average": None, "zero_division": 0}
    for of_each, function, more in (
        (weighted.precisions(matrix), sk.precision_score, {}),
        (weighted.recalls(matrix), sk.recall_score, {}),
        (weighted.f_scores(matrix, beta), sk.fbeta_score, {"beta": beta}),
    ):
        expected = of_sklearn(function, rows, called, **options, **more)
        assert of_each == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_no_weight_at_all_is_no_number():
    rows = Predicted(np.array([0, 1], np.float32), np.ones(2, np.float32), np.zeros(2, np.float32))
    for name in ("accuracy", "logloss", "mse", "mae"):
        assert np.isnan(getattr(weighted, name)(rows)), name
