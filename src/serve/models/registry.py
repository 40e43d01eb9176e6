"""The list of loaded models that all workers share: a file for each, in one folder.

A worker that is replaced finds the list as it was, and each worker takes up a
model when it is first asked for it. Who holds a model holds its file locked
(shared), so that who unloads it can wait until nobody does; the kernel drops
the locks of a worker that dies.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from sagetree.errors import RequestError

# A request under way keeps its model; this is longer than SageMaker lets one take.
UNLOAD_SECONDS = 60.0

# How often to look whether the others have let go.
POLL_SECONDS = 0.01

_ENTRY, _RETIRED = ".json", ".retired"


# The messages below are those of AWS's multi-model-server, which clients compare.


class ModelExistsError(RequestError):
    """A model of that name is loaded already."""

    status = 409


class ModelNotFoundError(RequestError):
    """No model of that name is loaded, or none is where it should be loaded from."""

    status = 404


class InsufficientMemoryError(RequestError):
    """There is no room for another model; SageMaker then unloads some."""

    status = 507


@dataclass(frozen=True)
class Entry:
    """A loaded model: its name, where its files are, the bytes one worker needs for it."""

    name: str
    url: str
    bytes: int


@dataclass(frozen=True)
class Hold:
    """A loaded model's file, held locked; no other file has its numbers as long as it is open."""

    path: str
    descriptor: int
    device: int
    inode: int

    def is_current(self) -> bool:
        """Say whether the model is loaded still, and from the file that is held."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - for each request: a third of Path's time
        except FileNotFoundError:
            return False
        return found.st_ino == self.inode and found.st_dev == self.device

    def release(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)


class Registry:
    """The folder; `budget` is the bytes all models may take in all workers together."""

    def __init__(self, folder: Path, budget: int, workers: int) -> None:
        self.folder = folder
        self._budget = budget
        self._workers = workers

    def path(self, name: str) -> Path:
        """Return the model's file, which is there while the model is loaded."""
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()}{_ENTRY}"

    def room(self) -> int:
        """Return the bytes that are left for one more model in each worker."""
        taken = sum(entry.bytes for entry in self.entries())
        return max(0, self._budget // self._workers - taken)

    def check_new(self, name: str) -> None:
        """Raise ModelExistsError if the model is loaded already."""
        if self.path(name).exists():
            raise ModelExistsError(
                f"Model {name} is already registered.", where="model_name", hint="Unload it first"
            )

    def add(self, entry: Entry) -> None:
        """Note a model as loaded.

        Raises ModelExistsError, and InsufficientMemoryError if it does not fit.
        """
        with self._alone():
            self.check_new(entry.name)
            room = self.room()
            if entry.bytes > room:
                raise InsufficientMemoryError(
                    f"the model needs {entry.bytes} bytes in each of {self._workers} workers and "
                    f"{room} are free",
                    where="model_name",
                    hint="Unload a model, or raise SAGETREE_MODEL_MEMORY_MB",
                )
            path = self.path(entry.name)
            draft = path.with_suffix(".draft")
            draft.write_bytes(orjson.dumps(entry))
            draft.replace(path)

    def get(self, name: str) -> Entry:
        """Return the entry of a loaded model. Raises ModelNotFoundError."""
        try:
            return _read(self.path(name))
        except FileNotFoundError:
            raise _not_loaded(name) from None

    def entries(self) -> list[Entry]:
        """Return all loaded models, by name."""
        return sorted(self._found(), key=lambda entry: entry.name)

    def remove(self, name: str) -> Path:
        """Take a model off the list; return the file to give to `wait_until_free`.

        Raises ModelNotFoundError.
        """
        path = self.path(name)
        retired = path.with_suffix(f".{time.monotonic_ns()}{_RETIRED}")
        try:
            path.rename(retired)
        except FileNotFoundError:
            raise _not_loaded(name) from None
        return retired

    def wait_until_free(self, retired: Path, seconds: float = UNLOAD_SECONDS) -> bool:
        """Wait until no worker holds the model any more; say whether that came to be."""
        end = time.monotonic() + seconds
        descriptor = os.open(retired, os.O_RDONLY)
        try:
            while not _lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > end:
                    return False
                time.sleep(POLL_SECONDS)
            return True
        finally:
            os.close(descriptor)
            retired.unlink()

    def hold(self, name: str) -> tuple["Hold", Entry]:
        """Return the model's file, held locked, and the entry. Raises ModelNotFoundError."""
        path = str(self.path(name))
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise _not_loaded(name) from None
        _lock(descriptor, fcntl.LOCK_SH)
        status = os.fstat(descriptor)
        hold = Hold(path, descriptor, status.st_dev, status.st_ino)
        if not hold.is_current():  # unloaded in between
            hold.release()
            raise _not_loaded(name)
        return hold, Entry(**orjson.loads(os.pread(descriptor, status.st_size, 0)))

    def _found(self) -> Iterator[Entry]:
        for path in self.folder.glob(f"*{_ENTRY}"):
            try:
                yield _read(path)
            except FileNotFoundError:  # unloaded in between
                continue

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of all changes."""
        descriptor = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _read(path: Path) -> Entry:
    return Entry(**orjson.loads(path.read_bytes()))


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _not_loaded(name: str) -> ModelNotFoundError:
    hint = "Load it by POST /models, or list the loaded ones by GET /models"
    return ModelNotFoundError(f"Model not found: {name}", where="model_name", hint=hint)
