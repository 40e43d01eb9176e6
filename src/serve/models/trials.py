"""Who asks for trials of models, and the processes that run them.

The model of a server is tried once, for all of its workers; at the start by a
child of the master, which has imported everything. The models that come and go,
and a model that has changed, are tried by a small process of its own, since no
worker may fork: `python -m sagetree.serve.models.trials SOCKET`.
"""

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socketserver import ForkingMixIn, StreamRequestHandler, UnixStreamServer

from sagetree.boosters.library import library_version
from sagetree.errors import ArtifactError, PlatformError
from sagetree.machine.memory import free_memory
from sagetree.machine.unused import leave_out_unused
from sagetree.serve.models.loading import ServedModel, snapshot
from sagetree.serve.models.trial import Answer, Candidate, Question, outcome, run_trial
from sagetree.serve.settings import ServeSettings

# What loading takes beside the model itself: its file, and what it is built from.
OVERHEAD_BYTES = 64 * 2**20
OVERHEAD_FACTOR = 3

LISTENING = b"listening\n"


class Trials:
    """The way to the process that tries models; whoever finds none starts it.

    The process is that of `module`; `options` go with each question to it.
    """

    def __init__(self, folder: Path, options: Mapping[str, object], module: str = __name__) -> None:
        self._options = options
        self._module = module
        self._path = folder / "trials"
        self._lock = folder / "trials.lock"
        self._process: subprocess.Popen[bytes] | None = None

    def weigh(self, folder: Path, room: int) -> int:
        """Try the model in `folder` and return the bytes it takes; `room` is what it may take.

        Raises as `outcome`.
        """
        most = OVERHEAD_BYTES + OVERHEAD_FACTOR * room
        return outcome(self.ask(folder, most, weigh=True))

    def ask(self, folder: Path, most: int, *, weigh: bool = False) -> Answer:
        """Return what a trial says about the model in `folder`; see `Question`."""
        question = Question(str(folder), self._options, most, weigh)
        with self._connection() as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        if not line:
            raise ArtifactError(
                "the process that tries models has ended before its answer",
                where=question.folder,
                hint="Try again; if it ends again, the machine needs more memory",
            )
        answer: Answer = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process, if it was started here."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _connection(self) -> socket.socket:
        with _alone(self._lock):
            try:
                return _connect(self._path)
            except OSError:  # it is not there yet, or it ended with the worker that started it
                self._path.unlink(missing_ok=True)
                self.stop()
                self._process = _start(self._module, self._path)
                return _connect(self._path)


class TrialVerdict:
    """What a trial has said about the model of a server: a file that all of its processes share."""

    def __init__(self, shared: Path, settings: ServeSettings) -> None:
        self._options = options_of(settings)
        self._trials = Trials(shared, self._options)
        self._path = shared / "verdict"
        self._lock = shared / "verdict.lock"
        self._folder = settings.model_dir

    def check(self) -> None:
        """Wait for the verdict of the model as it is now, and raise as `outcome` does.

        Without one the model is tried.
        """
        with _alone(self._lock):
            state = self._state()
            answer = self._read(state)
            if answer is None:
                try:
                    answer = self._trials.ask(self._folder, _most())
                finally:
                    self._trials.stop()
                self._write(state, answer)
        outcome(answer)

    def begin(self, leave: Callable[[], None]) -> None:
        """Have the model tried while the server starts; in the master, which holds no booster.

        The process calls `leave` to let go of what is the master's. It is nobody's
        child, for the master's children are its workers.
        """
        master = os.getpid()
        with _alone(self._lock):  # the lock is the child's too, and lasts until both have let go
            child = os.fork()
            if child == 0:
                try:
                    if os.fork() == 0:
                        leave()
                        state = self._state()
                        question = Question(str(self._folder), self._options, _most(), weigh=False)
                        answer = run_trial(MODELS, question, partial(_is_alive, master))
                        self._write(state, answer)
                finally:
                    os._exit(0)  # nothing of the master's is to be cleaned up here
            os.waitpid(child, 0)

    def _state(self) -> str:
        return hashlib.sha256(repr(snapshot(self._folder)).encode()).hexdigest()

    def _read(self, state: str) -> Answer | None:
        try:
            kept = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        return kept["answer"] if kept["state"] == state else None

    def _write(self, state: str, answer: Answer) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({"state": state, "answer": answer}))
        draft.replace(self._path)


def options_of(settings: ServeSettings) -> Mapping[str, object]:
    """Return what loading a model needs, for questions about it."""
    return {
        "output": settings.output,
        "decision": settings.decision,
        "shap": settings.shap,
        "rounds": settings.rounds,
    }


def _load(question: Question, distrust: bool) -> ServedModel:
    options = {**question.options, "output": tuple(question.options["output"])}
    return ServedModel.load(Path(question.folder), threads=1, distrust=distrust, **options)


MODELS = Candidate(_load, "XGBoost's library")


def _most() -> int:
    return OVERHEAD_BYTES + free_memory()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file; a process that dies lets go of it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _start(module: str, path: Path) -> "subprocess.Popen[bytes]":
    """Start the process; it listens at `path` when this returns."""
    command = [sys.executable, "-P", "-m", module, str(path)]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout as output:
        told = output.readline()
    if told != LISTENING:
        raise PlatformError("the process that tries models cannot be started", where=str(path))
    return process


class _Handler(StreamRequestHandler):
    """One question, answered by a child process of the server's."""

    server: "_Server"

    def handle(self) -> None:
        # Else who connects after the server was killed would wait for this child's end.
        self.server.socket.close()
        question = Question(*json.loads(self.rfile.readline()))
        server = os.getppid()
        answer = run_trial(self.server.candidate, question, lambda: os.getppid() == server)
        self.wfile.write(json.dumps(answer).encode() + b"\n")


class _Server(ForkingMixIn, UnixStreamServer):
    """Ends when its parent does."""

    def __init__(self, path: str, candidate: Candidate) -> None:
        super().__init__(path, _Handler)
        self.candidate = candidate
        self._parent = os.getppid()

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != self._parent:
            raise SystemExit(0)


def answer_questions(path: str, candidate: Candidate) -> None:
    """Try models for whoever asks at the socket `path`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's
    library_version()  # the library is there for all children; only a booster forbids to fork
    with _Server(path, candidate) as server:
        os.write(1, LISTENING)
        server.serve_forever()


if __name__ == "__main__":
    leave_out_unused()
    answer_questions(sys.argv[1], MODELS)
