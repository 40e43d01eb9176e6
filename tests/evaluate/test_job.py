"""The program `evaluate`, as SageMaker runs it: a model and rows in, two files and an exit code."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn import metrics as sk

from sagetree.bundle.model import Model
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from tests.evaluate.conftest import HEADER, rows


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: Path) -> OptMl:
    """A processing job's folders: the packed model, and test rows."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    here = OptMl(tmp_path)
    for folder in ("model", "test"):
        (here.processing / folder).mkdir(parents=True)
    with tarfile.open(here.processing / "model" / "model.tar.gz", "w:gz") as tar:
        tar.add(trained, arcname=".")
    put_test(here, HEADER + "".join(rows(200, 1)))
    return here


def put_test(opt_ml: OptMl, text: str) -> None:
    (opt_ml.processing / "test" / "test.csv").write_text(text)


def result(opt_ml: OptMl, name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads((opt_ml.processing / "evaluation" / name).read_text())
    return content


def test_the_numbers_are_scikit_learns_on_the_served_scores(opt_ml: OptMl, trained: Path) -> None:
    assert evaluate([]) == 0
    metrics = result(opt_ml, "evaluation.json")["binary_classification_metrics"]
    model = Model.load(trained)
    cells = [line.strip().split(",") for line in rows(200, 1)]
    labels = np.array([int(row[0]) for row in cells])
    from sagetree.tables.table import Source, Table

    columns = ([row[1] for row in cells], [row[2] for row in cells])
    scores = model.score(Table(("amount", "kind"), columns, 200, True, (Source(200),)))
    called = [float(score) >= model.decision.threshold for score in scores]
    assert metrics["auc"]["value"] == sk.roc_auc_score(labels, scores)
    assert metrics["precision"]["value"] == sk.precision_score(labels, called)
    assert metrics["recall"]["value"] == sk.recall_score(labels, called)
    assert metrics["confusion_matrix"]["1"]["1"] == sum(labels[np.array(called)])


def test_rows_without_a_header_have_the_label_first(opt_ml: OptMl) -> None:
    assert evaluate([]) == 0
    expected = result(opt_ml, "evaluation.json")
    put_test(opt_ml, "".join(rows(200, 1)))
    assert evaluate([]) == 0
    assert result(opt_ml, "evaluation.json") == expected


def test_headers_among_the_rows_are_no_rows(
    opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate([]) == 0
    expected = result(opt_ml, "evaluation.json")
    capsys.readouterr()
    lines = rows(200, 1)
    put_test(opt_ml, "".join([HEADER, *lines[:90], HEADER, *lines[90:], HEADER]))
    (opt_ml.processing / "test" / "empty.csv").write_bytes(b"")
    assert evaluate([]) == 0
    assert result(opt_ml, "evaluation.json") == expected
    said = capsys.readouterr().out
    assert "test: 2 lines among the rows repeated the header: skipped\n" in said
    assert "test: empty and skipped: empty.csv\n" in said


def test_a_folder_does_as_well_as_an_archive(opt_ml: OptMl, trained: Path) -> None:
    assert evaluate([]) == 0
    packed = result(opt_ml, "decision.json")
    shutil.rmtree(opt_ml.processing / "model")
    shutil.copytree(trained, opt_ml.processing / "model")
    assert evaluate([]) == 0
    assert result(opt_ml, "decision.json") == packed


def test_the_gate_passes_exactly_at_the_auc(
    opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(["--threshold-auc", "0.05"]) == 0
    assert "WARNING" not in capsys.readouterr().out
    auc = result(opt_ml, "decision.json")["auc"]
    assert evaluate(["--threshold-auc", repr(auc), "--fail-below"]) == 0
    decision = result(opt_ml, "decision.json")
    assert set(decision) == {
        "auc", "interval", "threshold_auc", "verdict", "reason", "test_rows"
    }  # fmt: skip
    assert decision["verdict"] == "Approved"
    above = repr(float(np.nextafter(auc, 1)))
    assert evaluate(["--threshold-auc", above]) == 0
    assert result(opt_ml, "decision.json")["verdict"] == "Rejected"
    capsys.readouterr()
    assert evaluate(["--threshold-auc", above, "--fail-below"]) == 1
    log = capsys.readouterr().out
    assert "Rejected: " in log
    assert "WARNING: " in log  # the gate lies inside the interval


@pytest.mark.parametrize("header", ["", "0,1,2\n"])  # as pandas writes columns without names
def test_a_plain_model_is_evaluated_by_position(opt_ml: OptMl, header: str) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, 2))
    labels = (matrix[:, 0] + random.normal(size=200) > 0).astype(int)
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(matrix, labels), 5)
    shutil.rmtree(opt_ml.processing / "model")
    (opt_ml.processing / "model").mkdir()
    booster.save_model(opt_ml.processing / "model" / "model.ubj")
    lines = [f"{y},{a!r},{b!r}\n" for y, (a, b) in zip(labels, matrix.tolist(), strict=True)]
    put_test(opt_ml, header + "".join(lines))
    assert evaluate([]) == 0
    scores = booster.predict(xgboost.DMatrix(matrix))
    metrics = result(opt_ml, "evaluation.json")["binary_classification_metrics"]
    assert metrics["auc"]["value"] == sk.roc_auc_score(labels, scores)
    assert metrics["accuracy"]["value"] == sk.accuracy_score(labels, scores >= 0.5)


def test_a_plain_model_is_evaluated_by_the_names_it_has(opt_ml: OptMl) -> None:
    """XGBoost calls columns without names f0, f1, ...: a header of these goes before the order."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, 3))
    labels = (matrix[:, 0] + random.normal(size=200) > 0).astype(int)
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(matrix, labels), 5)
    shutil.rmtree(opt_ml.processing / "model")
    (opt_ml.processing / "model").mkdir()
    booster.save_model(opt_ml.processing / "model" / "model.ubj")
    expected = sk.roc_auc_score(labels, booster.predict(xgboost.DMatrix(matrix)))
    rows = list(zip(labels, matrix.tolist(), strict=True))
    for header in ("y,f2,f0,f1", "f2,f0,f1,y"):
        cells = [f"{c!r},{a!r},{b!r}" for _, (a, b, c) in rows]
        if header.startswith("y"):
            lines = [f"{y},{row}" for (y, _), row in zip(rows, cells, strict=True)]
        else:
            lines = [f"{row},{y}" for (y, _), row in zip(rows, cells, strict=True)]
        put_test(opt_ml, "\n".join([header, *lines, ""]))
        assert evaluate([]) == 0
        metrics = result(opt_ml, "evaluation.json")["binary_classification_metrics"]
        assert metrics["auc"]["value"] == expected


@pytest.mark.parametrize("rounds", ["best", "all"])
def test_a_plain_model_is_evaluated_by_the_rounds_that_are_asked_for(
    rounds: str, opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, 2))
    labels = (matrix[:, 0] + random.normal(size=200) > 0).astype(int)
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(matrix, labels), 5)
    booster.set_attr(best_iteration="1")
    shutil.rmtree(opt_ml.processing / "model")
    (opt_ml.processing / "model").mkdir()
    booster.save_model(opt_ml.processing / "model" / "model.ubj")
    rows = zip(labels, matrix.tolist(), strict=True)
    put_test(opt_ml, "".join(f"{y},{a!r},{b!r}\n" for y, (a, b) in rows))
    assert evaluate(["--rounds", rounds]) == 0
    used = 2 if rounds == "best" else 5
    scores = booster.predict(xgboost.DMatrix(matrix), iteration_range=(0, used))
    metrics = result(opt_ml, "evaluation.json")["binary_classification_metrics"]
    assert metrics["auc"]["value"] == sk.roc_auc_score(labels, scores)
    assert ("2 of its 5 rounds predict" in capsys.readouterr().out) == (rounds == "best")


FAULTS = [
    (
        "no label",
        "amount,kind\n1,a\n2,b\n",
        "test.csv line 2: label column 'fraud' is missing. The columns are 'amount', 'kind'",
    ),
    (
        "an unknown label",
        HEADER + "0,1,a\n2,1,a\n",
        "test.csv line 3, column 'fraud': the label is '2'. Every label must be '0' or '1'",
    ),
    (
        "a missing column",
        "fraud,kind\n0,a\n1,b\n",
        "test.csv: column 'amount' is missing. The model needs amount, kind",
    ),
    (
        "text for a number",
        HEADER + "0,1,a\n1,much,a\n",
        "test.csv line 3, column 'amount': 'much' is text where a number is expected. "
        "Correct the cell, or leave it empty if the value is missing",
    ),
    (
        "one column",
        "fraud\n0\n1\n",
        "test.csv line 2: there is one column, and both label and features are needed. "
        "Separate the cells by commas",
    ),
]


@pytest.mark.parametrize(("text", "message"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_rows_that_cannot_be_used(opt_ml: OptMl, text: str, message: str) -> None:
    put_test(opt_ml, text)
    assert evaluate([]) == 1
    assert (opt_ml.root / "output" / "message").read_text() == message + "\n"
    assert not (opt_ml.processing / "evaluation").exists()


def test_one_label_only(opt_ml: OptMl) -> None:
    put_test(opt_ml, HEADER + "0,1,a\n0,2,b\n")
    assert evaluate([]) == 1
    message = (opt_ml.root / "output" / "message").read_text()
    assert message.startswith(f"{opt_ml.processing / 'test'}: all 2 ")


def test_no_model(opt_ml: OptMl) -> None:
    shutil.rmtree(opt_ml.processing / "model")
    assert evaluate([]) == 1
    message = (opt_ml.root / "output" / "message").read_text()
    assert message.startswith(f"{opt_ml.processing / 'model'}: ")


def test_bad_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        evaluate(["--threshold-auc", "7"])
    assert ended.value.code == 2
    assert "argument --threshold-auc: '7' is not a number from 0 to 1" in capsys.readouterr().err


@pytest.mark.parametrize("threshold", ["50", "-0.1", "1.0001"])
def test_a_threshold_that_no_probability_can_reach(threshold: str, opt_ml: OptMl) -> None:
    assert evaluate([f"--threshold={threshold}"]) == 1
    assert opt_ml.message.read_text() == (
        f"--threshold is {float(threshold):g}, and the model's scores are from 0 to 1. "
        "Give a share, such as 0.5 for 50 %\n"
    )
    assert not (opt_ml.processing / "evaluation" / "decision.json").exists()


@pytest.mark.parametrize("threshold", ["0", "1"])
def test_a_threshold_at_either_end_calls_all_or_what_is_certain(
    threshold: str, opt_ml: OptMl
) -> None:
    assert evaluate(["--threshold", threshold]) == 0
    metrics = result(opt_ml, "evaluation.json")["binary_classification_metrics"]
    assert metrics["recall"]["value"] == 1 - float(threshold)  # type: ignore[index]


@pytest.mark.parametrize("bound", ["0", "1"])
def test_a_gate_may_be_at_either_end(bound: str, opt_ml: OptMl):
    assert evaluate(["--threshold-auc", bound]) == 0
    assert result(opt_ml, "decision.json")["threshold_auc"] == float(bound)
