"""Loading a model once in a process that may die of it.

XGBoost's library can end its process on a damaged model, and with it every
other model the process serves. So each model is first loaded, and replays its
self-check, in a child of a small process of its own, which never holds a model
itself: `python -m sagetree.serve.models.trial SOCKET`.
"""

import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socketserver import ForkingMixIn, StreamRequestHandler, UnixStreamServer

import numpy as np

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.library import library_version
from sagetree.boosters.scoring import Scorer
from sagetree.errors import ArtifactError, PlatformError, SagetreeError, SettingsError
from sagetree.machine.memory import address_space, resident_memory
from sagetree.machine.unused import leave_out_unused
from sagetree.serve.models.loading import ServedModel

# A damaged model can also keep its process busy for ever. SageMaker's client
# waits 60 s for a model, and lets a load go on for up to 360 s.
TRIAL_SECONDS = 120

# Rows that every model must be able to score; damage often shows only then.
TRIAL_ROWS = 256

# What loading takes beside the model itself: its file, and what it is built from.
OVERHEAD_BYTES = 64 * 2**20
OVERHEAD_FACTOR = 3

# Errors that are told as what they are; ArtifactError is all others.
_KINDS = {kind.__name__: kind for kind in (ArtifactError, SettingsError)}

# Of a larger model the shared part does not matter.
WEIGHED_TWICE_BYTES = 64 * 2**20

# The smallest model's objects in Python, where pages that are free hide them.
LEAST_BYTES = 128 * 1024

LISTENING = b"listening\n"

_AGAIN = "Copy the artifact again, or train again"


def _outcome(told: dict[str, object]) -> int:
    if "bytes" in told:
        return int(str(told["bytes"]))
    kind = _KINDS.get(str(told["kind"]), ArtifactError)
    raise kind(str(told["message"]), where=str(told["where"]), hint=str(told["hint"]))


class _Trial(StreamRequestHandler):
    """One question, answered in a child process."""

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        answer = _try(Path(asked["folder"]), tuple(asked["output"]), asked["most"], asked["rounds"])
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _try(folder: Path, output: tuple[str, ...], most: int, rounds: Rounds) -> dict[str, object]:
    signal.alarm(TRIAL_SECONDS)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = address_space() + OVERHEAD_BYTES + OVERHEAD_FACTOR * most
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        load = partial(ServedModel.load, folder, threads=1, output=output, rounds=rounds)
        return {"bytes": _weigh(load)}
    except SagetreeError as error:
        kind = type(error).__name__
        return {"kind": kind, "message": error.message, "where": error.where, "hint": error.hint}
    except OSError as error:
        message = f"the model cannot be read: {error.strerror or error}"
        return {"kind": "", "message": message, "where": str(folder), "hint": "Make it readable"}
    except MemoryError:
        message = "the model needs more memory than there is for models"
        return {"kind": "", "message": message, "where": str(folder), "hint": _AGAIN}


def _weigh(load: Callable[[], ServedModel]) -> int:
    """Return the bytes a model takes.

    The first load of a process takes up what all others share; so a small model
    is loaded again, beside itself, and the second one is weighed.
    """
    before = resident_memory()
    first = load()
    taken = resident_memory() - before
    _exercise(first.model.scorer)
    if taken < WEIGHED_TWICE_BYTES:
        before = resident_memory()
        second = load()
        taken = resident_memory() - before
        del second
    del first
    return max(taken, LEAST_BYTES)


def _exercise(scorer: Scorer) -> None:
    """Score rows of small, large and missing values, and explain some."""
    source = np.random.default_rng(0)
    shape = (TRIAL_ROWS, scorer.feature_count)
    rows = (source.standard_normal(shape) * 10 ** source.uniform(-2, 6, shape)).astype(np.float32)
    rows[source.random(shape) < 0.1] = np.nan
    scorer.score(np.zeros(shape, np.float32))
    scorer.score(rows)
    scorer.contributions(rows[:4])


class _Server(ForkingMixIn, UnixStreamServer):
    """Ends when its parent does."""

    def __init__(self, path: str) -> None:
        super().__init__(path, _Trial)
        self._parent = os.getppid()

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != self._parent:
            raise SystemExit(0)


class Trials:
    """The way to the process that tries models; whichever worker finds none starts it."""

    def __init__(self, folder: Path, rounds: Rounds = "best") -> None:
        self._rounds = rounds
        self._path = folder / "trials"
        self._lock = folder / "trials.lock"
        self._process: subprocess.Popen[bytes] | None = None

    def load(self, folder: Path, output: tuple[str, ...], most: int) -> int:
        """Load the model in `folder` in a process of its own and return the bytes it takes.

        `most` is the bytes it may take. Raises ArtifactError and SettingsError as
        `ServedModel.load`, also for a model that ends the process.
        """
        question = {"folder": str(folder), "output": output, "most": most, "rounds": self._rounds}
        with self._connection() as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as answer:
                line = answer.readline()
        if not line:
            raise ArtifactError(
                "XGBoost's library ends its process on this model, or hangs",
                where=str(folder),
                hint=_AGAIN,
            )
        return _outcome(json.loads(line))

    def stop(self) -> None:
        """End the process, if this worker has started it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _connection(self) -> socket.socket:
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return _connect(self._path)
            except OSError:  # it is not there yet, or it ended with the worker that started it
                self._path.unlink(missing_ok=True)
                self.stop()
                self._process = _start(self._path)
                return _connect(self._path)


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _start(path: Path) -> "subprocess.Popen[bytes]":
    """Start the process; it listens at `path` when this returns."""
    command = [sys.executable, "-P", "-m", "sagetree.serve.models.trial", str(path)]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout as output:
        told = output.readline()
    if told != LISTENING:
        raise PlatformError("the process that tries models does not start", where=str(path))
    return process


def main(path: str) -> None:
    """Try models for whoever asks at the socket `path`."""
    leave_out_unused()
    library_version()  # the library is there for all children; only a booster forbids to fork
    with _Server(path) as server:
        os.write(1, LISTENING)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
