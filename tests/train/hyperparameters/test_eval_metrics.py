"""Each metric of a round equals scikit-learn's on the same predictions, and has its direction."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray
from sklearn import metrics as sklearn
from sklearn.preprocessing import label_binarize

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.evaluate.metrics.weighted import Predicted
from sagetree.train.hyperparameters.eval_metrics import METRICS, Asked, RoundMetrics, is_maximized

Array = NDArray[np.float32]
ROWS = 300
RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.integers(0, 4, (ROWS, 3)).astype(np.float32)  # few values: scores tie
NOISE = RANDOM.normal(0, 1.5, ROWS)
WEIGHTS = RANDOM.uniform(0, 3, ROWS).astype(np.float32)
WEIGHTS[::20] = 0
BINARY = (MATRIX[:, 0] + NOISE > 2.5).astype(np.float32)
CLASSES = ((MATRIX[:, 0] + NOISE) // 1.5).clip(0, 2).astype(np.float32)
VALUES = (np.abs(MATRIX[:, 0] * 2 + NOISE) + 0.5).astype(np.float32)


def trained(
    objective: str, labels: Array, weights: Array | None, spellings: list[str], **params: object
) -> tuple[Array, dict[str, float]]:
    """Return the predictions of three rounds, and what the last of them logged."""
    data = xgboost.DMatrix(MATRIX, labels, weight=weights, nthread=1)
    metrics = RoundMetrics.of(spellings, OBJECTIVES[objective])
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        {"objective": objective, "max_depth": 2, "nthread": 1, **params, **metrics.params},
        data, 3, evals=[(data, "train")], evals_result=history, verbose_eval=False,
        custom_metric=metrics.custom_metric,
    )  # fmt: skip
    assert set(history["train"]) == set(spellings)
    return booster.predict(data), {name: s[-1] for name, s in history["train"].items()}


def recall_at(precision: float, labels: Array, p: Array, w: Array | None) -> float:
    precisions, recalls, _ = sklearn.precision_recall_curve(labels, p, sample_weight=w)
    return float(recalls[precisions >= precision].max())


Measure = Callable[[Array, Array, Array | None], float]
OF_CLASSES: dict[str, Measure] = {
    "accuracy": lambda y, c, w: sklearn.accuracy_score(y, c, sample_weight=w),
    "balanced_accuracy": lambda y, c, w: sklearn.balanced_accuracy_score(y, c, sample_weight=w),
    "f1": lambda y, c, w: sklearn.f1_score(y, c, average="macro", sample_weight=w),
    "f1_macro": lambda y, c, w: sklearn.f1_score(y, c, average="macro", sample_weight=w),
    "precision_macro": lambda y, c, w: sklearn.precision_score(
        y, c, average="macro", sample_weight=w, zero_division=0
    ),
    "precision_micro": lambda y, c, w: sklearn.precision_score(
        y, c, average="micro", sample_weight=w
    ),
    "recall_macro": lambda y, c, w: sklearn.recall_score(y, c, average="macro", sample_weight=w),
    "recall_micro": lambda y, c, w: sklearn.recall_score(y, c, average="micro", sample_weight=w),
}
OF_TWO: dict[str, Measure] = OF_CLASSES | {
    "f1_binary": lambda y, c, w: sklearn.f1_score(y, c, sample_weight=w),
    "precision": lambda y, c, w: sklearn.precision_score(y, c, sample_weight=w, zero_division=0),
    "recall": lambda y, c, w: sklearn.recall_score(y, c, sample_weight=w),
    "error": lambda y, c, w: 1 - sklearn.accuracy_score(y, c, sample_weight=w),
}
OF_PROBABILITIES: dict[str, Measure] = {
    "auc": lambda y, p, w: sklearn.roc_auc_score(y, p, sample_weight=w),
    "aucpr": lambda y, p, w: sklearn.average_precision_score(y, p, sample_weight=w),
    "logloss": lambda y, p, w: sklearn.log_loss(y, p, sample_weight=w),
    "rmse": lambda y, p, w: sklearn.root_mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: sklearn.mean_absolute_error(y, p, sample_weight=w),
    "error@0.3": lambda y, p, w: 1 - sklearn.accuracy_score(y, p > 0.3, sample_weight=w),
    "recall_at_precision@0.6": lambda y, p, w: recall_at(0.6, y, p, w),
    "recall_at_precision@1": lambda y, p, w: recall_at(1, y, p, w),
}
OF_SEVERAL: dict[str, Measure] = {
    "merror": lambda y, p, w: 1 - sklearn.accuracy_score(y, p.argmax(1), sample_weight=w),
    "mlogloss": lambda y, p, w: sklearn.log_loss(y, p, sample_weight=w),
    "auc": lambda y, p, w: sklearn.roc_auc_score(
        y, p, multi_class="ovr", average="weighted", sample_weight=w
    ),
    "aucpr": lambda y, p, w: sklearn.average_precision_score(
        label_binarize(y, classes=[0, 1, 2]), p, average="weighted", sample_weight=w
    ),
}
OF_VALUES: dict[str, Measure] = {
    "rmse": lambda y, p, w: sklearn.root_mean_squared_error(y, p, sample_weight=w),
    "mse": lambda y, p, w: sklearn.mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: sklearn.mean_absolute_error(y, p, sample_weight=w),
    "mape": lambda y, p, w: sklearn.mean_absolute_percentage_error(y, p, sample_weight=w),
    "rmsle": lambda y, p, w: sklearn.root_mean_squared_log_error(y, p, sample_weight=w),
    "r2": lambda y, p, w: sklearn.r2_score(y, p, sample_weight=w),
    "gamma-deviance": lambda y, p, w: sklearn.mean_gamma_deviance(y, p, sample_weight=w),
    "mphe": lambda y, p, w: float(np.average(np.sqrt(1 + (y - p) ** 2) - 1, weights=w)),
}

weighted = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])


def check(logged: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert logged[name] == pytest.approx(value, rel=2e-5, abs=1e-7), name


@weighted
@pytest.mark.parametrize(
    "objective", ["binary:logistic", pytest.param("binary:logitraw", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("scale_pos_weight", [1, 4])
def test_binary(objective: str, weights: Array | None, scale_pos_weight: float) -> None:
    scores, logged = trained(
        objective, BINARY, weights, [*OF_TWO, *OF_PROBABILITIES],
        scale_pos_weight=scale_pos_weight,
    )  # fmt: skip
    p = 1 / (1 + np.exp(-scores)) if objective == "binary:logitraw" else scores
    check(logged, {n: f(BINARY, p > 0.5, weights) for n, f in OF_TWO.items()})
    check(logged, {n: f(BINARY, p, weights) for n, f in OF_PROBABILITIES.items()})


@weighted
def test_hinge(weights: Array | None) -> None:
    calls, logged = trained("binary:hinge", BINARY, weights, [*OF_TWO, "auc"])
    check(logged, {n: f(BINARY, calls, weights) for n, f in OF_TWO.items()})
    check(logged, {"auc": sklearn.roc_auc_score(BINARY, calls, sample_weight=weights)})


@weighted
def test_multiclass(weights: Array | None) -> None:
    p, logged = trained("multi:softprob", CLASSES, weights, [*OF_CLASSES, *OF_SEVERAL], num_class=3)
    check(logged, {n: f(CLASSES, p.argmax(1), weights) for n, f in OF_CLASSES.items()})
    check(logged, {n: f(CLASSES, p, weights) for n, f in OF_SEVERAL.items()})
    calls, logged = trained("multi:softmax", CLASSES, weights, list(OF_CLASSES), num_class=3)
    check(logged, {n: f(CLASSES, calls, weights) for n, f in OF_CLASSES.items()})


@weighted
@pytest.mark.parametrize("objective", ["reg:squarederror", "reg:gamma", "count:poisson"])
def test_regression(objective: str, weights: Array | None) -> None:
    names = [n for n in OF_VALUES if n != "gamma-deviance" or objective == "reg:gamma"]
    values, logged = trained(objective, VALUES, weights, names, base_score=2.0)
    check(logged, {n: OF_VALUES[n](VALUES, values, weights) for n in names})


@weighted
def test_quantiles(weights: Array | None) -> None:
    alphas = [0.1, 0.5, 0.9]
    values, logged = trained(
        "reg:quantileerror", VALUES, weights, ["quantile"], quantile_alpha=alphas
    )
    losses = [
        sklearn.mean_pinball_loss(VALUES, values[:, i], alpha=alpha, sample_weight=weights)
        for i, alpha in enumerate(alphas)
    ]
    check(logged, {"quantile": float(np.mean(losses))})


def test_a_base_margin_moves_predictions_and_not_what_a_metric_means() -> None:
    names = ["accuracy", "f1", "aucpr", "logloss", "auc"]
    metrics = RoundMetrics.of(names, OBJECTIVES["binary:logistic"])
    data = xgboost.DMatrix(MATRIX, BINARY, base_margin=NOISE, nthread=1)
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1, **metrics.params}, data, 1,
        evals=[(data, "train")], evals_result=history, verbose_eval=False,
        custom_metric=metrics.custom_metric,
    )  # fmt: skip
    p = booster.predict(data)
    logged = {name: series[-1] for name, series in history["train"].items()}
    check(logged, {n: f(BINARY, p, None) for n, f in OF_PROBABILITIES.items() if n in names})
    check(logged, {n: f(BINARY, p > 0.5, None) for n, f in OF_TWO.items() if n in names})


def test_calls_of_one_class_only_are_defined() -> None:
    none = np.zeros(4, np.float32)
    labels = np.array([0, 1, 1, 0], np.float32)
    for truth, called in ((labels, none), (none, none), (none, labels)):
        data = xgboost.DMatrix(np.zeros((4, 1)), truth, nthread=1)
        for name, measure in OF_TWO.items():
            asked = Asked.of(name)
            metrics = RoundMetrics((), (asked,), OBJECTIVES["binary:hinge"])
            assert metrics.custom_metric is not None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn says that it divides by zero
                expected = measure(truth, called, None)
            assert metrics.custom_metric(called, data) == [(name, pytest.approx(expected))]


def test_classes_that_are_missing_and_rows_without_weight() -> None:
    random = np.random.default_rng(3)
    for _ in range(15):
        rows, classes = random.integers(2, 9), random.integers(2, 5)
        labels = random.integers(0, classes, rows).astype(np.float32)
        p = random.integers(1, 4, (rows, classes)).astype(np.float32)  # they tie
        weights = random.integers(0, 3, rows).astype(np.float32)
        weights[0] = 1
        found = Predicted(labels, p, weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn says that it divides by zero
            expected = {n: f(labels, p.argmax(1), weights) for n, f in OF_CLASSES.items()}
        for name, value in expected.items():
            function = METRICS[name].function
            assert function is not None
            assert function(found, 0) == pytest.approx(value, rel=1e-6), name


def test_aucpr_of_no_positive_row_is_none_of_it() -> None:
    metrics = RoundMetrics.of(["aucpr", "recall_at_precision@1"], OBJECTIVES["binary:logistic"])
    data = xgboost.DMatrix(np.zeros((2, 1)), [0, 0])
    assert metrics.custom_metric is not None
    values = metrics.custom_metric(np.array([0.1, 0.2], np.float32), data)
    assert values == [("aucpr", 0.0), ("recall_at_precision@1", 0.0)]


def test_a_label_of_one_value_has_no_variance_to_explain() -> None:
    metrics = RoundMetrics.of(["r2"], OBJECTIVES["reg:squarederror"])
    data = xgboost.DMatrix(np.zeros((2, 1)), [3, 3])
    assert metrics.custom_metric is not None
    assert metrics.custom_metric(np.array([3, 3], np.float32), data) == [("r2", 1.0)]
    assert metrics.custom_metric(np.array([3, 4], np.float32), data) == [("r2", 0.0)]


UP = {
    "auc", "aucpr", "ndcg", "map", "pre", "interval-regression-accuracy", "accuracy",
    "balanced_accuracy", "f1", "f1_binary", "f1_macro", "precision", "precision_macro",
    "precision_micro", "recall", "recall_macro", "recall_micro", "r2", "recall_at_precision@0.5",
}  # fmt: skip
DOWN = {
    "logloss", "error", "merror", "mlogloss", "rmse", "rmsle", "mae", "mape", "mphe", "mse",
    "quantile", "expectile", "poisson-nloglik", "gamma-nloglik", "gamma-deviance",
    "tweedie-nloglik@1.5", "cox-nloglik", "aft-nloglik",
}  # fmt: skip


def test_every_metric_has_a_direction() -> None:
    assert {name.partition("@")[0] for name in UP | DOWN} == set(METRICS)
    assert {name for name in UP | DOWN if is_maximized(name)} == UP
    assert is_maximized("ndcg@5-")
    assert not is_maximized("error@0.2")


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("acuracy", "is not a metric (did you mean 'accuracy'?): take auc, aucpr, "),
        ("auc@3", "has a parameter, but auc takes none"),
        ("error@", "must have a probability behind its @, a number from 0 to 1"),
        ("error@2", "must have a probability behind its @, a number from 0 to 1"),
        ("error-", "is not a metric (did you mean 'error'?): take auc, "),
        ("ndcg@1.5", "must have a number of rows behind its @, a whole number from 1"),
        ("recall_at_precision", "lacks its parameter: write recall_at_precision@ and a precision"),
        (
            "tweedie-nloglik@1",  # XGBoost divides by 1 - power, and by 2 - power
            "must have a variance power behind its @, a number above 1 and below 2",
        ),
        ("tweedie-nloglik@2", "must have a variance power behind its @, a number above 1"),
        ("error@nan", "must have a probability behind its @"),
    ],
)
def test_a_metric_that_is_none(spelling: str, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        Asked.of(spelling)
    assert str(caught.value).startswith(text)


def test_metrics_of_ranking_and_survival_are_xgboosts() -> None:
    for objective, names in {
        "rank:ndcg": ["ndcg@2-", "map", "pre@3", "aucpr", "auc"],
        "survival:aft": ["aft-nloglik", "interval-regression-accuracy"],
    }.items():
        metrics = RoundMetrics.of(names, OBJECTIVES[objective])
        assert metrics.params == {"eval_metric": names}
        assert metrics.custom_metric is None
