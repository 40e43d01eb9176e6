"""How a job ends: exit code 0 only for success, and the message first in the report."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.errors import DataError, PlatformError, UserError
from sagetree.machine.program import FAILED, Terminated, describe, run_job


def raising(error: BaseException) -> Callable[[], int]:
    """Work that ends with `error`."""

    def work() -> int:
        raise error

    return work


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


OUT_OF_MEMORY = "The machine ran out of memory. Use a larger instance or fewer rows\n"

# Errors and the whole report.
REPORTS = [
    (
        DataError("it is empty", where="a.csv line 1", hint="Fill it"),
        "a.csv line 1: it is empty. Fill it\n",
    ),
    (UserError("it is wrong"), "it is wrong\n"),
    # A cause adds nothing that a user could put right.
    (caused(UserError("it is wrong"), ValueError("deep inside")), "it is wrong\n"),
    (
        caused(
            PlatformError("the folder cannot be written", where="/opt/ml/model", hint="Mount it"),
            OSError(30, "Read-only file system", "/opt/ml/model/x"),
        ),
        "/opt/ml/model: the folder cannot be written. Mount it\n\n"
        "Cause: [Errno 30] Read-only file system: '/opt/ml/model/x'\n",
    ),
    (PlatformError("no memory", where="the machine"), "the machine: no memory\n"),
    (SystemExit(0), "The program was ended by exit(0) before it had finished\n"),
    (SystemExit(3), "The program was ended by exit(3) before it had finished\n"),
    (SystemExit(), "The program was ended by exit(None) before it had finished\n"),
    (KeyboardInterrupt(), "The job was interrupted before it had finished\n"),
    (Terminated(), "The job was stopped by SIGTERM before it had finished\n"),
    (MemoryError(), OUT_OF_MEMORY),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), OUT_OF_MEMORY),
    (ImportError("libarrow.so: failed to map segment from shared object"), OUT_OF_MEMORY),
]


@pytest.mark.parametrize(("error", "text"), REPORTS, ids=lambda value: type(value).__name__)
def test_the_report_of_an_error(error: BaseException, text: str, tmp_path: Path) -> None:
    report = tmp_path / "output" / "failure"
    assert run_job(raising(error), report) == FAILED == 1
    assert report.read_text() == text


# Errors nobody foresaw: the first line, and where it happened.
SURPRISES = [
    (
        OSError("without a number"),
        "The machine failed: OSError: without a number. Try again, on another machine",
    ),
    (
        OSError(28, "No space left on device", "/opt/ml/model/x"),
        "The machine failed: OSError: [Errno 28] No space left on device: '/opt/ml/model/x'. "
        "Free some space, or give the job a larger volume",
    ),
    (
        PermissionError(13, "Permission denied", "/x"),
        "The machine failed: PermissionError: [Errno 13] Permission denied: '/x'. "
        "Check the mount, and the permissions of the user that the container runs as",
    ),
    *(
        (
            RuntimeError(words),
            "The machine failed: no thread can be started. Raise the limit of processes "
            "(docker run --pids-limit, ulimit -u), or give the job more memory",
        )
        for words in ("can't start new thread", "Unknown error: Failed to launch worker thread: x")
    ),
    (ZeroDivisionError("x / 0"), "Unexpected error (a bug): ZeroDivisionError: x / 0"),
    (GeneratorExit("odd"), "Unexpected error (a bug): GeneratorExit: odd"),
]


@pytest.mark.parametrize(("error", "first"), SURPRISES, ids=lambda value: repr(value)[:40])
def test_the_report_of_a_surprise(error: BaseException, first: str, tmp_path: Path) -> None:
    report = tmp_path / "failure"
    assert run_job(raising(error), report) == 1
    lines = report.read_text().splitlines()
    assert lines[:3] == [first, "", "Traceback (most recent call last):"]
    assert any(f'File "{__file__}"' in line for line in lines)


def test_a_success_leaves_no_report(tmp_path: Path) -> None:
    (tmp_path / "failure").write_text("of an earlier run")
    assert run_job(lambda: 0, tmp_path / "failure") == 0
    assert not (tmp_path / "failure").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_code_of_the_work_is_passed_on(tmp_path: Path) -> None:
    assert run_job(lambda: 4, tmp_path / "failure") == 4


@pytest.mark.parametrize("place", ["blocked/failure", "blocked"])
def test_a_report_that_cannot_be_written_changes_nothing(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if place == "blocked":
        (tmp_path / "blocked").mkdir()  # a folder where the file should be
    else:
        (tmp_path / "blocked").write_text("")  # a file where the folder should be
    assert run_job(raising(UserError("it is wrong")), tmp_path / place) == 1
    failed, unwritten = capsys.readouterr().out.splitlines()
    assert failed == "FAILED: it is wrong"
    assert unwritten.startswith(f"{tmp_path / place} could not be written: ")


def test_the_message_is_logged_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_job(raising(UserError("it is wrong", hint="Correct it")), tmp_path / "failure")
    assert capsys.readouterr().out == "FAILED: it is wrong. Correct it\n"


def test_a_file_name_that_is_not_utf8_can_be_reported(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    run_job(raising(DataError("it is empty", where=name)), tmp_path / "failure")
    assert (tmp_path / "failure").read_text() == "caf\\udce9.csv: it is empty\n"


def test_the_message_has_no_cause_without_one() -> None:
    assert describe(PlatformError("it is full")) == "it is full"


JOB = """
import sys, time
from pathlib import Path
from sagetree.machine.program import run_job

def work():
    print("working", flush=True)
    for _ in range(600):  # a signal just before a sleep would not end that
        time.sleep(0.1)
    return 0

sys.exit(run_job(work, Path(sys.argv[1])))
"""


@pytest.mark.parametrize(
    ("signals", "first"),
    [
        ([signal.SIGTERM], "The job was stopped by SIGTERM before it had finished"),
        ([signal.SIGTERM] * 9, "The job was stopped by SIGTERM before it had finished"),
        ([signal.SIGINT], "The job was interrupted before it had finished"),
        ([signal.SIGINT] * 9, "The job was interrupted before it had finished"),
    ],
)
def test_a_stopped_job_fails_with_a_report(
    signals: list[signal.Signals], first: str, tmp_path: Path
) -> None:
    report = tmp_path / "failure"
    with subprocess.Popen(
        [sys.executable, "-c", JOB, str(report)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        for number in signals:
            process.send_signal(number)
        assert process.wait(20) == 1
        assert process.stdout.read() == f"FAILED: {first}\n"
    assert report.read_text() == f"{first}\n"


WARNING_JOB = """
import sys
import warnings
from pathlib import Path
import numpy as np
from sagetree.machine.program import run_job
from sagetree.machine.unused import leave_out_unused

leave_out_unused()
import xgboost

def work():
    data = xgboost.DMatrix(np.eye(4), np.arange(4) % 2)
    xgboost.train({"booster": "gblinear", "max_depth": 3}, data, 1)
    warnings.warn("it will\\nbe gone", FutureWarning)
    return 0

sys.exit(run_job(work, Path(sys.argv[1])))
"""


def test_warnings_of_libraries_are_lines_of_the_log(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WARNING_JOB, str(tmp_path / "failure")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    assert 'Warning: XGBoost: Parameters: { "max_depth" } are not used.' in lines
    assert lines[-1] == "Warning: FutureWarning: it will be gone"
    assert ended.stderr == ""


LOADED_JOB = """
import sys
from pathlib import Path
from sagetree.boosters.library import VALUE, NativeBooster, check, library
from sagetree.machine.program import run_job
import numpy as np

def work():
    booster = NativeBooster(Path(sys.argv[2]).read_bytes())
    for name in (b"validate_parameters", b"who_knows"):
        check(library().XGBoosterSetParam(booster._handle, name, b"1"))
    booster.predict(np.zeros((1, 4), np.float32), VALUE)
    return 0

sys.exit(run_job(work, Path(sys.argv[1])))
"""


def test_a_warning_of_the_library_alone_is_a_line_too(tmp_path: Path) -> None:
    """Serving loads models, such as XGBoost 3.4's deprecated linear ones, without its package."""
    data = xgboost.DMatrix(np.eye(4), np.arange(4) % 2)
    booster = xgboost.train({"booster": "gblinear"}, data, 1)
    (tmp_path / "model.ubj").write_bytes(booster.save_raw("ubj"))
    ended = subprocess.run(
        [sys.executable, "-c", LOADED_JOB, str(tmp_path / "failure"), str(tmp_path / "model.ubj")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert 'Warning: XGBoost: Parameters: { "who_knows" } are not used.' in lines
    assert all(line.startswith("Warning: XGBoost: ") for line in lines)
