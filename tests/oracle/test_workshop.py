"""Against what SageMaker itself answered: the workshop's finished run (README.md)."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.machine.paths import OptMl
from tests.needs import WORKSHOP, needs_workshop
from tests.serve.server_process import ServerProcess, serving

SAGETREE = str(Path(sys.executable).parent / "sagetree")

# As SageMaker sends them: strings, those of framework estimators JSON-quoted.
HYPERPARAMETERS = {
    "max_depth": '"3"',
    "eta": '"0.2"',
    "objective": '"binary:logistic"',
    "num_round": "100",
    "base_score": "0.5",
    "tree_method": "exact",
    "nfold": "5",
    "stratified": "false",
    "early_stopping_rounds": "10",
    "seed": "0",
    "preset": "xgboost",
}

pytestmark = needs_workshop


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[OptMl, str]:
    """A training job with the workshop's settings, and its log."""
    opt_ml = OptMl(tmp_path_factory.mktemp("workshop"))
    opt_ml.config.mkdir(parents=True)
    (opt_ml.data / "train").mkdir(parents=True)
    shutil.copy(WORKSHOP / "train.csv", opt_ml.data / "train")
    (opt_ml.config / "hyperparameters.json").write_text(json.dumps(HYPERPARAMETERS))
    return opt_ml, _run(opt_ml, "train")


def _run(opt_ml: OptMl, *arguments: str) -> str:
    environ = {"SAGEMAKER_BASE_DIR": str(opt_ml.root), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [SAGETREE, *arguments], env=environ, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_cross_validation_chooses_the_published_rounds(trained: tuple[OptMl, str]) -> None:
    opt_ml, log = trained
    assert "[20]\ttrain-auc:0.89922\tvalidation-auc:0.79020" in log
    assert "Fitting all 4000 rows for 21 rounds" in log
    metrics = json.loads((opt_ml.output_data / "metrics.json").read_text())
    published = metrics["binary_classification_metrics"]
    assert metrics["rounds"] == 21
    assert published["train:auc"]["value"] == pytest.approx(0.8992182, abs=1e-7)
    assert published["validation:auc"]["value"] == pytest.approx(0.7901984, abs=1e-7)
    assert published["validation:auc"]["standard_deviation"] == pytest.approx(0.0369, abs=5e-5)


@pytest.fixture(scope="module")
def server(
    trained: tuple[OptMl, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """The model of that job, served over HTTP."""
    with serving(trained[0].root, tmp_path_factory.mktemp("log") / "serve.log") as running:
        yield running


@pytest.mark.parametrize("chunk", [5000, pytest.param(1000, marks=pytest.mark.long), 7])
def test_answers_equal_the_batch_transform_line_for_line(server: ServerProcess, chunk: int) -> None:
    lines = (WORKSHOP / "batchinput.csv").read_bytes().splitlines(keepends=True)
    answers = b""
    for start in range(0, len(lines), chunk):
        answer = server.post(b"".join(lines[start : start + chunk]))
        assert answer.status == 200
        answers += answer.body
    assert answers == (WORKSHOP / "batchinput.csv.out").read_bytes()


@pytest.mark.long  # scikit-learn in a process of its own
def test_evaluation_equals_the_published_one(trained: tuple[OptMl, str]) -> None:
    opt_ml, _ = trained
    for folder in ("model", "test"):
        (opt_ml.processing / folder).mkdir(parents=True)
    shutil.copytree(opt_ml.model, opt_ml.processing / "model", dirs_exist_ok=True)
    shutil.copy(WORKSHOP / "test.csv", opt_ml.processing / "test")
    _run(opt_ml, "evaluate", "--threshold", "0.5")
    ours, theirs = (
        json.loads(path.read_text())["binary_classification_metrics"]
        for path in (
            opt_ml.processing / "evaluation" / "evaluation.json",
            WORKSHOP / "expected" / "evaluation.json",
        )
    )
    for metric in ("auc", "accuracy"):
        assert ours[metric]["value"] == theirs[metric]["value"]
    assert ours["auc"]["value"] == 0.7971524931693988
    assert ours["accuracy"]["value"] == 0.976
