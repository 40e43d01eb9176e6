"""The program `evaluate` on a model of each task, with the rows that chose its rounds."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.report.drivers import SHUFFLED_TIMES
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.train.tasks import CASES, FEATURES, Case


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OptMl:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return OptMl(tmp_path)


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.csv").write_text(text)


def trained(opt_ml: OptMl, one: Case) -> None:
    """Train on a part of the rows; the others are the test set as well."""
    write(opt_ml.data / "train", one.csv(slice(0, 80)))
    for folder in (opt_ml.data / "validation", opt_ml.processing / "test"):
        write(folder, one.csv(slice(80, None)))
    opt_ml.config.mkdir(parents=True)
    settings = {"preset": "xgboost", "num_round": "5", **one.hyperparameters}
    (opt_ml.config / "hyperparameters.json").write_text(json.dumps(settings))
    assert train([]) == 0
    shutil.copytree(opt_ml.model, opt_ml.processing / "model")


def result(opt_ml: OptMl, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((opt_ml.processing / "evaluation" / name).read_text())
    return content


# The pictures of a report that fit each task.
PICTURES = {
    "multi:softprob": ("Who is called what",),
    "reg:squarederror": ("Predicted and true", "Residuals"),
    "reg:quantileerror": ("Predicted and true", "Residuals"),
    "rank:ndcg": ("Groups by ndcg",),
    "survival:aft": ("Without event, by quarters of the score",),
    "binary:logitraw": ("ROC curve", "Gain"),
}


def check_report(opt_ml: OptMl, metrics: Mapping[str, Any], pictures: Sequence[str]) -> None:
    """Check that the report has the evaluation's numbers and these pictures."""
    card = result(opt_ml, "model_card.json")
    named = {"au_prc" if m["name"] == "aucpr" else m["name"]: m["value"] for m in card["metrics"]}
    assert named == {
        name: None if one["value"] == "NaN" else one["value"]
        for name, one in metrics.items()
        if "value" in one
    }
    page = (opt_ml.processing / "evaluation" / "report.html").read_text()
    keys = re.findall(r"<dt>(.*?)</dt>", page)  # names that can be broken into lines
    assert not [key for key in keys if "_" in key or key == "groups"]
    assert keys
    for title in (*pictures, "Importance of the columns"):
        assert f"<figcaption>{title}</figcaption>" in page
    assert not [path for path in re.findall(r'd="([^"]*)"', page) if "nan" in path]


@pytest.mark.parametrize(
    ("name", "key", "headline", "logged"),
    [
        ("multi:softprob", "multiclass_classification_metrics", "accuracy", None),
        ("reg:squarederror", "regression_metrics", "r2", ("rmse", "rmse")),
        ("reg:quantileerror", "quantile_metrics", "pinball_loss", ("quantile", "pinball_loss")),
        ("rank:ndcg", "ranking_metrics", "ndcg", ("ndcg", "ndcg")),
        ("survival:aft", "survival_metrics", "concordance_index", None),
        ("binary:logitraw", "binary_classification_metrics", "auc", ("auc", "auc")),
    ],
)
def test_it_says_what_training_said_of_the_same_rows(
    opt_ml: OptMl,
    capsys: pytest.CaptureFixture[str],
    name: str,
    key: str,
    headline: str,
    logged: tuple[str, str] | None,
) -> None:
    trained(opt_ml, CASES[name])
    capsys.readouterr()
    assert evaluate([]) == 0
    metrics = result(opt_ml, "evaluation.json")[key]
    of_training = json.loads((opt_ml.output_data / "metrics.json").read_text())[key]
    assert metrics[headline] == of_training[headline]
    assert metrics[headline]["standard_deviation"] > 0
    if logged:
        of_xgboost, ours = logged
        value = of_training[f"validation:{of_xgboost}"]["value"]
        ties = 1e-3 if name == "rank:ndcg" else 1e-5  # XGBoost leaves them in no order
        assert value == pytest.approx(metrics[ours]["value"], abs=ties)
    decision = result(opt_ml, "decision.json")
    assert decision["verdict"] == "Approved", decision
    if name != "binary:logitraw":
        assert decision["metric"] == headline
        assert decision["reason"].endswith(", which a constant prediction would give")
    check_report(opt_ml, metrics, PICTURES[name])
    shown = "AUC" if headline == "auc" else headline
    assert f"Approved: The {shown} of " in capsys.readouterr().out


def test_a_gate_by_another_metric(opt_ml: OptMl) -> None:
    trained(opt_ml, CASES["reg:squarederror"])
    assert evaluate(["--gate", "rmse<=0.01", "--fail-below"]) == 1
    assert result(opt_ml, "decision.json")["gate"] == "rmse<=0.01"
    assert evaluate(["--gate", "mae<=100"]) == 0
    assert evaluate(["--gate", "auc>=0.5"]) == 1
    assert "metric 'auc' does not exist for these rows. Use one of mae, mse, rmse, r2" in (
        opt_ml.message.read_text()
    )
    assert evaluate(["--threshold", "0.5"]) == 1
    assert opt_ml.message.read_text() == (
        "--threshold is for a binary label, and the model's objective is reg:squarederror. "
        "Leave it out\n"
    )


def test_a_threshold_of_margins_may_be_any_number(opt_ml: OptMl) -> None:
    trained(opt_ml, CASES["binary:logitraw"])
    assert evaluate(["--threshold=-2"]) == 0


def test_a_ranking_needs_its_groups(opt_ml: OptMl) -> None:
    one = CASES["rank:ndcg"]
    trained(opt_ml, one)
    alone = Case({name: one.columns[name] for name in ("y", *FEATURES)})
    write(opt_ml.processing / "test", alone.csv())
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        "t.csv line 2: group column 'query' is missing. "
        "The model ranks rows within a group: add the column that says which group each row "
        "belongs to\n"
    )
    (opt_ml.processing / "test" / "t.csv").unlink()
    groups = ["", *one.columns["query"][1:]]
    write(opt_ml.processing / "test", Case({**one.columns, "query": groups}).csv())
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        "t.csv line 2, column 'query': the group is empty. "
        "Every group must be the name or number of a group\n"
    )


def test_a_gate_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate(["--gate", "rmse"])
    text = "argument --gate: 'rmse' is not METRIC>=VALUE or METRIC<=VALUE"
    assert text in capsys.readouterr().err


def test_rows_of_one_number_say_nothing_of_a_model(opt_ml: OptMl) -> None:
    one = CASES["reg:squarederror"]
    trained(opt_ml, one)
    constant = Case({**one.columns, "y": [2.5] * len(one.columns["y"])})
    write(opt_ml.processing / "test", constant.csv())
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        "t.csv line 2, column 'y': the label is '2.5' in every row. Name the column to predict, "
        "or give rows with other labels\n"
    )


def test_a_model_that_is_no_better_than_chance_is_said(
    opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    one = CASES["reg:squarederror"]
    trained(opt_ml, one)
    capsys.readouterr()
    assert evaluate([]) == 0
    assert "learnt nothing" not in capsys.readouterr().out
    shuffled = Case({**one.columns, "y": one.columns["y"][::-1]})
    write(opt_ml.processing / "test", shuffled.csv())
    assert evaluate([]) == 0
    assert (
        "WARNING: the model has learnt nothing that the test rows show: r2 -"
        in capsys.readouterr().out
    )


@pytest.mark.long
def test_events_too_few_to_be_among_the_rows_that_a_report_shuffles(opt_ml: OptMl) -> None:
    trained(opt_ml, CASES["survival:cox"])
    random, count = np.random.default_rng(0), SHUFFLED_TIMES * 3 // 2
    left_out = {*range(count)} - {*np.linspace(0, count - 1, SHUFFLED_TIMES).astype(int).tolist()}
    times = -random.uniform(2, 3, count)  # negative: without event until then
    times[[*left_out][:10]] = np.arange(1, 11) / 10
    numbers = random.normal(size=(2, count)).tolist()
    rows = Case({"y": times.tolist(), "x": numbers[0], "noise": numbers[1], "kind": ["a"] * count})
    write(opt_ml.processing / "test", rows.csv())
    assert evaluate([]) == 0
    drivers = result(opt_ml, "model_card.json")["drivers"]
    assert (drivers["metric"], drivers["shuffled_rows"]) == ("concordance", 0)
