"""How a job ends: one exit policy for train, prepare and evaluate.

SageMaker decides by the exit code alone, and shows the first 1024 characters
of one file as the reason. So: 0 only for success, 1 for everything else, and
the message first in that file, whatever was raised.
"""

import errno
import logging
import os
import re
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from sagetree.errors import PlatformError, SagetreeError

LOG = logging.getLogger("sagetree")

FAILED = 1

# Of a line on a terminal, from the most serious on: red and yellow.
_COLOURS = ((logging.ERROR, 31), (logging.WARNING, 33))

# What to do where the machine fails in a way nobody foresaw.
_UNWRITABLE = "Check the mount, and the permissions of the user that the container runs as"
_REMEDIES = {
    errno.ENOSPC: "Free some space, or give the job a larger volume",
    errno.EDQUOT: "Free some space, or give the job a larger volume",
    errno.EACCES: _UNWRITABLE,
    errno.EPERM: _UNWRITABLE,
    errno.EROFS: _UNWRITABLE,
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
}

# What Python and Arrow say where the system refuses them a thread.
_NO_THREADS = ("can't start new thread", "Failed to launch worker thread")
_THREADS_REMEDY = (
    "Raise the limit of processes (docker run --pids-limit, ulimit -u), or give the job more memory"
)

# XGBoost's warnings begin with the time and a place in its source.
_XGBOOST_PLACE = re.compile(r"^\[[\d:]+\] WARNING: \S+:\d+:")


class Terminated(BaseException):
    """SIGTERM arrived: SageMaker is stopping the job."""


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # another one would cut off the report of this one
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def is_watched(stream: TextIO) -> bool:
    """Say whether a person reads what is written to a stream.

    SageMaker's local mode gives containers a terminal nobody sees: there the
    program is process 1, and its lines are read by machines.
    """
    return stream.isatty() and os.getpid() != 1


class _Coloured(logging.Formatter):
    """Plain lines, but warnings in yellow and errors in red."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        colour = next((c for level, c in _COLOURS if record.levelno >= level), None)
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def start_logging(stream: TextIO | None = None) -> None:
    """Send one plain line per event to `stream`, else to standard output.

    A person who reads it gets colours, unless NO_COLOR or TERM=dumb keeps them off.
    """
    stream = stream or sys.stdout
    handler = logging.StreamHandler(stream)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    formatter = logging.Formatter if plain or not is_watched(stream) else _Coloured
    handler.setFormatter(formatter("%(message)s"))
    LOG.handlers = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    warnings.showwarning = _log_warning


def _log_warning(
    message: Warning | str, category: type[Warning], *_place: object, **_more: object
) -> None:
    """Log a library's warning as one line, without the places in its own source."""
    text = " ".join(_XGBOOST_PLACE.sub("XGBoost: ", str(message)).split())
    name = "" if category is UserWarning else f"{category.__name__}: "
    LOG.warning("Warning: %s%s", name, text)


def check_writable(folder: Path, name: str = "the folder", *, make: bool = True) -> None:
    """Make a folder if need be, and raise PlatformError if nothing can be written there.

    Without `make` nothing is left behind: where it is absent, it could be made.
    """
    try:
        if make or folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise PlatformError(
            f"{name} cannot be written",
            where=str(folder),
            hint="Mount it writable for the user that the container runs as",
        ) from error


def run_job(work: Callable[[], int], report: Path) -> int:
    """Run `work` and return the process's exit code.

    Whatever `work` raises is written to the file `report` (SageMaker's failure
    or message file), the message first, and to standard output; the code is
    then 1. A code that `work` returns is passed on. A report of an earlier run goes.
    """
    start_logging()
    with suppress(OSError):  # whoever writes to a folder that cannot be written reports it
        report.unlink(missing_ok=True)
    return ended(work, lambda error: fail(describe(error), report))


def ended(work: Callable[[], int], failed: Callable[[BaseException], int]) -> int:
    """Run `work` and return its code, or what `failed` makes of whatever it raises.

    SIGTERM raises Terminated in it, so that it can take away what it had begun.
    """
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
        signal.signal(signal.SIGINT, _stop)
    try:
        return work()
    except BaseException as error:
        for number in (signal.SIGTERM, signal.SIGINT):  # until the process has ended
            signal.signal(number, signal.SIG_IGN)
        return failed(error)


def describe(error: BaseException) -> str:
    """Return the text of the failure file for `error`: the message, then the detail."""
    match error:
        case PlatformError() if error.__cause__:
            return f"{error}\n\nCause: {error.__cause__}"
        case SagetreeError():
            return str(error)
        case Terminated():
            return str(error) or "The job was stopped by SIGTERM before it had finished"
        case KeyboardInterrupt():
            return "The job was interrupted before it had finished"
        case SystemExit():
            return f"The program was ended by exit({error.code}) before it had finished"
    if _is_memory(error):
        return "The machine ran out of memory. Use a larger instance or fewer rows"
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, OSError):
        remedy = _REMEDIES.get(error.errno or 0, "Try again, on another machine")
        return f"The machine failed: {type(error).__name__}: {error}. {remedy}\n\n{trace}"
    if any(words in str(error) for words in _NO_THREADS):
        return f"The machine failed: no thread can be started. {_THREADS_REMEDY}\n\n{trace}"
    return f"Unexpected error (a bug): {type(error).__name__}: {error}\n\n{trace}"


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    of_loader = isinstance(error, ImportError) and "failed to map segment" in str(error)
    return of_loader or isinstance(error, MemoryError)


def refuse(error: Exception) -> int:
    """Log why a command cannot begin, before there is a folder to report in; return the code."""
    start_logging()
    return fail(describe(error), None)


def fail(text: str, report: Path | None) -> int:
    """Write why a job failed to its log and to the file `report`, and return its exit code."""
    # The name of a file need not be UTF-8.
    text = text.encode(errors="backslashreplace").decode()
    LOG.error("FAILED: %s", text)
    if report is None:
        return FAILED
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        LOG.error("%s could not be written: %s", report, error)  # noqa: TRY400 - no trace
    return FAILED
