"""What RegisterModel takes as ModelMetrics: SageMaker's shapes, the evaluation's own numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.evaluate.cli import main as evaluate
from tests.evaluate.conftest import HEADER, rows

FOLDER = Path("sagetree-out/processing/evaluation")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the command is given."""
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)


def result(name: str) -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = json.loads((FOLDER / name).read_text())
    return content


def own_model(objective: str, labels: np.ndarray, **parameters: object) -> np.ndarray:
    """Save a model of XGBoost's own and its rows; return its contributions to them."""
    features = np.random.default_rng(0).normal(size=(len(labels), 2)).round(3)
    data = xgboost.DMatrix(features, labels, feature_names=["one", "two"])
    settings = {"objective": objective, "max_depth": 2, "nthread": 1, **parameters}
    booster = xgboost.train(settings, data, 5)
    Path("model").mkdir()
    booster.save_model("model/xgboost-model.json")
    lines = [f"{label},{one},{two}" for label, (one, two) in zip(labels, features, strict=True)]
    Path("test.csv").write_text("\n".join(["y,one,two", *lines, ""]))
    found: np.ndarray = booster.predict(data, pred_contribs=True)
    return found


def test_two_classes(trained: Path) -> None:
    Path("later.csv").write_text(HEADER + "".join(rows(200, 1)))
    assert evaluate([str(trained), "later.csv"]) == 0
    metrics = result("evaluation.json")["binary_classification_metrics"]
    low = result("evaluation.json")["auc_interval"]["low"]
    statistics = result("statistics.json")
    assert (statistics["version"], statistics["dataset"]) == (0.0, {"item_count": 200})
    expected = {name: value for name, value in metrics.items() if not name.endswith("curve")}
    assert statistics["binary_classification_metrics"] == expected
    constraints = result("constraints.json")
    assert constraints["version"] == 0.0
    found = constraints["binary_classification_constraints"]
    assert found["auc"] == {"threshold": low, "comparison_operator": "LessThanThreshold"}
    less, more = (
        ("LessThanThreshold", -1.959963984540054),
        ("GreaterThanThreshold", 1.959963984540054),
    )
    rising = ("recall", "precision", "accuracy", "f0_5", "f1", "f2")
    rates = ("true_positive_rate", "true_negative_rate")
    falling = ("false_positive_rate", "false_negative_rate")
    for names, (operator, factor) in (((*rising, *rates), less), (falling, more)):
        for name in names:
            bound = metrics[name]["value"] + factor * metrics[name]["standard_deviation"]
            assert found[name]["threshold"] == pytest.approx(bound)
            assert found[name]["comparison_operator"] == operator
    assert set(found) == {"auc", *rising, *rates, *falling}


@pytest.mark.parametrize(
    ("objective", "key", "rising", "falling"),
    [
        ("reg:squarederror", "regression", {"r2"}, {"mae", "mse", "rmse"}),
        (
            "multi:softprob",
            "multiclass_classification",
            {"accuracy", "weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1",
             "weighted_f2"},
            set(),
        ),
        ("reg:quantileerror", "quantile", set(), {"pinball_loss"}),
    ],
)  # fmt: skip
def test_other_tasks(objective: str, key: str, rising: set[str], falling: set[str]) -> None:
    more = {
        "multi:softprob": {"num_class": 3},
        "reg:quantileerror": {"quantile_alpha": [0.2, 0.8]},
    }
    expected = own_model(objective, np.arange(90) % 3, **more.get(objective, {}))
    assert evaluate(["model", "test.csv"]) == 0
    metrics = result("evaluation.json")[f"{key}_metrics"]
    assert result("statistics.json")[f"{key}_metrics"] == metrics
    found = result("constraints.json")[f"{key}_constraints"]
    operators = {name: limit["comparison_operator"] for name, limit in found.items()}
    assert operators == dict.fromkeys(rising, "LessThanThreshold") | dict.fromkeys(
        falling, "GreaterThanThreshold"
    )
    shap = result("explainability.json")["explanations"]["kernel_shap"]
    outputs = expected.reshape(90, -1, 3)
    assert list(shap) == [f"label{number}" for number in range(outputs.shape[1])]
    for number, output in enumerate(shap.values()):
        assert list(output["global_shap_values"].values()) == pytest.approx(
            np.abs(outputs[:, number, :-1]).mean(axis=0).tolist(), rel=1e-4
        )
        assert output["expected_value"] == pytest.approx(outputs[0, number, -1], rel=1e-4)


def test_reasons_are_of_the_users_columns(trained: Path) -> None:
    Path("later.csv").write_text(HEADER + "".join(rows(200, 1)))
    assert evaluate([str(trained), "later.csv"]) == 0
    found = result("explainability.json")
    assert found["version"] == "1.0"
    values = found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert list(values) == ["amount", "kind"]
    assert values["amount"] > 10 * values["kind"] > 0


@pytest.mark.parametrize(("work", "rows_explained"), [(20_000_000, 1000), (1, 100)])
def test_a_thousand_rows_are_explained_and_fewer_for_a_large_model(
    work: int, rows_explained: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagetree.evaluate.model_metrics.explainability.MOST_WORK", work)
    expected = np.abs(own_model("reg:squarederror", np.arange(1500) % 3)[:, :-1])
    assert evaluate(["model", "test.csv"]) == 0
    shap = result("explainability.json")["explanations"]["kernel_shap"]["label0"]
    chosen = np.linspace(0, 1499, rows_explained).astype(int)
    assert list(shap["global_shap_values"].values()) == pytest.approx(
        expected[chosen].mean(axis=0).tolist(), rel=1e-4
    )
