"""What a job cannot heed is said in its log and left out: a tuning job loses no trial by it."""

import re

import numpy as np
import pytest
import sklearn.metrics as sklearn
import xgboost

from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job, Ran, lines

LINEAR = "it is for trees, and booster is gblinear"

IDLE = [
    (
        {"booster": "gblinear", "max_depth": "3", "subsample": "0.5", "rate_drop": "0.1"},
        {"max_depth": LINEAR, "subsample": LINEAR, "rate_drop": LINEAR},
    ),
    (
        {
            "booster": "gblinear",
            "tree_method": "hist",
            "interaction_constraints": '[["a"]]',
            "feature_weights": '{"a": 2}',
            "top_k": "3",
        },
        {
            "tree_method": LINEAR,
            "interaction_constraints": LINEAR,
            "feature_weights": LINEAR,
            "top_k": "it is for feature_selector greedy or thrifty",
        },
    ),
    (
        {"rate_drop": "0.1", "skip_drop": "0.5"},
        dict.fromkeys(("rate_drop", "skip_drop"), "it is for booster dart, and booster is gbtree"),
    ),
    (
        {"booster": "dart", "feature_selector": "greedy"},
        {"feature_selector": "it is for booster gblinear, and booster is dart"},
    ),
    (
        {
            "tree_method": "exact",
            "max_bin": "64",
            "max_leaves": "8",
            "grow_policy": "lossguide",
            "max_cat_threshold": "5",
        },
        dict.fromkeys(
            ("max_bin", "max_leaves", "grow_policy", "max_cat_threshold"), "tree_method is exact"
        ),
    ),
    ({"encoding": "onehot", "max_cat_to_onehot": "8"}, {"max_cat_to_onehot": "encoding is onehot"}),
    (
        {"preset": "xgboost", "feature_weights": '{"amount": 2}'},
        {"feature_weights": "colsample_bytree, _bylevel and _bynode are 1"},
    ),
    ({"refresh_leaf": "0"}, {"refresh_leaf": "it is for updater refresh"}),
    (
        {"objective": "rank:ndcg", "lambdarank_bias_norm": "2"},
        {"lambdarank_bias_norm": "lambdarank_unbiased is false"},
    ),
    (
        {"objective": "reg:gamma", "tweedie_variance_power": "1.2"},
        {"tweedie_variance_power": "it is for objective reg:tweedie, and objective is reg:gamma"},
    ),
    (
        {"objective": "survival:cox", "aft_loss_distribution_scale": "1.2"},
        {
            "aft_loss_distribution_scale": (
                "it is for objective survival:aft, and objective is survival:cox"
            )
        },
    ),
    (
        {"objective": "binary:logistic", "lambdarank_pair_method": "mean"},
        {"lambdarank_pair_method": "it is for objective rank:*, and objective is binary:logistic"},
    ),
    (
        {"objective": "multi:softprob", "scale_pos_weight": "5"},
        {
            "scale_pos_weight": (
                "it is for objective binary:logistic or binary:logitraw or reg:logistic, and "
                "objective is multi:softprob"
            )
        },
    ),
]


@pytest.mark.parametrize(("texts", "reasons"), IDLE, ids=[" ".join(t) for t, _ in IDLE])
def test_what_has_no_effect_is_said_and_not_handed_on(
    texts: dict[str, str], reasons: dict[str, str]
) -> None:
    settings = TrainSettings.of(texts)
    assert set(settings.notes) == {f"{n} has no effect: {why}" for n, why in reasons.items()}
    without = {name: text for name, text in texts.items() if name not in reasons}
    assert settings.boosting == TrainSettings.of(without).boosting


@pytest.mark.parametrize(
    "texts",
    [
        {"max_depth": "3", "subsample": "0.5", "scale_pos_weight": "5"},
        {"booster": "dart", "rate_drop": "0.1"},
        {"booster": "gblinear", "eta": "0.1", "lambda": "2", "rate_drop": "0"},
        {"feature_weights": '{"amount": 2}'},
        {"updater": "grow_histmaker,refresh", "refresh_leaf": "0"},
        {"objective": "reg:tweedie", "tweedie_variance_power": "1.2"},
    ],
)
def test_what_has_an_effect_is_not_said(texts: dict[str, str]) -> None:
    assert TrainSettings.of(texts).notes == ()


def test_a_tuning_job_over_boosters_trains_each(job: Job) -> None:
    channels = {"train": lines(), "validation": lines(seed=1)}
    settings = {"max_depth": 3, "rate_drop": 0.2, "objective": "reg:squarederror"}
    for booster in ("gbtree", "dart", "gblinear"):
        ran = job(channels, {**settings, "booster": booster})
        assert ran.code == 0, ran.log
        assert "are not used" not in ran.log
        idle = {"gbtree": {"rate_drop"}, "dart": set(), "gblinear": {"max_depth", "rate_drop"}}
        assert set(re.findall(r"(\w+) has no effect", ran.log)) == idle[booster]


def printed(ran: Ran, metric: str) -> float:
    assert ran.code == 0, ran.log
    return float(re.findall(rf"validation-{metric}:(\S+)", ran.log)[-1])


X = np.random.default_rng(7).normal(size=(160, 2)).round(3)
ZERO_ONE = (X[:, 0] + X[:, 1] ** 2 > 0.6).astype(int)


def table(labels: np.ndarray, seed: int) -> str:
    part = slice(0, 80) if seed == 0 else slice(80, 160)
    rows = zip(labels[part], X[part], strict=True)
    return "y,a,b\n" + "".join(f"{y},{a},{b}\n" for y, (a, b) in rows)


def scored(job: Job, labels: np.ndarray, **settings: str) -> tuple[Ran, np.ndarray]:
    channels = {"train": table(labels, 0), "validation": table(labels, 1)}
    ran = job(channels, {"num_round": 20, "preset": "xgboost", **settings})
    assert ran.code == 0, ran.log
    booster = xgboost.Booster(
        model_file=bytearray((ran.opt_ml.model / "xgboost-model").read_bytes())
    )
    rows = xgboost.DMatrix(X[80:], feature_names=booster.feature_names)
    return ran, booster.predict(rows)


def test_metrics_of_other_tasks_are_computed_of_two_classes(job: Job) -> None:
    ran, scores = scored(job, ZERO_ONE, eval_metric="auc,mse,r2,ndcg@40,map@80,pre@5")
    truth = ZERO_ONE[80:]
    first = np.argsort(-scores, kind="stable")  # XGBoost leaves ties as they are
    gains = 1 / np.log2(np.arange(2, 42))
    expected = {
        "mse": lambda: sklearn.mean_squared_error(truth, scores),
        "r2": lambda: sklearn.r2_score(truth, scores),
        "ndcg@40": lambda: float(gains @ truth[first][:40] / gains[: truth.sum()].sum()),
        "map@80": lambda: float(
            np.mean((np.cumsum(truth[first]) / np.arange(1, 81))[truth[first] == 1])
        ),
        "pre@5": lambda: float(truth[first][:5].mean()),
    }
    for metric, value in expected.items():
        assert printed(ran, metric) == pytest.approx(value(), abs=2e-3), metric
        said = f"{metric} is computed, and says little about objective binary:logistic\n"
        assert ran.log.count(said) == 1


def test_metrics_of_two_classes_are_computed_of_numbers_from_0_to_1(job: Job) -> None:
    metrics = "error,error@0.3,auc,aucpr,logloss"
    ran, scores = scored(job, ZERO_ONE, objective="reg:squarederror", eval_metric=metrics)
    truth = ZERO_ONE[80:]
    expected = {
        "error": lambda: np.mean((scores > 0.5) != truth),
        "error@0.3": lambda: np.mean((scores > 0.3) != truth),
        "auc": lambda: sklearn.roc_auc_score(truth, scores),
        "aucpr": lambda: aucpr_of_xgboost(truth, scores),
        "logloss": lambda: sklearn.log_loss(truth, scores.astype(float).clip(1e-16, 1 - 1e-16)),
    }
    for metric, value in expected.items():
        assert printed(ran, metric) == pytest.approx(value(), abs=1e-3, rel=1e-3), metric
        assert (
            f"{metric} is computed, and says little about objective reg:squarederror\n" in ran.log
        )


def aucpr_of_xgboost(truth: np.ndarray, scores: np.ndarray) -> float:
    """The interpolated area, as XGBoost has it; scikit-learn's is a sum of steps."""
    data = xgboost.DMatrix(scores[:, None], truth, base_margin=scores)
    params = {"eval_metric": "aucpr", "objective": "reg:squarederror"}
    return float(xgboost.Booster(params, [data]).eval(data).rsplit(":", 1)[1])


def test_an_error_of_numbers_decides_no_rounds(job: Job) -> None:
    values = (X[:, 0] * 3 + 5).round(3)
    channels = {"train": table(values, 0), "validation": table(values, 1)}
    settings = {"objective": "reg:squarederror", "eval_metric": "error", "num_round": 30}
    ran = job(channels, settings)
    assert ran.code == 0, ran.log
    assert (
        "error only measures which class rows are assigned to: rmse decides the rounds\n" in ran.log
    )
    ran = job(channels, {**settings, "eval_metric": "auc"})
    label = values[(values < 0) | (values > 1)][0]
    row = int(np.flatnonzero((values < 0) | (values > 1))[0]) + 2
    assert ran.failure == (
        f"data.csv line {row}, column 'y': the label is {label:g}, and the metric auc is of labels "
        "from 0 to 1. Name another one in eval_metric, such as rmse or mae\n"
    )


def test_a_metric_of_queries_takes_no_weights_of_rows(job: Job) -> None:
    ran = job({"train": lines()}, {"eval_metric": "ndcg", "weight_column": "amount"})
    assert "eval_metric 'ndcg' is not defined for objective binary:logistic: take " in ran.failure
