"""Checkpoints on disk: whole or absent, only of this very training, and only the newest few."""

import logging
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagetree.errors import DataError, PlatformError, SettingsError
from sagetree.train.boosting.checkpoints import (
    IGNORED,
    UPLOADING,
    Checkpoints,
    Fingerprint,
    PhaseCheckpoints,
)
from sagetree.train.boosting.rounds import Checkpoint, Training, boost
from sagetree.train.settings.settings import Checkpointing
from tests.train.boosting.test_rounds import AUC, PARAMS, data, raw

EVERY_ROUND = Checkpointing(rounds=1, seconds=60, kept=3, save_on_termination=True)
MARK = Fingerprint(num_round=20, hyperparameters={"eta": "0.1"}, data={"train": "abc"})


def checkpoint(rounds: int, boosters: int = 1) -> Checkpoint:
    history: Any = {"train": {"auc": [[float("nan"), 0.1], [float("inf"), 1.0]]}}
    return Checkpoint(rounds, tuple(b"model %d\n" % n for n in range(boosters)), history)


def phase(
    folder: Path, mark: Fingerprint = MARK, name: str = "folds", boosters: int = 1
) -> PhaseCheckpoints:
    return Checkpoints.open(folder, mark, EVERY_ROUND).phase(name, boosters)


def names(folder: Path) -> list[str]:
    return sorted(path.name.removeprefix("sagetree-checkpoint-") for path in folder.iterdir())


def newest(folder: Path, limit: int = 99) -> int | None:
    found = phase(folder).newest(limit)
    return found.rounds if found else None


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    phase(tmp_path, boosters=3).save(checkpoint(7, boosters=3))
    again = phase(tmp_path, boosters=3).newest(20)
    assert repr(again) == repr(checkpoint(7, boosters=3))
    assert names(tmp_path) == ["folds.7"]


def test_a_phase_finds_its_own_files_and_none_beyond_its_limit(tmp_path: Path) -> None:
    for rounds in (2, 9, 10):
        phase(tmp_path).save(checkpoint(rounds))
    phase(tmp_path, name="all-rows").save(checkpoint(3))
    assert [newest(tmp_path, limit) for limit in (1, 9, 99)] == [None, 9, 10]
    assert phase(tmp_path, name="all-rows").newest(99).rounds == 3
    assert phase(tmp_path, name="hold-out").newest(99) is None
    assert phase(tmp_path, boosters=5).newest(99) is None


def test_the_newest_three_stay_and_what_sagemaker_is_copying(tmp_path: Path) -> None:
    files = phase(tmp_path)
    marker = tmp_path / f"sagetree-checkpoint-folds.2{UPLOADING}"
    for rounds in range(1, 13):
        files.save(checkpoint(rounds))
        if rounds == 2:
            marker.touch()
    assert names(tmp_path) == ["folds.10", "folds.11", "folds.12", "folds.2", f"folds.2{UPLOADING}"]
    marker.unlink()
    files.save(checkpoint(13))
    assert names(tmp_path) == ["folds.11", "folds.12", "folds.13"]


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    phase(tmp_path).save(checkpoint(4))
    for name in (
        f"sagetree-checkpoint-folds.5{UPLOADING}",
        "sagetree-checkpoint-folds.5.sagemaker-uploaded",
        "sagetree-checkpoint-folds.x",
        "xgboost-checkpoint.9",
        f"another{IGNORED}",
    ):
        (tmp_path / name).write_text("")
    (tmp_path / f"sagetree-checkpoint-folds.5{IGNORED}").write_text("half of one")
    assert newest(tmp_path) == 4
    assert f"folds.5{IGNORED}" not in names(tmp_path)
    assert f"another{IGNORED}" in names(tmp_path)


DAMAGES = {
    "its sha256 is not the stored one": lambda content: content[:-1],
    "its sha256 is not the stored one ": lambda content: content.replace(b"model", b"Model"),
    "it does not begin as a checkpoint does": lambda content: b"",
    "it does not begin as a checkpoint does ": lambda content: content[5:],
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_a_damaged_file_gives_way_to_the_one_before(
    reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for rounds in (3, 4):
        phase(tmp_path).save(checkpoint(rounds))
    path = tmp_path / "sagetree-checkpoint-folds.4"
    path.write_bytes(DAMAGES[reason](path.read_bytes()))
    with caplog.at_level(logging.INFO, "sagetree"):
        assert newest(tmp_path) == 3
    assert caplog.messages == [
        f"The checkpoint {path} is damaged ({reason.strip()}): trying the one before",
        f"Going on after round 2, from {tmp_path}/sagetree-checkpoint-folds.3",
    ]


def test_a_renamed_file_gives_way_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    phase(tmp_path).save(checkpoint(3))
    (tmp_path / "sagetree-checkpoint-folds.3").rename(tmp_path / "sagetree-checkpoint-folds.8")
    assert newest(tmp_path) is None
    assert "(it was renamed)" in caplog.text


def test_a_checkpoint_is_no_pickle_and_no_code(tmp_path: Path) -> None:
    phase(tmp_path).save(checkpoint(3))
    first, second, *rest = (tmp_path / "sagetree-checkpoint-folds.3").read_bytes().split(b"\n")
    assert first.startswith(b"sagetree-checkpoint 1 ")
    assert second.startswith(b'{"phase": "folds", "rounds": 3, ')
    assert rest == [b"model 0", b""]


def change(**changes: Any) -> Fingerprint:
    return MARK.model_copy(update=changes)


REMEDY = "Restore the earlier values, or empty the folder of checkpoints to train from the start"
REFUSED = [
    (
        change(hyperparameters={"eta": "0.2", "lambda": "1"}),
        "it is of a training with other hyperparameters: eta was '0.1' and is '0.2', "
        f"lambda was not set and is '1'. {REMEDY}",
    ),
    (
        change(num_round=19),
        f"num_round was 20 for this checkpoint and is 19 now; it may only grow. {REMEDY}",
    ),
    (
        change(data={"train": "abd", "validation": "x"}),
        f"it is of a training on other data: channel train, validation has changed. {REMEDY}",
    ),
]


@pytest.mark.parametrize(("mark", "text"), REFUSED)
def test_a_checkpoint_of_another_training_is_refused(
    mark: Fingerprint, text: str, tmp_path: Path
) -> None:
    phase(tmp_path).save(checkpoint(3))
    with pytest.raises((SettingsError, DataError)) as caught:
        phase(tmp_path, mark)
    assert str(caught.value) == f"{tmp_path}/sagetree-checkpoint-folds.3: {text}"


def test_more_rounds_may_be_asked_for(tmp_path: Path) -> None:
    phase(tmp_path).save(checkpoint(3))
    assert phase(tmp_path, change(num_round=21)).newest(21).rounds == 3


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file")
    with pytest.raises(PlatformError) as caught:
        phase(tmp_path / "checkpoints")
    assert str(caught.value) == (
        f"{tmp_path}/checkpoints: the folder of checkpoints cannot be written. "
        "Mount it writable for the user that the container runs as"
    )


def test_a_checkpoint_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = phase(tmp_path)
    path = tmp_path / f"sagetree-checkpoint-folds.3{IGNORED}"
    path.mkdir()  # in the way
    files.save(checkpoint(3))
    assert caplog.messages == [
        f"The checkpoint {tmp_path}/sagetree-checkpoint-folds.3 could not be written: "
        f"[Errno 21] Is a directory: '{path}'"
    ]


def test_when_a_checkpoint_is_due(tmp_path: Path) -> None:
    def due(**settings: Any) -> list[int]:
        files = Checkpoints.open(tmp_path, MARK, replace(EVERY_ROUND, **settings)).phase("folds")
        return [rounds for rounds in range(1, 8) if files.is_due(rounds)]

    assert due(rounds=3) == [3, 6]
    assert due(rounds=None, seconds=0) == [1, 2, 3, 4, 5, 6, 7]
    assert due(rounds=None, seconds=60) == []


class _StoppedError(Exception):
    """Ends a training as a signal would."""


class _StopAfter:
    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def __call__(self) -> bool:
        self.rounds -= 1
        if self.rounds < 0:
            raise _StoppedError
        return False


def test_a_training_stopped_again_and_again_ends_with_the_same_model(tmp_path: Path) -> None:
    params = {**PARAMS, "subsample": 0.6, "colsample_bytree": 0.5}
    patient = replace(AUC, patience=9)  # it cannot stop before the three stops, whatever is found

    def training(folder: Path, stop_after: int) -> Any:
        settings = replace(EVERY_ROUND, rounds=2)
        store = Checkpoints.open(folder, MARK, settings).phase("validation", 2)
        stop = _StopAfter(stop_after)
        return boost(
            Training(
                params,
                [data(1), data(2)],
                15,
                early_stopping=patient,
                checkpoints=store,
                is_stopped=stop,
            )
        )

    expected = training(tmp_path / "one", 99)
    for stop_after in (3, 2, 3):
        with pytest.raises(_StoppedError):
            training(tmp_path / "two", stop_after)
    again = training(tmp_path / "two", 99)
    assert raw(again) == raw(expected)
    assert (again.history, again.best) == (expected.history, expected.best)
    finished = training(tmp_path / "two", 1)  # one look at the end, and no round more
    assert raw(finished) == raw(expected)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to fill a file system of its own")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        files = phase(tmp_path)
        files.save(Checkpoint(1, (b"x" * 10_000,), {}))
        files.save(Checkpoint(2, (b"x" * 1_000_000,), {}))
        assert names(tmp_path) == ["folds.1"]
        assert "[Errno 28] No space left on device" in caplog.text
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
