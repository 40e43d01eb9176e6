"""Weighted rows: as scikit-learn's sample_weight has them, and as rows that come more than once."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from sagetree.boosters.objectives import objective_of
from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.metrics.curves import RocCurve
from sagetree.evaluate.metrics.interval import auc_interval
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.evaluate.verdict.threshold import choose_threshold

_RANDOM = np.random.default_rng(8)
ROWS = 300
LABELS = (_RANDOM.random(ROWS) < 0.3).astype(np.float32)
SCORES = (0.4 * _RANDOM.random(ROWS) + 0.3 * LABELS + 0.1).astype(np.float32).round(2)
TIMES = _RANDOM.integers(0, 4, ROWS).astype(np.float32)
COUNTS = _RANDOM.integers(0, 4, ROWS).astype(np.float32)
WEIGHTS = _RANDOM.random(ROWS).astype(np.float32) * (COUNTS > 0)


def repeated(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.repeat(values, COUNTS.astype(int), axis=0)


def test_each_binary_metric_is_scikit_learns() -> None:
    found = evaluate_task(
        objective_of("binary:logistic"), LABELS, SCORES, threshold=0.4, weights=WEIGHTS
    ).scalars
    called = SCORES >= 0.4
    how = {"sample_weight": WEIGHTS}
    expected = {
        "auc": sk.roc_auc_score(LABELS, SCORES, **how),
        "aucpr": sk.average_precision_score(LABELS, SCORES, **how),
        "logloss": sk.log_loss(LABELS, SCORES.astype(float), **how),
        "accuracy": sk.accuracy_score(LABELS, called, **how),
        "precision": sk.precision_score(LABELS, called, **how),
        "recall": sk.recall_score(LABELS, called, **how),
        "true_negative_rate": sk.recall_score(LABELS, called, pos_label=0, **how),
        "f1": sk.f1_score(LABELS, called, **how),
        "f2": sk.fbeta_score(LABELS, called, beta=2, **how),
        "precision_best_constant_classifier": np.average(LABELS, weights=WEIGHTS),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_curves_are_scikit_learns() -> None:
    curve = RocCurve.of(LABELS, SCORES, WEIGHTS)
    area = np.trapezoid(curve.true_positive_rates, curve.false_positive_rates)
    assert area == pytest.approx(sk.roc_auc_score(LABELS, SCORES, sample_weight=WEIGHTS), rel=1e-6)


TASKS = {
    "binary:logistic": (LABELS, SCORES, {"threshold": 0.4}),
    "multi:softmax": (TIMES, (TIMES + (SCORES > 0.4)) % 4, {"classes": ("a", "b", "c", "d")}),
    "reg:squarederror": (TIMES, SCORES * 6, {}),
    "reg:quantileerror": (
        TIMES, np.stack([SCORES, SCORES * 6], axis=1), {"quantiles": (0.2, 0.8)},
    ),
    "survival:aft": (TIMES + 1, SCORES * 6, {}),
    "survival:cox": ((TIMES + 1) * np.where(LABELS, -1, 1), SCORES, {}),
}  # fmt: skip


@pytest.mark.parametrize("objective", TASKS)
def test_a_weight_is_how_often_a_row_comes(objective: str) -> None:
    labels, scores, how = TASKS[objective]
    one = evaluate_task(objective_of(objective), labels, scores, weights=COUNTS, **how)
    many = evaluate_task(objective_of(objective), repeated(labels), repeated(scores), **how)
    assert one.scalars == pytest.approx(many.scalars, rel=1e-9)
    assert one.confusion == many.confusion
    assert one.rows == np.count_nonzero(COUNTS)


@pytest.mark.parametrize("objective", TASKS)
def test_weights_of_one_size_are_none(objective: str) -> None:
    labels, scores, how = TASKS[objective]
    plain = evaluate_task(objective_of(objective), labels, scores, **how)
    equal = np.full(ROWS, 0.125, np.float32)
    same = evaluate_task(objective_of(objective), labels, scores, weights=equal, **how)
    assert same.scalars == pytest.approx(plain.scalars, rel=1e-9)
    if objective != "multi:softmax":  # whose resamples are drawn in another way
        assert same.deviations == pytest.approx(plain.deviations, rel=1e-9)
    else:
        assert same.deviations == pytest.approx(plain.deviations, rel=0.3)


def test_a_query_counts_by_its_weight() -> None:
    groups = np.arange(40) // 4
    relevance, scores = TIMES[:40], SCORES[:40]
    weights = (1 + groups % 3).astype(np.float32)
    found = evaluate_task(
        objective_of("rank:ndcg"), relevance, scores, groups=groups, weights=weights
    ).scalars["ndcg"]
    each, counts = [], []
    for group in range(10):
        rows = groups == group
        if np.ptp(relevance[rows]):
            each.append(sk.ndcg_score([2 ** relevance[rows] - 1], [scores[rows]]))
            counts.append(1 + group % 3)
    assert found == pytest.approx(np.average(each, weights=counts), rel=1e-6)


def test_the_threshold_is_that_of_rows_that_come_more_than_once() -> None:
    one = choose_threshold(LABELS, SCORES, weights=COUNTS)
    assert one == choose_threshold(repeated(LABELS), repeated(SCORES))


def test_the_interval_goes_by_the_effective_number_of_rows() -> None:
    plain = auc_interval(LABELS, SCORES)
    assert auc_interval(LABELS, SCORES, np.full(ROWS, 7, np.float32)) == pytest.approx(plain)
    # half of the rows next to nothing: they are not there
    light = np.where(np.arange(ROWS) % 2, 1e-9, 1).astype(np.float32)
    half = auc_interval(LABELS[::2], SCORES[::2])
    assert auc_interval(LABELS, SCORES, light) == pytest.approx(half, rel=1e-6)
    assert half[1] - half[0] > plain[1] - plain[0]
    # each row twice with half of its weight says no more than once
    twice = auc_interval(np.tile(LABELS, 2), np.tile(SCORES, 2))
    assert twice[1] - twice[0] < plain[1] - plain[0]
    # separated rows have DeLong's variance 0, whatever sums of weights leave of it
    apart = auc_interval(LABELS, LABELS, WEIGHTS + np.float32(0.1))
    assert apart[1] == 1
    assert 0.9 < apart[0] < 1


def test_the_interval_holds_the_auc_of_all_rows_as_often_as_it_says() -> None:
    """Rows drawn with unequal weights, 300 times: 95 % of the intervals hold the true AUC."""
    random, held = np.random.default_rng(2), 0
    for _ in range(300):
        labels = np.repeat([0.0, 1.0], [150, 50]).astype(np.float32)
        scores = random.normal(labels, 1).astype(np.float32)
        low, high = auc_interval(labels, scores, random.exponential(size=200).astype(np.float32))
        held += low < 0.7602499389065233 < high  # of two normals a deviation apart
    assert 0.92 <= held / 300 <= 0.98


def test_rows_of_weight_0_are_no_rows() -> None:
    flipped = np.concatenate([LABELS, 1 - LABELS])
    weights = np.repeat([1.0, 0.0], ROWS).astype(np.float32)
    objective = objective_of("binary:logistic")
    found = evaluate_task(objective, flipped, np.tile(SCORES, 2), threshold=0.4, weights=weights)
    plain = evaluate(LABELS, SCORES, 0.4)
    assert found.scalars == pytest.approx(plain.scalars, rel=1e-12)
    assert found.deviations == pytest.approx(plain.deviations, rel=1e-9)
    assert found.auc_interval == pytest.approx(plain.auc_interval)
