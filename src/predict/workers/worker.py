"""A process that scores files for another one: `python -m sagetree.predict.workers.worker`.

Lines of JSON come and go by its standard input and output: a Setup and then Orders come,
and of each order go the bytes it reads and a ScoredFile. Where its input ends, it ends at once.
"""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Generator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from sagetree.files.slices import RowCount, read_file
from sagetree.machine.allocator import hold_apart
from sagetree.machine.program import LOG, describe, start_logging
from sagetree.predict.inputs import Inputs
from sagetree.predict.outputs import Outputs
from sagetree.predict.scoring import load, score_slices
from sagetree.predict.settings import Wanted
from sagetree.predict.workers.messages import Order, ScoredFile, Setup, content_of, line_of
from sagetree.predict.writers import part_opened, tell_unwritable
from sagetree.tables.table import Table


def main() -> None:
    """Answer orders until there are no more."""
    hold_apart()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gives the orders ends this process
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # for what libraries print
    start_logging(sys.stderr)
    said = _Said()
    LOG.handlers = [said]
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True, name="listen").start()
    worker = _Worker(Setup(**content_of(lines.get())), said, answers)
    while True:
        worker.answer(Order(**content_of(lines.get())))


def _listen(lines: queue.SimpleQueue[bytes]) -> None:
    """Take what comes; end the process, whatever it does, when nothing can come any more."""
    # Python closes sys.stdin at its end, which waits for whoever reads it
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as given:
        for line in given:
            lines.put(line)
    os._exit(0)


class _Said(logging.Handler):
    """Keeps what is logged, for the one who gives the orders to say it in its place."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append((record.levelno, record.getMessage()))

    def taken(self) -> list[tuple[int, str]]:
        found, self._found = self._found, []
        return found


class _Worker:
    """Scores files by one model, which it loads at the first order."""

    def __init__(self, setup: Setup, said: _Said, answers: BinaryIO) -> None:
        self._setup = setup
        self._said = said
        self._answers = answers
        self._part = ScoredFile()
        self._read = 0

    @cached_property
    def _inputs(self) -> Inputs:
        setup = self._setup
        model = load(Path(setup.model), setup.threads, setup.rounds)
        return Inputs(model, keeps_text=setup.reasons > 0)

    def answer(self, order: Order) -> None:
        """Score a file and say what became of it."""
        self._part = ScoredFile()
        try:
            self._score(order)
        except Exception as error:  # to be raised where the orders come from
            self._part = self._part._replace(failed=describe(error))
        self._tell_read()
        self._send(self._part._replace(said=self._said.taken()))

    def _score(self, order: Order) -> None:
        setup, inputs = self._setup, self._inputs
        outputs = Outputs(inputs.model, Wanted(setup.contributions, setup.reasons))
        names: list[str] = []
        tally = RowCount()

        def slices() -> Generator[Table, None, None]:
            nonlocal tally
            tally = yield from read_file(Path(order.file), inputs.slicing, self._count)

        def write(table: pa.Table) -> None:
            names[:] = table.column_names
            writer.write(table)
            self._tell_read()

        try:
            with (
                tell_unwritable(Path(setup.output)),
                part_opened(Path(order.part), setup.format) as writer,
            ):
                rows, unseen = score_slices(slices(), inputs, outputs, write)
        finally:
            held = outputs.identifiers.held
            self._part = self._part._replace(names=names, identifiers=held)
        repeated, is_empty = tally.repeated, tally.is_empty
        self._part = self._part._replace(
            rows=rows, unseen=unseen, repeated=repeated, is_empty=is_empty
        )

    def _count(self, size: int) -> None:
        self._read += size

    def _tell_read(self) -> None:
        read, self._read = self._read, 0
        self._send(read)

    def _send(self, message: ScoredFile | int) -> None:
        try:
            self._answers.write(line_of(message))
            self._answers.flush()
        except BrokenPipeError:  # nobody is left to answer, nor to read what went wrong
            os._exit(0)


if __name__ == "__main__":
    main()
