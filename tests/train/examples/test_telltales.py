"""A column that alone predicts the label is named, for every task; a merely strong one is not."""

import numpy as np
import pytest
from sklearn import metrics as sk

from sagetree.boosters.objectives import Task
from sagetree.features.category import Category, OneHot
from sagetree.features.number import Number
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.telltales import (
    TELLTALE,
    NamedValues,
    column_auc,
    column_r2,
    column_recall,
    sample_of,
    telltales,
)

ROWS = 2000
RANDOM = np.random.default_rng(5)
LABELS = (RANDOM.random(ROWS) < 0.1).astype(np.float32)
NOISE = RANDOM.normal(size=ROWS).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, ROWS)
MANY = RANDOM.integers(0, 40, ROWS)
KINDS = RANDOM.integers(0, 5, ROWS)
# a long tail, as amounts of money have
AMOUNT = np.exp(1.5 * RANDOM.normal(size=ROWS))
NAN = np.float32("nan")
WORDS = tuple(f"w{n:04d}" for n in range(ROWS))


def found(
    column: np.ndarray, labels: np.ndarray, task: Task, kind: str = "q"
) -> list[tuple[str, str]]:
    """Return what is said about a column of numbers (q), of codes (c), or of one-hot codes (i)."""
    matrix = column.astype(np.float32)[:, None]
    feature: AnyFeature = Number(column="c0")
    if kind == "c":
        feature = Category(column="c0", categories=WORDS)
    if kind == "i":
        feature = OneHot(column="c0", categories=WORDS[: int(np.nanmax(column)) + 1])
        matrix = feature.expand(column.astype(np.float64))
    features = FeaturePipeline(missing_values=(), unknown_category="missing", features=(feature,))
    return telltales(sample_of(Examples(matrix, labels.astype(np.float32))), features, task)


BINARY = {
    "a number": (LABELS * 100 + NOISE, "q"),
    "the same, turned round": (NOISE - LABELS * 100, "q"),
    "both ends": (NOISE * (1 + 500 * LABELS), "q"),
    "only whether it is missing": (np.where(LABELS > 0, NAN, NOISE), "q"),
    "a category": (np.where(LABELS > 0, 3, RANDOM.integers(0, 3, ROWS)), "c"),
    "a category as indicators": (np.where(LABELS > 0, 3, RANDOM.integers(0, 3, ROWS)), "i"),
}


@pytest.mark.parametrize(("column", "kind"), BINARY.values(), ids=BINARY)
def test_a_column_that_predicts_two_labels_is_named(column: np.ndarray, kind: str) -> None:
    ((name, how_well),) = found(column, LABELS, "binary", kind)
    assert name == "c0"
    assert how_well in ("AUC 1.000", "AUC 0.999", "AUC 0.998")


MULTICLASS = {
    "its number": (CLASSES, CLASSES, "q"),
    "a range of numbers each": (CLASSES * 20 + NOISE, CLASSES, "q"),
    "in another order": ((CLASSES * 2) % 3, CLASSES, "q"),
    "missing in one class": (np.where(CLASSES == 2, NAN, CLASSES), CLASSES, "q"),
    "a category of its own each": (CLASSES, CLASSES, "c"),
    "as indicators": (CLASSES, CLASSES, "i"),
    "of forty classes": (MANY, MANY, "q"),
    "several categories of each class": (CLASSES * 4 + RANDOM.integers(0, 4, ROWS), CLASSES, "c"),
}


@pytest.mark.parametrize(("column", "labels", "kind"), MULTICLASS.values(), ids=MULTICLASS)
def test_a_column_that_predicts_all_classes_is_named(
    column: np.ndarray, labels: np.ndarray, kind: str
) -> None:
    assert found(column, labels, "multiclass", kind) == [("c0", "recall 1.000")]


REGRESSION = {
    "in another unit": (AMOUNT * 1.08 + 3, AMOUNT, "q"),
    "rounded": (AMOUNT.round(1), AMOUNT, "q"),
    "its logarithm": (NOISE / 2, np.exp(NOISE / 2), "q"),
    "turned round, and bent": (-(NOISE**3), NOISE, "q"),
    "missing for one value": (np.where(KINDS == 2, NAN, KINDS), KINDS, "q"),
    "a category for each value": ((KINDS * 3) % 5, KINDS, "c"),
    "as indicators": ((KINDS * 3) % 5, KINDS, "i"),
}


@pytest.mark.parametrize(("column", "labels", "kind"), REGRESSION.values(), ids=REGRESSION)
@pytest.mark.parametrize("task", ["regression", "quantile", "ranking"])
def test_a_column_that_predicts_a_number_is_named(
    column: np.ndarray, labels: np.ndarray, kind: str, task: Task
) -> None:
    ((name, how_well),) = found(column, labels, task, kind)
    assert name == "c0"
    assert float(how_well.removeprefix("R2 ")) > TELLTALE


def test_the_time_of_a_survival_label_is_predicted_whether_it_is_censored_or_not() -> None:
    censored = np.where(LABELS > 0, -AMOUNT, AMOUNT)
    assert found(AMOUNT, censored, "survival") == [("c0", "R2 1.000")]
    assert found(NOISE, censored, "survival") == []


HARMLESS = {
    "noise": (NOISE, "q"),
    "all categories different": (np.arange(ROWS), "c"),
    "nothing but missing": (np.full(ROWS, NAN), "q"),
    "one value": (np.zeros(ROWS), "q"),
    "few values missing": (np.where(np.arange(ROWS) % 50 == 0, NAN, NOISE), "q"),
    "two classes of three": (np.minimum(CLASSES, 1), "q"),
    "a strong column": (LABELS * 2 + CLASSES * 2 + AMOUNT + NOISE, "q"),
}
TASKS: dict[Task, np.ndarray] = {"binary": LABELS, "multiclass": CLASSES, "regression": AMOUNT}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("column", "kind"), HARMLESS.values(), ids=HARMLESS)
def test_a_column_that_does_not_is_left_in_peace(column: np.ndarray, kind: str, task: Task) -> None:
    assert found(column, TASKS[task], task, kind) == []


def test_a_handful_of_rows_says_nothing() -> None:
    few = np.zeros(ROWS)
    few[:8] = 1
    assert found(few, few, "binary") == []
    assert found(few, few, "multiclass") == []
    assert found(np.arange(19), np.arange(19), "regression") == []
    assert found(np.arange(20), np.arange(20), "regression") == [("c0", "R2 1.000")]
    assert found(NOISE, np.full(ROWS, 7.5), "regression") == []


def test_the_auc_is_that_of_ranks() -> None:
    labels = np.array([0, 1] * 50, bool)
    values = np.tile([1, 2, 1, 1], 25).astype(np.float32)
    # of the positives half have 2, which no negative has: 1/2 won, 1/2 tied
    assert column_auc(NamedValues("c", values, False), labels, 48) == 0.75


def test_the_recall_and_r2_are_scikit_learns() -> None:
    half = ROWS // 2
    column = NamedValues("c", KINDS.astype(np.float32), True)
    classes = (KINDS + (RANDOM.random(ROWS) < 0.3)).astype(np.intp)
    commonest = np.array(
        [np.bincount(classes[:half][KINDS[:half] == k]).argmax() for k in range(5)]
    )
    expected = sk.balanced_accuracy_score(classes[half:], commonest[KINDS[half:]])
    assert column_recall(column, classes, half) == pytest.approx(expected)
    numbers = np.asarray(KINDS * 2 + NOISE, np.float64)
    means = np.array([numbers[:half][KINDS[:half] == k].mean() for k in range(5)])
    assert column_r2(column, numbers, half) == pytest.approx(
        sk.r2_score(numbers[half:], means[KINDS[half:]])
    )
