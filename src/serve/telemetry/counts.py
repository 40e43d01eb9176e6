"""Where the workers' counts come together: a folder with a small file for each.

Each worker counts in its own memory and writes what it has, mostly every second;
whichever worker is asked for /metrics adds the files up. prometheus-client's
own multiprocess mode writes to a mapped file for each counter and request,
which costs a request ten times as much.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from sagetree.errors import PlatformError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only the folder; mkdtemp makes the names

# The file of the workers that are gone; those of the others are named by their pid.
GONE = "gone"


@dataclass(frozen=True)
class MonitorCounts:
    """What a model was asked: counts by column, and by feature and bin."""

    missing: list[int]
    unseen: list[int]
    bins: list[list[int]]

    def __add__(self, other: "MonitorCounts") -> "MonitorCounts":
        return MonitorCounts(
            _sums(self.missing, other.missing),
            _sums(self.unseen, other.unseen),
            [_sums(a, b) for a, b in zip(self.bins, other.bins, strict=True)],
        )

    def without_bins(self) -> "MonitorCounts":
        """Return the counts that only ever grow; bins are those of the last hours."""
        return MonitorCounts(self.missing, self.unseen, [[0] * len(bins) for bins in self.bins])


@dataclass(frozen=True)
class Counts:
    """Counters by their name and labels (tabs between), and by a model's key what it was asked."""

    values: Mapping[str, float]
    monitors: Mapping[str, MonitorCounts]

    @classmethod
    def total(cls, folder: Path) -> "Counts":
        """Return the sums of all files in `folder`."""
        return _total(
            cls.read(path) for path in folder.iterdir() if path.name == GONE or path.name.isdigit()
        )

    def write(self, folder: Path, name: int | str) -> None:
        """Write the file `name`; who reads it meets the old one or the new one, whole."""
        draft = folder / f"{name}.draft"
        draft.write_bytes(orjson.dumps(self))
        draft.replace(folder / str(name))

    @classmethod
    def read(cls, path: Path) -> "Counts":
        """Return the counts in a file; none where it is not there."""
        try:
            found = orjson.loads(path.read_bytes())
        except FileNotFoundError:  # its worker has ended, and the master has taken it
            return cls({}, {})
        monitors = {key: MonitorCounts(**counts) for key, counts in found["monitors"].items()}
        return cls(found["values"], monitors)


def make_folder() -> Path:
    """Return a new folder for the workers' files: in memory, else where temporary files go.

    Raises PlatformError if neither can be written.
    """
    memory = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    try:
        return Path(tempfile.mkdtemp(prefix="sagetree-", dir=memory))
    except OSError as error:
        raise PlatformError(
            "no folder can be written to",
            where=f"{SHARED_MEMORY}, {tempfile.gettempdir()}",
            hint="Give the container a writable /tmp",
        ) from error


def remove_folder(folder: Path) -> None:
    """Remove the folder and what it holds."""
    shutil.rmtree(folder, ignore_errors=True)


def keep_gone(folder: Path, pid: int) -> None:
    """Add what an ended worker has counted to the file of those that are gone; in the master."""
    path = folder / str(pid)
    counts = _total([Counts.read(folder / GONE), Counts.read(path)])
    monitors = {key: monitor.without_bins() for key, monitor in counts.monitors.items()}
    Counts(counts.values, monitors).write(folder, GONE)
    path.unlink(missing_ok=True)


def _total(parts: Iterable[Counts]) -> Counts:
    values: dict[str, float] = {}
    monitors: dict[str, MonitorCounts] = {}
    for part in parts:
        for name, value in part.values.items():
            values[name] = values.get(name, 0) + value
        for key, monitor in part.monitors.items():
            monitors[key] = monitors[key] + monitor if key in monitors else monitor
    return Counts(values, monitors)


def _sums(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]
