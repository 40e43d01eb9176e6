"""A search that is stopped: how the next job goes on, and what SIGTERM leaves."""

import json
from pathlib import Path

import orjson
import pytest
from _pytest.mark import ParameterSet

from sagetree.bundle.bundle import ModelBundle, read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.machine.paths import OptMl
from tests.train.conftest import Job, lines
from tests.train.test_stops import at, bundle, kill, terminate

SETTINGS = {"tune": 4, "num_round": 8, "nfold": 2, "checkpoint_interval": 2, "subsample": 0.7}
CHANNELS = {
    "a validation channel": {"train": lines(), "validation": lines(90, seed=1)},
    "nested cross-validation": {"train": lines()},
}
ALL = list(CHANNELS.values())


@pytest.fixture
def checkpoints(opt_ml: OptMl) -> Path:
    """The folder of checkpoints, of a job that is to make some."""
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "checkpointconfig.json").write_text(json.dumps({}))
    return opt_ml.checkpoints


@pytest.mark.parametrize(
    "files",
    [pytest.param(files, marks=pytest.mark.long if len(files) == 1 else ()) for files in ALL],
    ids=CHANNELS,
)
def test_a_search_that_goes_on_ends_with_the_same_bundle(
    job: Job, opt_ml: OptMl, checkpoints: Path, files: dict[str, str]
) -> None:
    assert job(files, SETTINGS).code == 0
    expected = bundle(opt_ml)
    for path in checkpoints.iterdir():
        path.unlink()
    nested = ("Fold 2 of 2, trial 3", "Fold 1 of 2, trial 2", "Model, trial 4", "Best round")
    for line in nested if len(files) == 1 else ("Search, trial 2", "Search, trial 4", "[5]\t"):
        with at(line, kill):
            assert job({}, SETTINGS).code == 1
    again = job({}, SETTINGS)
    assert again.code == 0
    assert bundle(opt_ml) == expected
    assert "Going on after 4 trials" in again.log
    assert "trial 1:" not in again.log  # nothing is tried twice


@pytest.mark.long
def test_trials_are_stored_as_plain_data(job: Job, checkpoints: Path) -> None:
    assert job(CHANNELS["nested cross-validation"], SETTINGS).code == 0
    stored = sorted(path.name for path in checkpoints.glob("sagetree-trials-*"))
    assert stored == [f"sagetree-trials-{name}.json" for name in ("fold-1", "fold-2", "model")]
    content = orjson.loads((checkpoints / stored[-1]).read_bytes())
    assert len(content["trials"]) == 4
    assert content["is_over"]


def test_changed_settings_and_damaged_files_are_refused(job: Job, checkpoints: Path) -> None:
    remedy = (
        "Restore the earlier values, or empty the folder of checkpoints to train from the start\n"
    )
    with at("Fold 2 of 2, trial 2", kill):
        assert job(CHANNELS["nested cross-validation"], SETTINGS).code == 1
    path = checkpoints / "sagetree-trials-fold-2.json"
    assert job({}, {**SETTINGS, "alpha": 0.5}).failure == (
        f"{path}: it is of a training with other hyperparameters: alpha was not set and is '0.5'. "
        f"{remedy}"
    )
    assert job({"train": lines(seed=9)}, SETTINGS).failure == (
        f"{path}: it is of a training on other data: channel train has changed. {remedy}"
    )
    path.write_text("{")
    assert job(CHANNELS["nested cross-validation"], SETTINGS).failure == (
        f"{path}: the file of trials is not as sagetree writes it. Empty the folder of "
        "checkpoints to train from the start\n"
    )


def late(line: str, rows: str, folds: int) -> ParameterSet:
    """Return a case that takes longer."""
    return pytest.param(line, rows, folds, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("line", "rows", "folds"),
    [
        # the first search: its best trial's booster of one fold of its own is all there is
        ("Fold 2 of 2, trial 3", "1 of 2 folds of nested cross-validation", 1),
        late("Fold 1 of 2, trial 3", "1 of 2 folds of nested cross-validation", 1),
        late("Model, trial 2", "2-fold nested cross-validation", 2),
        late("Search, trial 2", "the validation channel", 0),
    ],
)
def test_sigterm_leaves_the_best_model_so_far_and_what_judges_it(
    job: Job, opt_ml: OptMl, line: str, rows: str, folds: int
) -> None:
    nested = "nested cross-validation" if folds else "a validation channel"
    with at(line, terminate):
        ran = job(CHANNELS[nested], {**SETTINGS, "tune": 6})
    assert ran.code == 0, ran.log
    assert "Stopped by SIGTERM: the model is the best one searched so far" in ran.log
    assert f"{rows}: AUC 0." in ran.log
    made = ModelBundle.load(opt_ml.model)
    assert len(made.models) == 1
    assert ran.model.self_check(made.selfcheck) == 0
    manifest = read_manifest(opt_ml.model / MANIFEST_FILE)
    assert manifest.origin is not None
    assert manifest.origin.is_stopped
    assert manifest.tuning is not None
    assert len(manifest.tuning.folds) == folds


def test_sigterm_before_the_first_trial_leaves_no_model(job: Job, opt_ml: OptMl) -> None:
    with at("Searching ", terminate):
        ran = job({"train": lines()}, SETTINGS)
    assert (ran.code, ran.failure) == (
        1, "The job was stopped by SIGTERM before its first round: no model is left\n",
    )  # fmt: skip
    with at("Fold 2 of 2, trial 2", terminate):
        ran = job({}, {**SETTINGS, "save_model_on_termination": "false"})
    assert ran.code == 1
    assert "no model is left, because save_model_on_termination=false" in ran.failure
    assert not list(opt_ml.model.rglob("*"))


@pytest.mark.long
def test_what_was_stopped_goes_on_to_the_model_of_a_job_that_was_not(
    job: Job, opt_ml: OptMl, checkpoints: Path
) -> None:
    files = CHANNELS["nested cross-validation"]
    assert job(files, SETTINGS).code == 0
    expected = bundle(opt_ml)["xgboost-model"]
    for path in checkpoints.iterdir():
        path.unlink()
    for line in ("Fold 2 of 2, trial 2", "Model, trial 2"):
        with at(line, terminate):
            assert job({}, SETTINGS).code == 0
    assert job({}, SETTINGS).code == 0
    assert bundle(opt_ml)["xgboost-model"] == expected
