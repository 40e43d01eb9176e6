"""A connection's socket, and what the loop's selector watches on it."""

import contextlib
import selectors
import socket

from sagetree.serve.http.connection import Connection, Write


class Client:
    """A connection with its socket, which is watched for bytes from the beginning."""

    __slots__ = ("_events", "_selector", "connection", "sock")

    def __init__(
        self, sock: socket.socket, connection: Connection, selector: selectors.BaseSelector
    ) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # a socket of another family has no Nagle
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.connection = connection
        self._selector = selector
        self._events = 0
        self.watch(selectors.EVENT_READ)

    def watch(self, events: int) -> None:
        """Have the selector watch these events and no others."""
        if events == self._events:
            return
        if not self._events:
            self._selector.register(self.sock, events, self)
        elif not events:
            self._selector.unregister(self.sock)
        else:
            self._selector.modify(self.sock, events, self)
        self._events = events

    def send(self, pieces: Write) -> int:
        """Return how many bytes of `pieces` the kernel has taken. Raises OSError if it is gone."""
        try:
            return self.sock.send(pieces[0]) if len(pieces) == 1 else self.sock.sendmsg(pieces)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the connection, whatever it waits for."""
        self.watch(0)
        self.sock.close()
        self.connection.close()
