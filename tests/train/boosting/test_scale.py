"""Weights and labels of any scale: a model that learns, or a warning that says why it does not."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.bundle.bundle import ModelBundle
from tests.sagetree.models import table_of
from tests.train.conftest import Job, Ran

NO_SPLIT = (
    "Warning: the model has learnt nothing: no tree has a split, so every row gets the same score. "
)

_RANDOM = np.random.default_rng(3)
X = _RANDOM.normal(size=100).round(3)
NOISE = _RANDOM.normal(size=100).round(3)
BOTH = (X > 0).astype(int)
VALUE = 2 * X + NOISE / 20


def csv(labels: Sequence[float], weights: Sequence[float] | None = None) -> str:
    head = "y,x,noise" + (",w" if weights is not None else "")
    columns = [labels, X, NOISE, *([] if weights is None else [weights])]
    rows = zip(*(np.asarray(column).tolist() for column in columns), strict=True)
    return head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def learn(job: Job, text: str, **settings: object) -> Ran:
    ran = job({"train": text}, {"num_round": 100, "max_depth": 3, **settings})
    assert ran.code == 0, ran.log
    return ran


def warnings(ran: Ran) -> list[str]:
    return [line for line in ran.log.splitlines() if line.lower().startswith("warning: ")]


def models(ran: Ran) -> tuple[bytes, ...]:
    return ModelBundle.load(ran.opt_ml.model).models


@pytest.mark.parametrize("weight", [1e-8, pytest.param(250.0, marks=pytest.mark.long)])
def test_equal_weights_make_the_model_of_none(job: Job, weight: float) -> None:
    weighted = learn(job, csv(BOTH, [weight] * 100), weight_column="w")
    scores = weighted.model.score(table_of({"x": X.tolist(), "noise": NOISE.tolist()}))
    assert roc_auc_score(BOTH, scores) > 0.99
    told = f"Weights are divided by their mean, {np.float32(weight):g}: only their ratio counts"
    assert told in weighted.log.splitlines()
    assert not warnings(weighted)
    assert models(weighted) == models(learn(job, csv(BOTH)))


def test_only_the_ratio_of_weights_counts(job: Job) -> None:
    weights = np.where(NOISE > 0, 3.0, 0.0)
    weights[:30] = 1.0
    small = learn(job, csv(BOTH, weights / 1024), weight_column="w", num_round=20)
    assert models(small) == models(learn(job, csv(BOTH, weights), weight_column="w", num_round=20))


def test_xgboosts_preset_takes_weights_as_they_are_and_says_so(job: Job) -> None:
    ran = learn(job, csv(BOTH, [0.01] * 100), weight_column="w", preset="xgboost")
    assert "Weights are divided" not in ran.log
    assert warnings(ran) == [
        "WARNING: the mean weight is 0.01, and min_child_weight, lambda and gamma are meant for "
        "weights around 1. Divide the weights by it, or leave out preset=xgboost",
        f"{NO_SPLIT}Each side of a "
        "split needs a hessian of min_child_weight=1, and all rows have 0.25 together. Lower "
        "min_child_weight, or give more rows",
    ]


@pytest.mark.parametrize("preset", ["sagetree", "xgboost"])
@pytest.mark.parametrize(
    ("scale", "factor"), [(1e-5, "1e+05"), pytest.param(1e-7, "1e+07", marks=pytest.mark.long)]
)
def test_labels_too_fine_for_xgboost_are_told(
    job: Job, preset: str, scale: float, factor: str
) -> None:
    labels = VALUE * scale
    ran = learn(job, csv(labels), objective="reg:squarederror", preset=preset)
    deviation = np.asarray(labels, np.float32).astype(float).std()
    assert warnings(ran) == [
        f"WARNING: the label's standard deviation is {deviation:.3g}, and XGBoost makes no split "
        f"that gains less than 1e-06: it cannot tell such values apart. Multiply the label by "
        f"{factor}, and divide the scores by it",
        f"{NO_SPLIT}The label's values differ by too little. Multiply the label",
    ]


@pytest.mark.parametrize("scale", [pytest.param(0.1, marks=pytest.mark.long), 1e12])
def test_labels_of_usual_scales_are_learnt_without_a_warning(job: Job, scale: float) -> None:
    ran = learn(job, csv(VALUE * scale), objective="reg:squarederror", preset="xgboost")
    assert not warnings(ran)
    scores = ran.model.score(table_of({"x": X.tolist(), "noise": NOISE.tolist()}))
    assert np.corrcoef(scores, VALUE)[0, 1] > 0.99


def test_labels_whose_squares_overflow_are_told(job: Job) -> None:
    ran = learn(job, csv(VALUE * 1e17), objective="reg:squarederror", preset="xgboost")
    assert warnings(ran)[0] == (
        "WARNING: the label goes beyond 1e+15, and its squares beyond float32. Divide it"
    )


def test_labels_far_beyond_hubers_slope_are_told(job: Job) -> None:
    labels = (VALUE * 1000).round(2)
    hubers = {"objective": "reg:pseudohubererror", "preset": "xgboost"}
    told = warnings(learn(job, csv(labels), **hubers))
    deviation = labels.astype(np.float32).astype(float).std()
    assert told[0] == (
        f"WARNING: the label's standard deviation is {deviation:.3g}, {deviation:.3g} times "
        "huber_slope: steps of at most eta never get near it. Set huber_slope to the size of a "
        "usual error"
    )
    assert not warnings(learn(job, csv(labels), **hubers, huber_slope=1000))


REASONS = [
    ({"gamma": 1e6}, (
        "No column says more about the label than min_child_weight, lambda, alpha and gamma "
        "require of a split. Lower them, or add columns"
    )),
    ({"min_child_weight": 60}, "Each side of a split needs a hessian of min_child_weight=60, and "
     "all rows have 100 together. Lower min_child_weight, or give more rows"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "reason"), REASONS)
def test_a_model_without_a_split_says_why(
    job: Job, settings: dict[str, object], reason: str
) -> None:
    ran = learn(job, csv(VALUE), objective="reg:squarederror", num_round=3, **settings)
    assert warnings(ran) == [f"{NO_SPLIT}{reason}"]


def test_a_linear_model_has_no_splits_to_miss(job: Job) -> None:
    ran = learn(job, csv(VALUE), objective="reg:squarederror", booster="gblinear", num_round=3)
    assert not warnings(ran)
