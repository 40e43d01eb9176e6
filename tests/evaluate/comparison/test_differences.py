"""Every task's metrics of two models of XGBoost's own: scikit-learn's values, and refusals."""

from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn import metrics as sk

from sagetree.errors import UserError
from sagetree.evaluate.cases import read_rows
from sagetree.evaluate.comparison.answers import Contender
from sagetree.evaluate.comparison.differences import Costs
from sagetree.evaluate.comparison.result import Comparison, compare

ROWS = 400
COLUMNS = ["one", "two"]


def example() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(ROWS, 2)).round(4)
    return features, features[:, 0] + features[:, 1] + random.normal(size=ROWS)


LABELS = {
    "reg": example()[1].round(3),
    "binary": (example()[1] > 1).astype(int),
    "multi": np.digitize(example()[1], [-1, 1]),
}


def save(folder: Path, objective: str, columns: list[str], **parameters: object) -> Path:
    """Save a model of some columns."""
    features, labels = example()[0], LABELS[objective.partition(":")[0]]
    places = [COLUMNS.index(name) for name in columns]
    data = xgboost.DMatrix(features[:, places], labels, feature_names=columns)
    settings = {"objective": objective, "max_depth": 2, "nthread": 1, **parameters}
    folder.mkdir()
    xgboost.train(settings, data, 10).save_model(folder / "xgboost-model.json")
    return folder


def compared(
    tmp_path: Path, objectives: tuple[str, str], costs: Costs | None = None, **parameters: object
) -> tuple[Comparison, list[np.ndarray], np.ndarray]:
    """Compare a model of one column with one of two; return their scores, too."""
    labels, features = LABELS[objectives[0].partition(":")[0]], example()[0]
    lines = [f"{label},{one},{two}" for label, (one, two) in zip(labels, features, strict=True)]
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "rows.csv").write_text("\n".join(["y,one,two", *lines, ""]))
    first, second = (
        Contender.load(save(tmp_path / name, objective, columns, **parameters), "best")
        for name, objective, columns in zip(
            "ab", objectives, (["one"], ["one", "two"]), strict=True
        )
    )
    table = read_rows(tmp_path / "test", second.model)
    answers = first.answer(table, second.model), second.answer(table, first.model)
    found = compare(*answers, "the rows", costs)
    return found, [each.scores for each in answers], labels


def values(found: Comparison) -> dict[str, tuple[float, float]]:
    return {each.metric: (each.champion, each.challenger) for each in found.differences}


def test_two_classes(tmp_path: Path) -> None:
    objective = "binary:logistic"
    found, scores, labels = compared(tmp_path, (objective, objective), Costs(1200, 35))
    assert list(values(found)) == ["cost", "auc", "au_prc", "logloss"]
    for name, measure in (
        ("auc", sk.roc_auc_score),
        ("au_prc", sk.average_precision_score),
        ("logloss", sk.log_loss),
    ):
        expected = [measure(labels, each) for each in scores]
        assert values(found)[name] == pytest.approx(expected)
    paid = [np.where(labels, 1200 * (s < 0.5), 35 * (s >= 0.5)).mean() for s in scores]
    assert values(found)["cost"] == pytest.approx(paid)
    assert {each.word for each in found.differences} == {"better"}
    assert found.decisive.metric == "cost"


def test_margins_have_no_log_loss(tmp_path: Path) -> None:
    found, _scores, _labels = compared(tmp_path, ("binary:logitraw", "binary:logistic"))
    assert list(values(found)) == ["auc", "au_prc"]


def test_several_classes(tmp_path: Path) -> None:
    objective = "multi:softprob"
    found, scores, labels = compared(tmp_path, (objective, objective), num_class=3)
    assert list(values(found)) == ["logloss", "accuracy"]
    assert values(found)["logloss"] == pytest.approx(
        [sk.log_loss(labels, each / each.sum(axis=1, keepdims=True)) for each in scores], rel=1e-5
    )
    right = [sk.accuracy_score(labels, each.argmax(axis=1)) for each in scores]
    assert values(found)["accuracy"] == pytest.approx(right)
    assert found.decisive.word == "better"


def test_classes_without_probabilities_have_accuracy_alone(tmp_path: Path) -> None:
    found, *_ = compared(tmp_path, ("multi:softmax", "multi:softprob"), num_class=3)
    assert list(values(found)) == ["accuracy"]


def test_numbers(tmp_path: Path) -> None:
    objective = "reg:squarederror"
    found, scores, labels = compared(tmp_path, (objective, objective))
    assert list(values(found)) == ["rmse", "mae", "r2"]
    for name, measure in (
        ("rmse", sk.root_mean_squared_error),
        ("mae", sk.mean_absolute_error),
        ("r2", sk.r2_score),
    ):
        assert values(found)[name] == pytest.approx([measure(labels, each) for each in scores])
    assert {each.word for each in found.differences} == {"better"}


def test_quantiles(tmp_path: Path) -> None:
    objective = "reg:quantileerror"
    found, scores, labels = compared(tmp_path, (objective, objective), quantile_alpha=[0.1, 0.9])
    expected = [
        np.mean(
            [sk.mean_pinball_loss(labels, each[:, k], alpha=a) for k, a in ((0, 0.1), (1, 0.9))]
        )
        for each in scores
    ]
    assert values(found) == {"pinball_loss": pytest.approx(expected)}


def test_models_of_different_kinds(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        compared(tmp_path, ("binary:logistic", "reg:squarederror"))
    assert str(caught.value) == (
        "comparison: the champion's objective is binary:logistic, the challenger's "
        "reg:squarederror. Compare two models of one kind: of two classes, of several, of "
        "numbers, or of quantiles"
    )


def test_rows_of_no_weight_are_no_rows(tmp_path: Path) -> None:
    objective = "binary:logistic"
    compared(tmp_path, (objective, objective))
    first, second = (Contender.load(tmp_path / name, "best") for name in "ab")
    table = read_rows(tmp_path / "test", second.model)
    one, other = first.answer(table, second.model), second.answer(table, first.model)
    weights = (np.arange(ROWS) < 200).astype(np.float32)
    half = compare(one, other._replace(weights=weights), "the rows")
    cut = [each._replace(labels=each.labels[:200], scores=each.scores[:200])
           for each in (one, other)]  # fmt: skip
    assert half == compare(*cut, "the rows")
    assert half.rows == 200
