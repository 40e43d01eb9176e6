"""A process on a user's behalf: its log is shown, a SIGTERM is handed on to it."""

import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from sagetree.machine.program import Terminated

# How much of what a process said last is kept, for the reason of its failure.
LAST_LINES = 50


class Ended(NamedTuple):
    """How a process ended: its exit code, and the last lines it wrote to stderr."""

    code: int
    said: list[str]


def execute(what: str, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Ended:
    """Run a command in `folder` to its end, its stderr shown, SIGTERM handed on to it.

    `what` is what messages call it. Raises Terminated where it ended with a failure after SIGTERM.
    """
    said: deque[str] = deque(maxlen=LAST_LINES)
    is_stopped = threading.Event()
    running: list[subprocess.Popen[str]] = []

    def hand_on(_signal: int, _frame: FrameType | None) -> None:
        is_stopped.set()
        for started in running:
            started.send_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, hand_on)
    with subprocess.Popen(  # noqa: S603 - it is the user's own program, in their own job
        command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as child:
        running.append(child)
        if is_stopped.is_set():
            child.send_signal(signal.SIGTERM)
        for line in child.stderr or ():
            sys.stderr.write(line)
            said.append(line.rstrip("\n"))
    signal.signal(signal.SIGTERM, before)
    if child.returncode and is_stopped.is_set():
        raise Terminated(
            f"The job was stopped by SIGTERM, on which {what} ended with {child.returncode}"
        )
    return Ended(child.returncode, list(said))
