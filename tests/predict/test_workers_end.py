"""How several workers end, when somebody ends one of them, or the program."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from sagetree.errors import PlatformError
from sagetree.predict.workers.messages import Order, Setup, line_of
from sagetree.predict.workers.pool import WorkerPool
from tests.predict.models import make_model, matrix
from tests.programs import SAGETREE, TIMEOUT
from tests.serve import encoded

COMMAND = "predict --model model 1.csv 2.csv --workers 2 --output scores.csv"

pytestmark = pytest.mark.long


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A model, and two files that take seconds each."""
    make_model(tmp_path / "model", "reg:squarederror", named=False)
    lines = encoded.csv(matrix(100_000)) + b"\n"
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_bytes(lines * 10)
    return tmp_path


@contextmanager
def begun(root: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """The program, with both workers in the midst of a file."""
    program = subprocess.Popen(
        [SAGETREE, *COMMAND.split()],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        try:
            until(lambda: len([p for p in root.glob(".*.csv.*/*") if p.stat().st_size]) == 2)
            children = Path(f"/proc/{program.pid}/task").glob("*/children")
            yield program, [int(pid) for path in children for pid in path.read_text().split()]
        finally:
            program.kill()


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(pid: int) -> bool:
    """Whether a process is no more, or waits for nobody to ask for its code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_killed_worker_is_an_error(root: Path) -> None:
    with begun(root) as (program, workers):
        subprocess.run(["kill", "-KILL", str(workers[0])], check=True)
        out, err = program.communicate(timeout=TIMEOUT)
    assert (program.returncode, out) == (1, "")
    assert err in [
        f"FAILED: {name}: the worker that scored it was killed by SIGKILL. If memory ran out, set "
        "fewer --workers, or use a larger machine\n"
        for name in ("1.csv", "2.csv")
    ]
    assert sorted(path.name for path in root.iterdir()) == ["1.csv", "2.csv", "model"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGTERM, "The job was stopped by SIGTERM before it had finished"),
        (signal.SIGINT, "The job was interrupted before it had finished"),
    ],
)
def test_who_ends_the_program_ends_all_and_no_file_is_left(
    number: signal.Signals, said: str, root: Path
) -> None:
    (root / "scores.csv").write_text("older")
    with begun(root) as (program, workers):
        program.send_signal(number)
        out, err = program.communicate(timeout=TIMEOUT)
        assert len(workers) == 2
        assert all(map(ended, workers))
    assert (program.returncode, out, err) == (1, "", f"FAILED: {said}\n")
    assert sorted(p.name for p in root.iterdir()) == ["1.csv", "2.csv", "model", "scores.csv"]
    assert (root / "scores.csv").read_text() == "older"


def test_workers_end_with_a_program_that_was_killed(root: Path) -> None:
    with begun(root) as (program, workers):
        program.kill()
        until(lambda: all(map(ended, workers)))
        assert program.communicate(timeout=TIMEOUT) == ("", "")


def test_a_worker_that_nobody_reads_ends_without_a_word(root: Path) -> None:
    setup = Setup("model", 1, "best", contributions=False, reasons=0, format="csv", output="out")
    worker = subprocess.Popen(
        [sys.executable, "-m", "sagetree.predict.workers.worker"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdout.close()
        worker.stdin.write(line_of(setup) + line_of(Order("1.csv", "part.csv")))
        worker.stdin.flush()
        assert worker.stderr.read() == b""
        assert worker.wait(timeout=TIMEOUT) == 0


class Unreadable(NamedTuple):
    """A setup that no worker knows."""

    threads: int = 1
    unknown: str = ""


def test_a_worker_that_fails_by_itself_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    setup = Unreadable()
    with (
        WorkerPool(2, setup, lambda _: None) as pool,  # type: ignore[arg-type]
        pytest.raises(PlatformError) as caught,
    ):
        list(pool.scored([Path("1.csv"), Path("2.csv"), Path("3.csv")], Path()))
    assert str(caught.value) == (
        "1.csv: the worker that scored it ended with exit code 1. If memory ran out, set fewer "
        "--workers, or use a larger machine"
    )
    assert "TypeError" in capfd.readouterr().err
