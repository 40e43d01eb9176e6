"""Metrics of every task but binary equal scikit-learn's, or what they are defined as."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.errors import ArtifactError, DataError
from sagetree.evaluate.metrics.multiclass import measure_classes
from sagetree.evaluate.metrics.ordering import measure_ranking, measure_survival
from sagetree.evaluate.metrics.regression import measure_numbers, measure_quantiles
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.evaluate.verdict.sagemaker import evaluation_json


@settings(max_examples=settings().max_examples // 2)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_classes_equal_scikit_learns(pairs):
    labels, called = (np.array(values, np.intp) for values in zip(*pairs, strict=True))
    names = ("a", "b", "c", "d")

    measured = measure_classes(labels, called, names)

    weighted = {"average": "weighted", "zero_division": 0}
    often = np.full_like(labels, np.bincount(labels).argmax())
    expected = {}
    for suffix, predicted in (("", called), ("_best_constant_classifier", often)):
        expected |= {
            f"accuracy{suffix}": sk.accuracy_score(labels, predicted),
            f"weighted_recall{suffix}": sk.recall_score(labels, predicted, **weighted),
            f"weighted_precision{suffix}": sk.precision_score(labels, predicted, **weighted),
            **{
                f"weighted_{name}{suffix}": sk.fbeta_score(labels, predicted, beta=beta, **weighted)
                for name, beta in (("f0_5", 0.5), ("f1", 1), ("f2", 2))
            },
        }
    assert measured.scalars == pytest.approx(expected, rel=1e-12)
    matrix = sk.confusion_matrix(labels, called, labels=range(4))
    assert [list(row.values()) for row in measured.confusion.values()] == matrix.tolist()
    assert measured.baseline == expected["accuracy_best_constant_classifier"]


_VALUES = st.floats(-100, 100, width=32)


@given(st.lists(st.tuples(_VALUES, _VALUES), min_size=2, max_size=30))
def test_numbers_equal_scikit_learns(pairs):
    labels, predictions = (np.array(values) for values in zip(*pairs, strict=True))

    values = measure_numbers(labels, predictions).scalars

    assert values == pytest.approx(
        {
            "mae": sk.mean_absolute_error(labels, predictions),
            "mse": sk.mean_squared_error(labels, predictions),
            "rmse": sk.root_mean_squared_error(labels, predictions),
            "r2": sk.r2_score(labels, predictions),
        },
        rel=1e-9,
        abs=1e-12,
    )


def test_deviations_are_those_of_other_rows():
    random = np.random.default_rng(0)
    labels = random.normal(size=(300, 400))
    predictions = labels + random.normal(size=labels.shape)
    rmse = np.sqrt(np.mean((labels - predictions) ** 2, axis=1))

    deviations = measure_numbers(labels[0], predictions[0]).deviations

    assert deviations["rmse"] == pytest.approx(np.std(rmse), rel=0.25)
    many = np.tile(labels[0], 150), np.tile(predictions[0], 150)
    scaled = measure_numbers(*many).deviations["rmse"]
    assert scaled == pytest.approx(deviations["rmse"] / 150**0.5, rel=0.25)


def test_quantiles_equal_scikit_learns():
    random = np.random.default_rng(1)
    labels = random.normal(size=200)
    predictions = random.normal(size=(200, 2)).cumsum(axis=1)

    measured = measure_quantiles(labels, predictions, (0.1, 0.9))

    losses = [
        sk.mean_pinball_loss(labels, predictions[:, n], alpha=q) for n, q in enumerate((0.1, 0.9))
    ]
    values = measured.scalars
    assert [values["pinball_loss@0.1"], values["pinball_loss@0.9"]] == pytest.approx(losses)
    assert values["pinball_loss"] == pytest.approx(np.mean(losses))
    assert values["coverage@0.9"] == np.mean(labels <= predictions[:, 1])
    best = [
        sk.mean_pinball_loss(labels, np.full(200, np.quantile(labels, q)), alpha=q)
        for q in (0.1, 0.9)
    ]
    assert measured.baseline == pytest.approx(np.mean(best))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=4, max_size=24))
def test_ranking_equals_scikit_learns(pairs):
    labels, scores = (np.array(values, float) for values in zip(*pairs, strict=True))
    groups = np.arange(len(pairs)) // 4
    ordered = [
        rows
        for rows in np.split(np.arange(len(pairs)), range(4, len(pairs), 4))
        if len(set(labels[rows])) > 1
    ]
    if not ordered:
        with pytest.raises(DataError, match="no group has rows of different labels"):
            measure_ranking(labels, scores, groups, where="here")
        return

    measured = measure_ranking(labels, scores, groups, where="here")

    ndcg = [sk.ndcg_score([2 ** labels[rows] - 1], [scores[rows]]) for rows in ordered]
    precision = [sk.average_precision_score(labels[rows] > 0, scores[rows]) for rows in ordered]
    chance = [sk.ndcg_score([2 ** labels[rows] - 1], [0 * scores[rows]]) for rows in ordered]
    assert measured.scalars == pytest.approx(
        {"ndcg": np.mean(ndcg), "map": np.mean(precision), "groups": len(ordered)}
    )
    assert measured.baseline == pytest.approx(np.mean(chance))
    shuffled = np.random.default_rng(0).permutation(len(pairs))  # groups need not stand together
    again = measure_ranking(labels[shuffled], scores[shuffled], groups[shuffled], where="here")
    assert again.scalars == pytest.approx(measured.scalars)


def concordance(lower, upper, times):
    """The definition, pair by pair."""
    won = pairs = 0.0
    for i in range(len(lower)):
        for j in range(len(lower)):
            if upper[i] < lower[j] or (upper[i] == lower[j] and np.isinf(upper[j])):
                pairs += 1
                won += (times[i] < times[j]) + 0.5 * (times[i] == times[j])
    return won / pairs


def test_concordance_is_the_share_of_pairs_in_order():
    random = np.random.default_rng(2)
    lower = random.integers(1, 20, 1500).astype(float)
    upper = np.where(random.random(1500) < 0.3, np.inf, lower + random.integers(0, 3, 1500))
    times = lower + random.integers(-5, 6, 1500)

    measured = measure_survival(lower, upper, times, where="here")

    few = slice(0, 120)
    of_few = measure_survival(lower[few], upper[few], times[few], where="here")
    expected = concordance(lower[few], upper[few], times[few])
    assert of_few.scalars["concordance_index"] == pytest.approx(expected, rel=1e-12)
    parts = [
        measure_survival(lower[k::10], upper[k::10], times[k::10], where="").scalars
        for k in range(10)
    ]
    spread = np.std([part["concordance_index"] for part in parts]) / 10**0.5
    assert measured.deviations["concordance_index"] == pytest.approx(spread, rel=0.6)


def test_cox_takes_a_negative_label_for_the_last_time_seen():
    labels = np.array([1, 2, -2, -5], np.float32)
    cox, aft = OBJECTIVES["survival:cox"], OBJECTIVES["survival:aft"]

    hazards = evaluate_task(cox, labels, np.array([4, 3, 2, 1], np.float32))
    bounds = np.array([[1, 1], [2, 2], [2, np.inf], [5, np.inf]], np.float32)
    times = evaluate_task(aft, bounds, np.array([1, 2, 3, 4], np.float32))

    assert hazards.scalars == times.scalars == {"concordance_index": 1.0}


def test_events_of_which_no_order_is_known():
    bounds = np.array([[1, np.inf], [2, np.inf]], np.float32)
    with pytest.raises(DataError) as caught:
        evaluate_task(OBJECTIVES["survival:aft"], bounds, np.ones(2, np.float32), where="here")
    assert str(caught.value) == (
        "here: no two rows are known to have their events one before the other. "
        "Give rows with events at different times"
    )


@pytest.mark.parametrize("name", ["multi:softprob", "reg:squarederror", "rank:ndcg"])
def test_scores_that_are_no_numbers(name):
    scores = np.array([0.5, np.nan], np.float32)
    with pytest.raises(ArtifactError) as caught:
        evaluate_task(OBJECTIVES[name], np.ones(2, np.float32), scores, where="here")
    assert str(caught.value) == (
        "here: the model gives nan as the score of row 2. "
        "Train again: a model must give every row a finite score"
    )


def test_a_model_of_several_labels() -> None:
    with pytest.raises(ArtifactError) as caught:
        evaluate_task(
            OBJECTIVES["reg:squarederror"], np.ones(3, np.float32), np.ones((3, 2), np.float32)
        )
    assert str(caught.value) == (
        "the evaluated rows: the model gives 2 values for a row, and reg:squarederror is "
        "measured by one. Evaluate a model of one label"
    )


def test_sagemakers_shape_of_classes():
    """As in "Multiclass metrics" of the page that sagemaker.py names."""
    measured = measure_classes(np.array([0, 1, 1]), np.array([0, 1, 0]), ("no", "yes"))

    content = evaluation_json(measured, "multiclass")

    metrics = content["multiclass_classification_metrics"]
    assert metrics["confusion_matrix"] == {"no": {"no": 1, "yes": 0}, "yes": {"no": 1, "yes": 1}}
    names = ("accuracy", *(f"weighted_{n}" for n in ("recall", "precision", "f0_5", "f1", "f2")))
    assert set(metrics) == {
        "confusion_matrix", *names, *(f"{name}_best_constant_classifier" for name in names)
    }  # fmt: skip
    assert metrics["accuracy"] == {
        "value": 2 / 3,
        "standard_deviation": measured.deviations["accuracy"],
    }


def test_sagemakers_shape_of_numbers():
    content = evaluation_json(measure_numbers(np.arange(3.0), np.ones(3)), "regression")

    assert set(content["regression_metrics"]) == {"mae", "mse", "rmse", "r2"}
    assert content["rows"] == 3
    assert content["same_for_every_row"] == {"r2": 0.0}


@pytest.mark.parametrize(
    ("name", "labels", "scores"),
    [
        ("binary:logistic", [0, 1, 1, 0, 1, 0], [0.2, 0.7, 0.4, 0.5, 0.9, 0.1]),
        ("multi:softmax", [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 1, 0]),
        ("reg:squarederror", [1, 2, 3, 4, 5, 6], [1.5, 2, 2, 5, 4, 6.5]),
        ("survival:cox", [1, -2, 3, 4, -5, 6], [0.9, 0.5, 0.6, 0.2, 0.4, 0.1]),
    ],
)
def test_copies_change_no_count_and_say_nothing_new(name, labels, scores):
    """Each row is there three times: metrics are those of all rows, their spread that of one."""
    given = np.array(labels, np.float32), np.array(scores, np.float32)
    rows = np.tile(np.arange(6), 3)
    objective = OBJECTIVES[name]

    once = evaluate_task(objective, *given)
    together = evaluate_task(objective, *(values[rows] for values in given), copies=rows)

    assert together.rows == 18
    assert together.scalars == pytest.approx(once.scalars)
    assert together.deviations == pytest.approx(once.deviations, rel=0.3, abs=0.02)
    if name == "binary:logistic":
        assert (together.positives, together.auc_interval) == (9, pytest.approx(once.auc_interval))
        assert together.confusion["0"]["0"] == 3 * once.confusion["0"]["0"]


def test_copies_of_unequal_weight_count_as_much_as_they_weigh_together():
    random = np.random.default_rng(2)
    labels, scores = np.arange(40) % 2 * 1.0, random.random(40)
    copies = np.append(np.arange(40), [3, 3, 8])
    weights = random.random(43).astype(np.float32) + 0.5
    summed = np.bincount(copies, weights).astype(np.float32)
    objective = OBJECTIVES["binary:logistic"]

    found = evaluate_task(objective, labels[copies], scores[copies], weights=weights, copies=copies)

    expected = evaluate_task(objective, labels, scores, weights=summed)
    assert found.auc_interval == pytest.approx(expected.auc_interval)
    assert found.deviations == pytest.approx(expected.deviations)
    assert (found.rows, found.positives) == (43, 22)
