"""What a training job says: lines for machines, a bar for a person."""

import io
import logging
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.machine.program import LOG, start_logging
from sagetree.train.boosting.progress import Bar, Lines, metric_line
from sagetree.train.boosting.rounds import BoosterData, Training, boost
from tests.programs import SAGETREE, environment
from tests.train.conftest import lines

HISTORY = {"train": {"auc": [[0.5]]}}


def test_a_metric_line_has_tabs_and_five_digits() -> None:
    values = {"train-auc": 0.812345678, "validation-auc": 0.5}
    assert metric_line(12, values) == "[12]\ttrain-auc:0.81235\tvalidation-auc:0.50000"


def test_the_time_left_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    for first in (0, 40):  # from the start, and from a checkpoint of 40 rounds
        progress = Lines(first + 100)
        with caplog.at_level("INFO", "sagetree"):
            progress.after_round(first, HISTORY, None)
            progress.started = progress.told = progress.started - 30  # as if 30 s had gone by
            progress.after_round(first + 9, HISTORY, None)
            progress.after_round(first + 10, HISTORY, None)
    told = "\n".join(message for message in caplog.messages if "left" in message)
    found = re.fullmatch(
        r"round 10 of at most 100, at most (\d+) s left\n"
        r"round 50 of at most 140, at most (\d+) s left",
        told,
    )
    assert found, told
    # the machine may have let some of a second go by
    assert [int(seconds) for seconds in found.groups()] == [pytest.approx(270, rel=0.02)] * 2


def ran_on_a_terminal(tmp_path: Path, *settings: str, **variables: str) -> tuple[int, str]:
    """Train on a terminal of 100 columns; return the exit code and what it was sent."""
    data = tmp_path / "input" / "data" / "train"
    data.mkdir(parents=True)
    (data / "t.csv").write_text(lines())
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (24, 100))
    given = [word for setting in settings for word in ("--set", setting)]
    process = subprocess.Popen(
        [SAGETREE, "train", *given], env={**environment(tmp_path), "TERM": "xterm", **variables},
        stdin=there, stdout=there, stderr=there,
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
        code = process.wait(60)
    return code, output.decode()


@pytest.mark.long  # a job in a process of its own, at a terminal
def test_on_a_terminal_there_is_a_bar_with_the_time_left_and_the_metric_that_decides(
    tmp_path: Path,
) -> None:
    settings = ("num_round=20", "eval_metric=auc,logloss", "sketch_eps=0.1")
    code, text = ran_on_a_terminal(tmp_path, *settings)
    assert code == 0, text
    bar = r"20/20 \|█{8}\| <00:00 left, validation-logloss (\S+), best (\S+) \[(\d+)\]\s"
    newest, best, number = re.findall(bar, text)[-1]
    assert f"Best round [{number}]" in text
    assert f"validation-logloss:{best}" in text
    assert float(best) <= float(newest)
    assert not re.search(r"^\W*\[\d+\]\t", text, re.MULTILINE)  # a line for each round is a job's
    rounds = int(number) + 1
    assert f"{rounds}/{rounds} |" in text  # all rows are fitted with a bar, too
    assert "\x1b[33msketch_eps has no effect: take max_bin\x1b[0m" in text
    assert all(len(part) <= 80 for part in re.split(r"[\r\n]", text) if " left, " in part)
    assert not re.search(r"\d\.\d{9}", text)


def test_what_ends_the_rounds_is_told_in_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(LOG, "handlers", [logging.StreamHandler(screen)])
    data = xgboost.DMatrix(np.arange(8.0)[:, None], [0, 1] * 4)
    seen: list[None] = []

    def stop() -> bool:
        seen.append(None)
        LOG.warning("above %d", len(seen))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return False

    rows = [BoosterData(data, data)]
    with pytest.raises(KeyboardInterrupt):
        boost(Training({"nthread": 1}, rows, 9, progress=Bar(9, "rmse"), is_stopped=stop))
    LOG.warning("beneath")
    told = screen.getvalue().replace("\r", "\n").split("\n")
    assert [line.strip() for line in told if "e" in line and "left" not in line] == [
        "above 1", "above 2", "above 3", "beneath",
    ]  # fmt: skip
    assert told[-3].startswith("2/9 |")


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_warnings_are_coloured_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_coloured: bool
) -> None:
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    for attribute in ("handlers", "level", "propagate"):
        monkeypatch.setattr(LOG, attribute, getattr(LOG, attribute))
    here, there = pty.openpty()
    with os.fdopen(there, "w") as terminal, os.fdopen(here, "rb", buffering=0) as reader:
        monkeypatch.setattr(sys, "stdout", terminal)
        start_logging()
        LOG.info("plain")
        LOG.warning("careful")
        LOG.error("wrong")
        found = b""
        while not found.endswith(b"wrong\r\n") and not found.endswith(b"wrong\x1b[0m\r\n"):
            found += reader.read(1000)
    warning, error = ("\x1b[33mcareful\x1b[0m", "\x1b[31mwrong\x1b[0m")
    expected = ["plain", *([warning, error] if is_coloured else ["careful", "wrong"])]
    assert found.decode().splitlines() == expected


def test_a_bar_that_goes_on_from_a_checkpoint_knows_its_best_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()  # without an encoding, so that the bar is of plain signs
    monkeypatch.setattr(sys, "stdout", screen)
    bar = Bar(50, "auc")
    history = {"validation": {"auc": [[0.7, 0.9], *([[0.5, 0.6]] * 40)]}}
    bar.after_round(40, history, 0)
    bar.after_training()
    assert "41/50 |######5 |" in screen.getvalue()
    assert "left, validation-auc 0.55000, best 0.80000 [0]" in screen.getvalue()
