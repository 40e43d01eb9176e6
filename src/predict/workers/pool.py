"""The processes that score files: started, given orders, ended."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Self

from sagetree.errors import PlatformError
from sagetree.predict.workers.messages import Order, ScoredFile, Setup, content_of, line_of

_COMMAND = (sys.executable, "-P", "-m", "sagetree.predict.workers.worker")


class WorkerPool:
    """Workers, each a process with a thread here that waits for it."""

    def __init__(self, count: int, setup: Setup, tell: Callable[[int], None]) -> None:
        """`tell` gets the bytes that the workers read, each time."""
        self._count = count
        self._setup = setup
        self._tell = tell
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._first_failed = sys.maxsize

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def scored(self, files: Sequence[Path], folder: Path) -> Iterator[tuple[ScoredFile, Path]]:
        """Yield what became of each file, in their order, and the file of its part in `folder`.

        Raises PlatformError where a worker was killed.
        """
        numbers = range(len(files))
        paths = [folder / str(number) for number in numbers]
        return zip(self._threads.map(self._score, numbers, files, paths), paths, strict=True)

    def _start(self) -> None:
        # Ctrl-C on a terminal reaches this process alone, which ends the others
        process = subprocess.Popen(  # noqa: S603 - our own module
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            env={**os.environ, "OMP_NUM_THREADS": str(self._setup.threads)},  # Arrow's as well
        )
        self._processes.append(process)
        _send(process, self._setup)
        self._idle.put(process)

    def _score(self, number: int, file: Path, path: Path) -> ScoredFile:
        if number > self._first_failed:  # nobody will ask for it
            raise CancelledError
        process = self._idle.get()
        _send(process, Order(str(file), str(path)))
        part = self._answer(process)
        if part is None or part.failed:
            with self._lock:
                self._first_failed = min(number, self._first_failed)
        if part is None:
            raise _ended(process, file)
        self._idle.put(process)
        return part

    def _answer(self, process: "subprocess.Popen[bytes]") -> ScoredFile | None:
        """Return what became of an order, None where the worker ends before it."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break
            content = content_of(line)
            if not isinstance(content, int):
                return ScoredFile(**content)
            with self._lock:
                self._tell(content)
        return None

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.communicate()


def _send(process: "subprocess.Popen[bytes]", message: Setup | Order) -> None:
    """Send a line, which a pipe that was read so far has room for."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        os.write(process.stdin.fileno(), line_of(message))
    except BrokenPipeError:  # it was killed: so says the end of its answers
        return


def _ended(process: "subprocess.Popen[bytes]", file: Path) -> PlatformError:
    code = process.wait()
    how = f"was killed by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return PlatformError(
        f"the worker that scored it {how}",
        where=str(file),
        hint="If memory ran out, set fewer --workers, or use a larger machine",
    )
