"""What a training job says: lines for machines, a bar for a person."""

import os
import pty
import subprocess
import termios
from pathlib import Path

import pytest

from sagetree.train.boosting.progress import Progress, metric_line
from tests.programs import SAGETREE, environment
from tests.train.conftest import lines


def test_a_metric_line_has_tabs_and_five_digits() -> None:
    values = {"train-auc": 0.812345678, "validation-auc": 0.5}
    assert metric_line(12, values) == "[12]\ttrain-auc:0.81235\tvalidation-auc:0.50000"


def test_the_time_left_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    for first in (0, 40):  # from the start, and from a checkpoint of 40 rounds
        progress = Progress(first + 100)
        with caplog.at_level("INFO", "sagetree"):
            progress.after_iteration(None, first, {"train": {"auc": [0.5]}})
            progress.started = progress.told = progress.started - 30  # as if 30 s had gone by
            progress.after_iteration(None, first + 9, {"train": {"auc": [0.5]}})
            progress.after_iteration(None, first + 10, {"train": {"auc": [0.5]}})
    told = [message for message in caplog.messages if "left" in message]
    assert told == [
        "round 10 of at most 100, at most 270 s left",
        "round 50 of at most 140, at most 270 s left",
    ]


def test_on_a_terminal_there_is_a_bar(tmp_path: Path) -> None:
    data = tmp_path / "input" / "data" / "train"
    data.mkdir(parents=True)
    (data / "t.csv").write_text(lines())
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (24, 120))
    process = subprocess.Popen(
        [SAGETREE, "train", "--set", "num_round=20"],
        env=environment(tmp_path), stdin=there, stdout=there, stderr=there,
    )  # fmt: skip
    os.close(there)
    output = b""
    try:
        while chunk := os.read(here, 4096):
            output += chunk
    except OSError:  # how a terminal ends whose program has ended
        pass
    finally:
        os.close(here)
        assert process.wait(60) == 0
    text = output.decode()
    assert "round/s" in text
    assert "validation-auc=" in text
    assert text.count("[19]\t") <= 1  # the best round's line, but not every round's
