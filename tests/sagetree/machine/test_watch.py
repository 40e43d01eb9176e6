"""A job that is killed leaves the reason, and its two processes end together."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import SAGETREE, environment, run_sagetree
from tests.train.conftest import lines

REMEDY = (
    "If memory ran out, use a larger instance or fewer rows; training also has external_memory=true"
)

AFTER_A_CRASH = (
    "If it reads a model or a checkpoint that is damaged, copy that again, or train again. "
    f"{REMEDY}"
)

JOB = """
import sys, time
from pathlib import Path
from sagetree.machine.program import run_job
from sagetree.machine.watch import watched

report = Path(sys.argv[1])

def work():
    print("working", flush=True)
    for _ in range(600):  # a signal just before a sleep would not end that
        time.sleep(0.1)
    return 0

sys.exit(watched(lambda: run_job(work, report), lambda: report))
"""


@contextmanager
def running(
    root: Path, command: Sequence[str], begun: str
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a job; yield its process, and the number of its other one once it wrote `begun`."""
    process = subprocess.Popen(
        command, env=environment(root),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any(line.startswith(begun) for line in process.stdout)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        yield process, int(children[0])
    finally:
        process.kill()
        process.communicate()


def sleeping(report: Path) -> Sequence[str]:
    return [sys.executable, "-c", JOB, str(report)]


def memory_in(failure: str, killed: str, remedy: str = REMEDY) -> int:
    """Check the reason of a job that was killed; return the MB of memory that it says."""
    found = re.fullmatch(r"The job (.*); it had taken up to (\d+) MB of memory\. (.*)\n", failure)
    assert found, failure
    assert (found[1], found[3]) == (killed, remedy)
    return int(found[2])


@pytest.mark.long
def test_a_model_that_crashes_the_library_is_the_reason_of_evaluate(tmp_path: Path) -> None:
    for name in ("model", "test"):
        (tmp_path / "processing" / name).mkdir(parents=True)
    (tmp_path / "processing" / "test" / "rows.csv").write_text("1,2\n")
    deep = '{"learner":' + "[" * 200_000 + "]" * 200_000 + "}"
    (tmp_path / "processing" / "model" / "xgboost-model").write_text(deep)
    assert run_sagetree(tmp_path, "evaluate").code == 1
    told = (tmp_path / "output" / "message").read_text()
    assert re.sub(r"up to \d+ MB", "up to 1 MB", told) == (
        f"The job was killed by SIGSEGV; it had taken up to 1 MB of memory. {AFTER_A_CRASH}\n"
    )


@pytest.mark.long
def test_a_killed_training_leaves_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text(lines(400))
    endless = ["num_round=100000", "nfold=2", "early_stopping_rounds=100000"]
    command = [SAGETREE, "train", *(word for setting in endless for word in ("--set", setting))]
    with running(tmp_path, command, "[3]") as (process, child):
        os.kill(child, signal.SIGKILL)
        log, _ = process.communicate(timeout=60)
        assert process.returncode == 1
    failure = (tmp_path / "output" / "failure").read_text()
    killed = "was killed by SIGKILL, as the system does when memory runs out"
    assert 50 < memory_in(failure, killed) < 2000
    assert log.endswith(f"FAILED: {failure}")


@pytest.mark.long
def test_a_killed_job_on_files_of_one_s_own_leaves_it_below_out(tmp_path: Path) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out"
    data.write_text(lines(400))
    command = [SAGETREE, "train", str(data), "--out", str(out)]
    for setting in ("num_round=100000", "nfold=2", "early_stopping_rounds=100000"):
        command += ["--set", setting]
    with running(Path("/opt/ml"), command, "[3]") as (process, child):
        os.kill(child, signal.SIGKILL)
        log, _ = process.communicate(timeout=60)
        assert process.returncode == 1
    failure = (out / "output" / "failure").read_text()
    assert failure.startswith("The job was killed by SIGKILL")
    assert log.endswith(f"FAILED: {failure}")


@pytest.mark.parametrize(
    ("number", "killed", "remedy"),
    [
        (signal.SIGABRT, "was killed by SIGABRT, as a library does when it cannot go on", REMEDY),
        (signal.SIGKILL, "was killed by SIGKILL, as the system does when memory runs out", REMEDY),
        (signal.SIGSEGV, "was killed by SIGSEGV", AFTER_A_CRASH),
        (signal.SIGBUS, "was killed by SIGBUS", AFTER_A_CRASH),
    ],
)
def test_a_killed_job_leaves_the_reason(
    tmp_path: Path, number: signal.Signals, killed: str, remedy: str
) -> None:
    report = tmp_path / "failure"
    with running(tmp_path, sleeping(report), "working") as (process, child):
        os.kill(child, number)
        log, _ = process.communicate(timeout=60)
        assert process.returncode == 1
    assert memory_in(report.read_text(), killed, remedy)
    assert log.endswith(f"FAILED: {report.read_text()}")


def is_alive(process: int) -> bool:
    """Say whether it runs: the process 1 of a container may leave one that has ended unreaped."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_killed_watcher_takes_its_job_along(tmp_path: Path) -> None:
    with running(tmp_path, sleeping(tmp_path / "failure"), "working") as (process, child):
        process.kill()
        process.wait(20)
        deadline = time.monotonic() + 20
        while is_alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(child)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGTERM, "The job was stopped by SIGTERM before it had finished"),
        (signal.SIGINT, "The job was interrupted before it had finished"),
    ],
)
def test_a_signal_reaches_the_job(tmp_path: Path, number: signal.Signals, reason: str) -> None:
    report = tmp_path / "failure"
    with running(tmp_path, sleeping(report), "working") as (process, _):
        for _ in range(3):
            process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == 1
    assert report.read_text() == f"{reason}\n"


def test_a_caller_that_ignores_its_children_changes_nothing(tmp_path: Path) -> None:
    command = ["env", "--ignore-signal=CHLD", *sleeping(tmp_path / "failure")]
    with running(tmp_path, command, "working") as (process, child):
        os.kill(child, signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 1


TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


def test_a_terminal_interrupts_the_job_once(tmp_path: Path) -> None:
    """Ctrl-C goes to both processes by itself: handed on, it would cut off the job's report."""
    report = tmp_path / "failure"
    command = ["env", "NO_COLOR=1", sys.executable, "-c", TERMINAL, *sleeping(report)]
    with running(tmp_path, command, "working") as (process, _):
        log, _ = process.communicate("\x03", timeout=20)
        assert process.returncode == 1
    reason = "The job was interrupted before it had finished"
    assert re.sub(r"\r|\^C", "", log) == f"FAILED: {reason}\n"
    assert report.read_text() == f"{reason}\n"
