"""The next slice of rows is read while the last one is scored: both take about as long."""

import queue
import threading
from collections.abc import Iterator

from sagetree.tables.table import Table

# How long the reader waits for room before it looks whether anybody still asks.
LOOK_SECONDS = 0.2


def read_ahead(slices: Iterator[Table]) -> Iterator[Table]:
    """Yield the slices in their order, each read by a thread while the one before is used.

    At most one is ready and one being read. An error of the reading is raised at its place.
    The thread is a daemon: a pipe that never ends holds up no exit.
    """
    ready: queue.Queue[Table | Exception | None] = queue.Queue(maxsize=1)
    is_over = threading.Event()

    def give(found: Table | Exception | None) -> bool:
        while not is_over.is_set():
            try:
                ready.put(found, timeout=LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for table in slices:
                if not give(table):
                    return
        except Exception as error:  # to be raised where the rows are used
            give(error)
        else:
            give(None)

    threading.Thread(target=read, daemon=True, name="read-ahead").start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found
    finally:
        is_over.set()
