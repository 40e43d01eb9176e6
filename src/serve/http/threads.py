"""The threads of one worker, which answer what may take long while its loop stays free."""

import contextlib
import socket
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from sagetree.serve.http.application import ServedApplication
from sagetree.serve.protocol.messages import Request, Response

# Large requests that one worker has under way; further ones wait.
THREADS = 8

# So long after the last large request memory is put in order, and so often while they come:
# Arrow takes a body's size for each column of text, and every body leaves other pages behind.
TIDY_SECONDS, TIDY_OFTEN_SECONDS = 1.0, 5.0

Asker = TypeVar("Asker")


class Threads(Generic[Asker]):
    """Answers requests of an application; `woken` can be read when there are responses."""

    def __init__(self, application: ServedApplication) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._done: deque[tuple[Asker, Response]] = deque()
        # when a response was first and last made, until memory is tidy
        self._first: float | None = None
        self._last = 0.0
        self.woken, self._waker = socket.socketpair()
        for end in (self.woken, self._waker):
            end.setblocking(False)

    def answer(self, asker: Asker, request: Request) -> None:
        """Have a request answered; `responses` gives the response with `asker`."""
        job = self._pool.submit(self._application.answer, request)
        job.add_done_callback(partial(self._answered, asker))

    def _answered(self, asker: Asker, job: "Future[Response]") -> None:
        """In the thread: hand the response to the loop."""
        if job.cancelled():
            return
        self._done.append((asker, job.result()))
        with contextlib.suppress(OSError):  # full: it will wake anyway; or stopped
            self._waker.send(b"1")

    def responses(self) -> Iterator[tuple[Asker, Response]]:
        """Yield the responses that have been made."""
        with contextlib.suppress(BlockingIOError):
            self.woken.recv(4096)
        while self._done:
            self._last = time.monotonic()
            self._first = self._first or self._last
            yield self._done.popleft()

    def tidy(self, now: float) -> None:
        """Have things put in order, as a rule when no more large requests come: these need it."""
        if self._first is None:
            return
        if now - self._last >= TIDY_SECONDS or now - self._first >= TIDY_OFTEN_SECONDS:
            self._first = None
            self._pool.submit(self._application.tidy)

    def stop(self) -> None:
        """Begin nothing more, and leave what is being answered to itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for end in (self.woken, self._waker):
            end.close()
