"""What a job logs of its metrics: those asked for, of held-out rows, as tuning jobs read them."""

import csv
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn

from container.generate import algorithm
from sagetree.bundle.bundle import ModelBundle
from sagetree.decisions.decision import Decision
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job, Ran, lines

Floats = NDArray[np.float64]

PATTERNS = {m["Name"]: re.compile(m["Regex"]) for m in algorithm()["MetricDefinitions"]}


def weighted(seed: int) -> str:
    """The usual rows, with a weight of 1, 2 or 3 as their last column."""
    rows = [*csv.reader(io.StringIO(lines(seed=seed)))]
    text = [
        ",".join([*rows[0], "w"]),
        *(",".join([*r, str(i % 3 + 1)]) for i, r in enumerate(rows[1:])),
    ]
    return "\n".join(text) + "\n"


def logged(ran: Ran, metric: str) -> list[float]:
    """The values SageMaker finds in the log, in order."""
    found = (PATTERNS[metric].search(line) for line in ran.log.replace("\t", "#011").splitlines())
    return [float(match[1]) for match in found if match]


def test_a_tuning_job_reads_the_best_value_last_and_rounds_stop_by_it(job: Job) -> None:
    ran = job(
        {"train": weighted(0), "validation": weighted(1)},
        {
            "num_round": 60,
            "early_stopping_rounds": 15,
            "max_depth": 4,
            "eta": 0.3,
            "weight_column": "w",
            "scale_pos_weight": 2,
            "eval_metric": "recall_at_precision@0.5,accuracy,f1",
            "_tuning_objective_metric": "validation:aucpr",
        },
    )
    assert ran.code == 0, ran.log
    values = logged(ran, "validation:aucpr")
    assert len(values) > 15
    best = max(values[:-1])
    assert values[-1] == best
    assert values.index(best) + 1 == ran.model.scorer.boosters[0].rounds
    # Only what was asked for is computed: no default metric of XGBoost's beside it.
    assert {name for name in PATTERNS if logged(ran, name)} == {
        "validation:aucpr", "validation:f1", "validation:accuracy",
        "validation:recall_at_precision",
    }  # fmt: skip
    labels, scores, weights = validated(ran, weight="w")
    expected = sklearn.average_precision_score(labels, scores, sample_weight=weights)
    assert best == pytest.approx(expected, abs=1e-5)
    calls = scores >= best_threshold(labels, scores, weights)
    f1 = sklearn.f1_score(labels, calls, average="macro", sample_weight=weights)
    assert logged(ran, "validation:f1")[-1] == pytest.approx(f1, abs=1e-5)
    accuracy = sklearn.accuracy_score(labels, calls, sample_weight=weights)
    assert logged(ran, "validation:accuracy")[-1] == pytest.approx(accuracy, abs=1e-5)


def validated(ran: Ran, weight: str | None = None) -> tuple[Floats, Floats, Floats | None]:
    """Return the validation rows' labels, what the model scores them, and their weights."""
    rows = read_table(ran.opt_ml.data / "validation", looks_like_header)
    labels = np.array(rows.column("fraud").to_pylist(), float)
    weights = np.array(rows.column(weight).to_pylist(), float) if weight else None
    features = rows.without("fraud").without(weight) if weight else rows.without("fraud")
    return labels, ran.model.score(ran.model.schema.arrange(features)), weights


def best_threshold(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Return the threshold of the greatest F1, by scikit-learn's curve."""
    precision, recall, at = sklearn.precision_recall_curve(labels, scores, sample_weight=weights)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(at[f1[:-1].argmax()])


def rare(seed: int, rows: int = 1500) -> str:
    """Rows with 3 positive in 100: no score comes near 0.5 for many rounds."""
    random = np.random.default_rng(seed)
    fraud = np.arange(rows) % 33 == 0
    a, b = random.normal(fraud * 2.0), random.normal(size=rows)
    cells = zip(fraud.astype(int), a.round(4), b.round(4), strict=True)
    return "fraud,a,b\n" + "".join(f"{y},{x},{z}\n" for y, x, z in cells)


OF_CALLS: dict[str, Callable[[Floats, Floats], float]] = {
    "f1": lambda y, calls: sklearn.f1_score(y, calls, average="macro"),
    "f1_binary": sklearn.f1_score,
    "precision": sklearn.precision_score,
    "recall": sklearn.recall_score,
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
}


# XGBoost's own: above the threshold that its name says.
ERRORS = {"error": 0.5, "error@0.1": 0.1}


def test_metrics_of_calls_are_at_the_jobs_threshold_and_stop_no_rounds(job: Job) -> None:
    asked = [*OF_CALLS, *ERRORS]
    ran = job(
        {"train": rare(0), "validation": rare(1)},
        {"num_round": 100, "eval_metric": ",".join(asked[1:]), "early_stopping_rounds": 10,
         "calibration": "none", "_tuning_objective_metric": f"validation:{asked[0]}"},
    )  # fmt: skip
    assert ran.code == 0, ran.log
    assert (
        ran.log.count(
            "f1 only measures which class rows are assigned to: logloss decides the rounds\n"
        )
        == 1
    )
    losses = logged(ran, "validation:logloss")
    rounds = ran.model.scorer.boosters[0].rounds
    assert losses.index(min(losses)) + 1 == rounds > 20
    labels, scores, _ = validated(ran)
    assert losses[-1] == pytest.approx(sklearn.log_loss(labels, scores), abs=1e-5)
    calls = scores >= best_threshold(labels, scores)
    for metric, measure in OF_CALLS.items():
        value = logged(ran, f"validation:{metric}")[-1]
        assert value == pytest.approx(measure(labels, calls), abs=1e-5), metric
    assert logged(ran, "validation:f1_binary")[-1] == pytest.approx(decision_of(ran).f1, abs=1e-5)
    for metric, threshold in ERRORS.items():
        (*_, text) = re.findall(rf"\tvalidation-{metric}:(\S+)", ran.log)
        wrong = (scores > threshold) != labels
        assert float(text) == pytest.approx(wrong.mean(), abs=1e-5), metric


@pytest.mark.parametrize("metric", [*OF_CALLS, *ERRORS])
def test_a_tuning_job_by_a_metric_of_calls_stops_by_the_log_loss(metric: str) -> None:
    settings = TrainSettings.of(
        {"objective": "binary:logistic", "_tuning_objective_metric": f"validation:{metric}"}
    )
    assert settings.boosting.stopping_metric == "logloss"
    assert settings.notes == (
        f"{metric} only measures which class rows are assigned to: logloss decides the rounds",
    )


def decision_of(ran: Ran) -> Decision:
    decision = ModelBundle.load(ran.opt_ml.model).decision
    assert decision is not None
    return decision


def test_the_test_channel_is_called_by_the_threshold_of_the_job(job: Job) -> None:
    ran = job(
        {"train": rare(0), "validation": rare(1), "test": rare(8)},
        {"num_round": 60, "eval_metric": "f1_binary,recall,auc"},
    )
    assert ran.code == 0, ran.log
    rows = read_table(ran.opt_ml.data / "test", looks_like_header)
    labels = np.array(rows.column("fraud").to_pylist(), float)
    scores = ran.model.score(ran.model.schema.arrange(rows.without("fraud")))
    calls = scores >= np.float32(decision_of(ran).threshold)
    assert decision_of(ran).threshold != pytest.approx(best_threshold(labels, scores))
    for name, measure in {"f1_binary": sklearn.f1_score, "recall": sklearn.recall_score}.items():
        found = re.search(rf"\ttest-{name}:(\S+)", ran.log)
        assert found
        assert float(found[1]) == pytest.approx(measure(labels, calls), abs=1e-5)


def test_with_xgboosts_preset_the_metric_itself_stops_and_calls_by_a_half(job: Job) -> None:
    ran = job(
        {"train": rare(0), "validation": rare(1)},
        {"num_round": 40, "preset": "xgboost", "early_stopping_rounds": 3, "eval_metric": "f1"},
    )
    assert ran.code == 0, ran.log
    assert "decides the rounds" not in ran.log
    assert not logged(ran, "validation:logloss")
    values = logged(ran, "validation:f1")
    assert values.index(max(values)) + 1 == ran.model.scorer.boosters[0].rounds
    labels, scores, _ = validated(ran)
    f1 = sklearn.f1_score(labels, scores > 0.5, average="macro")
    assert values[-1] == pytest.approx(f1, abs=1e-5)


@pytest.mark.parametrize(
    ("texts", "metrics", "decides"),
    [
        ({"objective": "multi:softprob", "eval_metric": "merror"}, ("merror", "mlogloss"), "m"),
        ({"objective": "multi:softmax", "eval_metric": "mlogloss,f1"}, ("mlogloss", "f1"), "m"),
        ({"objective": "reg:logistic", "eval_metric": "error"}, ("error", "logloss"), ""),
        ({"objective": "binary:logitraw", "eval_metric": "recall"}, ("recall", "logloss"), ""),
    ],
)
def test_the_log_loss_decides_for_every_objective_that_has_one(
    texts: dict[str, str], metrics: tuple[str, ...], decides: str
) -> None:
    settings = TrainSettings.of(texts)
    assert (settings.boosting.metrics, settings.boosting.stopping_metric) == (
        metrics,
        f"{decides}logloss",
    )
    named = texts["eval_metric"].split(",")[-1]
    assert settings.notes == (
        f"{named} only measures which class rows are assigned to: {decides}logloss decides the "
        "rounds",
    )


@pytest.mark.parametrize(
    ("texts", "decides"),
    [
        ({"objective": "binary:hinge", "eval_metric": "f1"}, "f1"),  # it has no probabilities
        ({"objective": "binary:hinge"}, "error"),
        ({"eval_metric": "f1,recall_at_precision@0.5"}, "recall_at_precision@0.5"),
        ({"eval_metric": "f1,auc"}, "auc"),
        ({"objective": "reg:tweedie", "tweedie_variance_power": "1.2"}, "tweedie-nloglik@1.2"),
        ({"objective": "reg:tweedie", "eval_metric": "tweedie-nloglik"}, "tweedie-nloglik@1.5"),
        ({"preset": "xgboost", "eval_metric": "error"}, "error"),
    ],
)
def test_other_metrics_decide_themselves(texts: dict[str, str], decides: str) -> None:
    settings = TrainSettings.of(texts)
    assert (settings.boosting.stopping_metric, settings.notes) == (decides, ())


@pytest.mark.parametrize(
    ("texts", "metrics"),
    [
        ({}, ("auc", "logloss")),
        ({"objective": "binary:logitraw"}, ("auc", "logloss")),
        ({"objective": "multi:softprob"}, ("mlogloss",)),
        ({"objective": "reg:logistic"}, ("rmse",)),
        ({"objective": "rank:map"}, ("map",)),
        # its probabilities are not meant to be right
        ({"scale_pos_weight": "3"}, ("logloss", "auc")),
        ({"scale_pos_weight": "1"}, ("auc", "logloss")),
        ({"preset": "xgboost"}, ("auc",)),
    ],
)
def test_of_classes_the_log_loss_decides_where_no_metric_is_named(
    texts: dict[str, str], metrics: tuple[str, ...]
) -> None:
    boosting = TrainSettings.of(texts).boosting
    assert (boosting.metrics, boosting.stopping_metric) == (metrics, metrics[-1])


@pytest.mark.long
def test_rounds_go_on_until_the_probabilities_are_right(job: Job) -> None:
    # the first round already has all rows in order
    apart = "y,x\n" + "".join(f"{n % 2},{n % 2 * 100 + n % 7}\n" for n in range(200))
    channels, settings = {"train": apart, "validation": apart}, {"num_round": 120}
    ran = job(channels, settings)
    assert ran.model.scorer.boosters[0].rounds == 120
    assert logged(ran, "validation:auc")[0] == 1
    assert logged(ran, "validation:logloss")[-1] < 0.05
    by_order = job(channels, {**settings, "eval_metric": "logloss,auc"})
    assert by_order.model.scorer.boosters[0].rounds == 1
    assert logged(by_order, "validation:logloss")[-1] > 0.6


def test_a_metric_that_should_fall_stops_where_it_is_least(job: Job) -> None:
    ran = job(
        {"train": lines(), "validation": lines(seed=1)},
        {"num_round": 60, "early_stopping_rounds": 5, "max_depth": 4, "eta": 0.5,
         "eval_metric": "auc,logloss"},
    )  # fmt: skip
    values = logged(ran, "validation:logloss")
    assert values[-1] == min(values)
    assert values.index(min(values)) + 1 == ran.model.scorer.boosters[0].rounds
    assert len(logged(ran, "validation:auc")) == len(values)


def test_what_has_no_effect_is_logged_once(job: Job) -> None:
    settings = {"sketch_eps": 0.1, "tree_method": "hist", "nfold": 3}
    ran = job({"train": lines(), "validation": lines(seed=1)}, settings)
    assert ran.log.count("sketch_eps has no effect: take max_bin\n") == 1
    assert ran.log.count("nfold has no effect: the validation channel chooses the rounds\n") == 1
