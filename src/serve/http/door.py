"""Where connections come in: the listening sockets of one worker, and whether it takes the next."""

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial

from sagetree.machine.program import LOG
from sagetree.serve.http.shares import Share

# So long a worker leaves a new connection to those that hold fewer than it.
# Where none of them takes it, they are all at work, and it takes one.
YIELD_SECONDS = 0.002

# How often a worker that has left all connections to others looks whether to take some.
CLOSED_SECONDS = 0.05

# How often the log says, at most, that the worker has no room for a connection.
FULL_SECONDS = 60.0

# The process, or the machine, has no descriptor left.
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)


class Door:
    """Accepts connections as far as the worker may have more, and hands each to `welcome`.

    `selector` watches the listening sockets; the data of each is a function to
    be called when a connection waits there.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        share: Share,
        most: int,
        selector: selectors.BaseSelector,
        welcome: Callable[[socket.socket], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listeners = list(listeners)
        self._share = share
        self._most = most
        self._selector = selector
        self._welcome = welcome
        self._clock = clock
        self._watching = False
        self._open = False
        self._stopping = False
        self._yielded_at = 0.0  # 0: it has not
        self._told_at: float | None = None

    def open(self) -> None:
        """Begin to accept; a worker that is not ready, once no other one is ready either."""
        for listener in self._listeners:
            listener.setblocking(False)
        self._open_in_time()

    def _open_in_time(self) -> None:
        if self._share.may_take() and not self._stopping:
            self._open = True
            self._share.tell(0)
            self._watch(True)

    def patience(self, seconds: float) -> float:
        """Return how long the loop may wait, which would wait for `seconds`."""
        if not self._open:
            return min(seconds, CLOSED_SECONDS)
        return YIELD_SECONDS if self._yielded_at else seconds

    def holds(self, connections: int) -> None:
        """Take note of how many connections the worker has."""
        if not self._stopping:
            self._share.tell(connections)
        if connections >= self._most:
            self._watch(False)
            self._tell(f"it holds {connections} connections and has no room for more")
        elif not self._stopping and not self._yielded_at:  # what was left to others has its time
            self._watch(True)

    def take_turn(self) -> None:
        """Accept what was left to other workers and none of them has taken."""
        if not self._open:
            self._open_in_time()
        if not self._yielded_at or self._clock() - self._yielded_at < YIELD_SECONDS:
            return
        self._yielded_at = 0.0
        self._watch(True)
        for listener in self._listeners:
            self._accept(listener)

    def stop(self) -> None:
        """Leave new connections to the other workers, but those that come here all the same."""
        self._stopping = True
        self._share.stop()

    def close(self) -> None:
        """Take what waits in the kernel, then refuse."""
        self._watch(False)
        self._yielded_at = 0.0
        for listener in self._listeners:
            while self._accept(listener):
                pass
            listener.close()
        self._listeners = []

    def _watch(self, wanted: bool) -> None:
        if wanted == self._watching:
            return
        self._watching = wanted
        for listener in self._listeners:
            if wanted:
                offered = partial(self._offered, listener)
                self._selector.register(listener, selectors.EVENT_READ, offered)
            else:
                self._selector.unregister(listener)

    def _offered(self, listener: socket.socket) -> None:
        """Accept a connection, or leave it to a worker that has fewer."""
        if self._stopping or not self._share.is_ahead():
            self._accept(listener)
        else:
            self._leave_for_now()

    def _leave_for_now(self) -> None:
        self._watch(False)
        self._yielded_at = self._clock()

    def _tell(self, what: str) -> None:
        now = self._clock()
        if self._told_at is None or now - self._told_at >= FULL_SECONDS:
            self._told_at = now
            LOG.warning(
                "worker %d: %s; new ones wait. Raise the limit of open files (ulimit -n)",
                os.getpid(),
                what,
            )

    def _accept(self, listener: socket.socket) -> bool:
        """Accept one connection, if there is one: the next one may be another worker's."""
        try:
            accepted, _ = listener.accept()
        except OSError as error:  # often another worker was faster, or the client is gone
            if error.errno in _NO_DESCRIPTOR:
                self._leave_for_now()  # else the loop would turn until there is one
                self._tell(f"it cannot take a connection: {error.strerror}")
            return False
        self._welcome(accepted)
        return True
