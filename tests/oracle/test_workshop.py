"""Against what SageMaker itself answered: the workshop's finished run (README.md)."""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout

import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.needs import WORKSHOP, needs_workshop
from tests.serve.artifacts import client_for
from tests.serve.asking import post

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
    return opt_ml, ran(opt_ml, train)


def ran(opt_ml: OptMl, program: Callable[[list[str]], int], *arguments: str) -> str:
    """Run a program on the folder, and return its log."""
    log = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(log):
        patch.setenv("SAGEMAKER_BASE_DIR", str(opt_ml.root))
        code = program([*arguments])
    assert code == 0, log.getvalue()
    return log.getvalue()


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


@pytest.mark.parametrize("chunk", [5000, 99, pytest.param(7, marks=pytest.mark.long)])
def test_answers_equal_the_batch_transform_line_for_line(
    trained: tuple[OptMl, str], chunk: int
) -> None:
    client = client_for(trained[0].model)
    lines = (WORKSHOP / "batchinput.csv").read_bytes().splitlines(keepends=True)
    answers = b""
    for start in range(0, len(lines), chunk):
        answer = post(client, b"".join(lines[start : start + chunk]))
        assert answer.status_code == 200
        answers += answer.data
    assert answers == (WORKSHOP / "batchinput.csv.out").read_bytes()


def test_evaluation_equals_the_published_one(trained: tuple[OptMl, str]) -> None:
    opt_ml, _ = trained
    for folder in ("model", "test"):
        (opt_ml.processing / folder).mkdir(parents=True)
    shutil.copytree(opt_ml.model, opt_ml.processing / "model", dirs_exist_ok=True)
    shutil.copy(WORKSHOP / "test.csv", opt_ml.processing / "test")
    ran(opt_ml, evaluate, "--threshold", "0.5")
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
