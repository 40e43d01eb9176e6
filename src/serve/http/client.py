"""What the loop knows of one connection, and what it asks of the application it serves."""

import selectors
import socket
from typing import Protocol

from sagetree.serve.http.connection import RequestReader
from sagetree.serve.protocol.messages import Request, Response

# A request's headers, and each next piece of it, have to come within this time.
SLOW_SECONDS = 60.0


class Application(Protocol):
    """What a worker serves."""

    max_body: int | None

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""

    def answer(self, request: Request) -> Response:
        """Return the response, however long it takes; never raises."""

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the response to a request that could not be read."""

    def tidy(self) -> None:
        """Put in order what answers that took long have left behind."""


class Client:
    """A connection as the loop sees it."""

    __slots__ = (
        "answered", "busy", "closing", "deadline", "events", "left", "lingered", "output",
        "reader", "sock",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, reader: RequestReader, now: float) -> None:
        self.sock = sock
        self.reader = reader
        self.deadline = now + SLOW_SECONDS
        self.answered = False  # whether it has got an answer yet
        self.busy = False  # whether a thread works on its request
        self.closing = False  # whether it ends after the output
        self.output = memoryview(b"")
        self.lingered: int | None = None  # bytes thrown away since the last answer
        self.events = selectors.EVENT_READ
        self.left = False  # whether it has sent its last byte
