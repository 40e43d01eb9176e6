"""Weights of the rows that a model is measured on: counted where they are, reported where not."""

import json
from pathlib import Path

import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train

# Rows of weight 0 have the wrong label.
X = [n % 10 for n in range(100)]
ROWS = [(int(x > 4), 1, x, n) for n, x in enumerate(X)]
WRONG = [(int(x < 5), 0, x, n) for n, x in enumerate(X)]


def csv(header: str) -> str:
    return header + "".join(f"{y},{w},{x},{n % 7}\n" for y, w, x, n in ROWS + WRONG)


def libsvm() -> str:
    return "".join(f"{y}:{w} 1:{x} 2:{n % 7}\n" for y, w, x, n in ROWS + WRONG)


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OptMl:
    """The folders of a training and of a processing job."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    here = OptMl(tmp_path)
    for folder in (here.processing / "test", here.data / "train", here.config):
        folder.mkdir(parents=True)
    return here


def measured(opt_ml: OptMl, text: str, name: str = "t.csv", **settings: str) -> float:
    """The AUC that evaluate finds on the rows that the model was trained on."""
    (opt_ml.data / "train" / name).write_text(text)
    opt_ml.hyperparameters.write_text(json.dumps({"num_round": "20", "nfold": "2", **settings}))
    assert train([]) == 0
    opt_ml.model.rename(opt_ml.processing / "model")
    return evaluated(opt_ml, text, name)


def evaluated(opt_ml: OptMl, text: str, name: str = "t.csv") -> float:
    (opt_ml.processing / "test" / name).write_text(text)
    assert evaluate([]) == 0
    found = json.loads((opt_ml.processing / "evaluation" / "evaluation.json").read_text())
    return float(found["binary_classification_metrics"]["auc"]["value"])


def test_weights_count_by_name(opt_ml: OptMl, capsys: pytest.CaptureFixture[str]) -> None:
    text = csv("y,w,x,noise\n")
    assert measured(opt_ml, text, weight_column="w") == 1.0
    assert "have no" not in capsys.readouterr().out
    without = "".join(f"{y},{x},{n}\n" for y, _, x, n in (line.split(",") for line in text.split()))
    assert 0.4 < evaluated(opt_ml, without) < 0.6
    assert (
        "WARNING: the rows have no weight ('w'): every row counts as one\n"
        in capsys.readouterr().out
    )


def test_weights_count_by_place(opt_ml: OptMl, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(opt_ml, csv(""), csv_weights="1") == 1.0
    assert "have no" not in capsys.readouterr().out


def test_weights_of_libsvm_count(opt_ml: OptMl, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(opt_ml, libsvm(), "t.libsvm") == 1.0
    assert "have no" not in capsys.readouterr().out
