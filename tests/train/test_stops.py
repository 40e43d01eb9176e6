"""A job that is stopped: what it leaves on SIGTERM, and how the next one goes on."""

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from tests.train.conftest import Job, lines

TRAIN, VALIDATION = lines(), lines(90, seed=1)
SETTINGS = {"num_round": 8, "early_stopping_rounds": 6, "checkpoint_interval": 2, "nfold": 2}
WATCHED = {"train": TRAIN, "validation": VALIDATION}
channels = pytest.mark.parametrize(
    "files",
    [
        pytest.param(WATCHED, marks=pytest.mark.long, id="a validation channel"),
        pytest.param({"train": TRAIN}, id="cross-validation"),
    ],
)


@contextmanager
def at(start: str, do: Callable[[], object]) -> Iterator[None]:
    """Do something once a line of the log begins with `start`."""

    def watch(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(start):
            do()
        return True

    LOG.addFilter(watch)
    try:
        yield
    finally:
        LOG.removeFilter(watch)


def kill() -> None:
    """What SIGKILL does, as far as a process can do it to itself and live: nothing is tidied up."""
    raise KeyboardInterrupt


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def bundle(opt_ml: OptMl) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in opt_ml.model.rglob("*") if path.is_file()}


@pytest.fixture
def checkpoints(opt_ml: OptMl) -> Path:
    """The folder of checkpoints, of a job that is to make some."""
    opt_ml.config.mkdir(parents=True)
    config = {"LocalPath": "/opt/ml/checkpoints/", "S3Uri": "s3://bucket/prefix"}
    (opt_ml.config / "checkpointconfig.json").write_text(json.dumps(config))
    return opt_ml.checkpoints


@channels
def test_a_job_that_goes_on_ends_with_the_same_bundle(
    job: Job, opt_ml: OptMl, checkpoints: Path, files: dict[str, str]
) -> None:
    assert job(files, SETTINGS).code == 0
    expected = bundle(opt_ml)
    for path in checkpoints.iterdir():
        path.unlink()
    for line in ("[3]\t", "[6]\t", "Best round"):
        with at(line, kill):
            assert job({}, SETTINGS).code == 1
    again = job({}, SETTINGS)
    assert again.code == 0
    assert bundle(opt_ml) == expected
    assert "[1]\t" not in again.log
    assert "Going on after round" in again.log


def test_a_job_without_a_configuration_makes_no_checkpoints(job: Job, opt_ml: OptMl) -> None:
    assert job({"train": TRAIN}, SETTINGS).code == 0
    assert not opt_ml.checkpoints.exists()


def test_more_rounds_are_put_behind_those_of_an_earlier_job(
    job: Job, opt_ml: OptMl, checkpoints: Path
) -> None:
    files = WATCHED
    more = {**SETTINGS, "num_round": 12, "early_stopping_rounds": 50}
    assert job(files, more).code == 0
    expected = bundle(opt_ml)["xgboost-model"]
    for path in checkpoints.iterdir():
        path.unlink()
    assert job({}, {**more, "num_round": 5}).code == 0
    ran = job({}, more)
    assert "Going on after round 4" in ran.log
    assert bundle(opt_ml)["xgboost-model"] == expected


def test_changed_hyperparameters_and_data_are_refused(job: Job, checkpoints: Path) -> None:
    def reason(files: dict[str, str], **settings: object) -> str:
        path, text = job(files, {**SETTINGS, **settings}).failure.split(": ", 1)
        assert Path(path).parent == checkpoints
        return text

    assert job({"train": TRAIN}, SETTINGS).code == 0
    remedy = (
        "Restore the earlier values, or empty the folder of checkpoints to train from the start\n"
    )
    harmless = {"checkpoint_interval": 3, "verbosity": 1, "save_model_on_termination": "false"}
    as_in_the_preset = {"learning_rate": "0.050"}
    assert job({}, {**SETTINGS, **harmless, **as_in_the_preset}).code == 0
    assert reason({}, eta=0.3, max_bin=16) == (
        "it is of a training with other hyperparameters: eta was '0.05' and is '0.3', "
        f"max_bin was not set and is '16'. {remedy}"
    )
    assert reason({}, num_round=7) == (
        f"num_round was 8 for this checkpoint and is 7 now; it may only grow. {remedy}"
    )
    assert reason({"train": lines(seed=7)}) == (
        f"it is of a training on other data: channel train has changed. {remedy}"
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"objective": "rank:ndcg", "lambdarank_unbiased": "true", "group_column": "g"},
            "XGBoost does not store what lambdarank_unbiased=true learns about positions",
        )
    ],
)
def test_what_cannot_go_on_makes_no_checkpoints_and_says_so(
    job: Job, checkpoints: Path, settings: dict[str, str], reason: str
) -> None:
    rows = [f"{i % 3},{i // 10},{i * 7 % 11}" for i in range(100)]
    text = "\n".join(["y,g,x", *rows])
    ran = job({"train": text, "validation": text}, settings)
    assert f"No checkpoints are made: {reason}" in ran.log
    assert not checkpoints.exists()


@channels
def test_sigterm_leaves_the_best_model_so_far(
    job: Job, opt_ml: OptMl, files: dict[str, str]
) -> None:
    with at("[7]\t", terminate):
        ran = job(files, {"num_round": 5000, "early_stopping_rounds": 5000})
    assert ran.code == 0
    assert not opt_ml.failure.exists()
    assert "[8]\t" not in ran.log
    assert "SIGTERM after" in ran.log
    made = ModelBundle.load(opt_ml.model)
    assert len(made.models) == (1 if "validation" in files else 5)
    assert ran.model.self_check(made.selfcheck) == 0
    if "validation" not in files:
        assert "the model is the one that chose the rounds, fitted on fewer rows" in ran.log


@pytest.mark.parametrize(
    ("line", "settings", "reason"),
    [
        (
            "120 rows; ",  # the table of columns
            {},
            "The job was stopped by SIGTERM while it read its data, before the first round: "
            "no model is left\n",
        ),
        (
            "[7]\t",
            {"save_model_on_termination": "false"},
            "The job was stopped by SIGTERM after 8 rounds; no model is left, because "
            "save_model_on_termination=false\n",
        ),
    ],
)
def test_sigterm_where_no_model_is_to_be_left(
    job: Job, opt_ml: OptMl, line: str, settings: dict[str, str], reason: str
) -> None:
    with at(line, terminate):
        ran = job({"train": TRAIN, "validation": VALIDATION}, {"num_round": 50, **settings})
    assert (ran.code, ran.failure) == (1, reason)
    assert not list(opt_ml.model.rglob("*"))


def test_sigterm_keeps_a_checkpoint_of_its_very_round(job: Job, checkpoints: Path) -> None:
    settings = {**SETTINGS, "checkpoint_interval": 100, "save_model_on_termination": "false"}
    with at("[4]\t", terminate):
        assert job(WATCHED, settings).code == 1
    names = sorted(path.name.removeprefix("sagetree-checkpoint-") for path in checkpoints.iterdir())
    # which depth is chosen depends on XGBoost's version
    assert names in [["trial-depth-2.2", "trial-depth-4.2", f"watched-depth-{n}.5"] for n in (2, 4)]
    assert "Going on after round 4" in job({}, settings).log
